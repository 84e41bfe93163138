"""The shell of every page: style sheet and scripts inside it, and a policy that allows these and nothing else."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from evalsuite.reports._format import condition, counted, flattened, plain
from evalsuite.reports._heatmap import SHADES
from evalsuite.reports._models import Model
from evalsuite.reports._tables import MARK_SIGNS

ROOT = Path(__file__).parent
TEMPLATES = ROOT / "templates"
D3 = tuple(
    f"d3-{part}"  # in the order in which they need one another
    for part in ("array", "color", "format", "interpolate", "time", "time-format", "scale", "selection", "axis")
)
"""The modules of D3 that charts are drawn with, as they are published."""


@dataclass(frozen=True)
class Shell:
    """What a page is made of besides its content.

    Attributes:
        scripts: names below ``templates/scripts``, in the order in which they run.
        charts: whether D3 comes first.
        models, targets: what the reader can show and hide; each model has its colour.
    """

    scripts: Sequence[str]
    charts: bool = False
    models: Sequence[Model] = ()
    targets: Sequence[str] = ()

    def render(self, template: str, **context: Any) -> bytes:
        """The page, UTF-8; it refuses to load or run what is not part of it.

        Texts are escaped by the templates, and invisible characters in them spelled out.
        """
        style = (TEMPLATES / "style.css").read_text("utf-8") + "\n".join(self._rules()) + "\n"
        scripts = [path.read_text("utf-8") for path in self._files()]
        policy = "; ".join([
            "default-src 'none'",
            "img-src 'self' file: data:",
            f"style-src {_digest(style)}",
            f"script-src {' '.join(map(_digest, scripts)) or _NONE}",
            "require-trusted-types-for 'script'",
            "base-uri 'none'",
            "form-action 'none'",
        ])  # fmt: skip
        page = _environment().get_template(template)
        made = {"style": Markup(style), "scripts": [Markup(script) for script in scripts], "policy": Markup(policy)}
        return page.render(**made, shell=self, **context).encode()

    def _files(self) -> Iterable[Path]:
        yield from (ROOT / "vendor" / "d3" / f"{name}.min.js" for name in (D3 if self.charts else ()))
        yield from (TEMPLATES / "scripts" / f"{name}.js" for name in self.scripts)

    def _rules(self) -> Iterable[str]:
        """Colours, and one rule for each thing that can be hidden: a class on the root is all that scripts change."""
        for index, colour in {model.index: model.colour for model in self.models}.items():
            yield f".model-{index} {{ --model: {colour}; }}"
            yield f'.without-model-{index} [data-model="{index}"] {{ display: none; }}'
        for index in range(len(self.targets)):
            yield f'.only-target-{index} [data-target]:not([data-target="{index}"]) {{ display: none; }}'
        for shade in range(1, SHADES + 1):
            opacity = 0.1 + 0.5 * shade / SHADES
            yield f".heat .shade-{shade} {{ background: rgb(var(--better-rgb) / {opacity:.2f}); }}"
            yield f".heat .shade--{shade} {{ background: rgb(var(--worse-rgb) / {opacity:.2f}); }}"


_NONE = "'none'"


def _digest(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def data(content: Any) -> Markup:
    """JSON for a data block: ASCII, without anything that could end the block; hidden characters spelled out."""
    text = json.dumps(_shown(content), allow_nan=False, separators=(",", ":"))
    return Markup(text.replace("<", "\\u003c").replace("&", "\\u0026"))


def _shown(content: Any) -> Any:
    if isinstance(content, str):
        return plain(content)
    if isinstance(content, dict):
        return {key: _shown(value) for key, value in content.items()}
    return [_shown(value) for value in content] if isinstance(content, list | tuple) else content


def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=lambda value: plain(value) if type(value) is str else value,
    )
    environment.filters.update(
        data=data, flattened=flattened, counted=counted, condition=condition, sign=MARK_SIGNS.__getitem__
    )
    return environment
