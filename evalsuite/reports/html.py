"""Report format ``html``: one page that opens from a disk without network or scripts, and its figures as files."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from evalsuite.reports import _models
from evalsuite.reports._drawing import inline
from evalsuite.reports._figures import figures
from evalsuite.reports._format import condition, counted, flattened, plain
from evalsuite.reports._gallery import galleries
from evalsuite.reports._heatmap import SHADES, heat_maps
from evalsuite.reports._summary import cards, gate_rows, headline
from evalsuite.reports._tables import MARK_SIGNS, absences_of, main_tables, variation_tables, warnings_of
from evalsuite.reports.contract import ReportInputs

TEMPLATES = Path(__file__).parent / "templates"


class Html:
    """``index.html`` with everything inside, and ``figures/`` with each figure as SVG and PNG.

    Every text of the run is hostile: templates escape all of it, invisible characters are spelled out, and the page's
    policy allows one style sheet by its hash, pictures from data URIs, and nothing else.
    """

    def render(self, inputs: ReportInputs) -> Mapping[str, bytes]:
        tradeoffs, latencies = figures(inputs)
        files = {name: content for figure in (*tradeoffs, *latencies) for name, content in figure.files.items()}
        page = (
            _environment()
            .get_template("index.html.j2")
            .render(
                **_style(inputs),
                inputs=inputs,
                record=inputs.record,
                models=_models.models(inputs.record),
                headline=headline(inputs),
                gates=gate_rows(inputs.verdicts),
                cards=cards(inputs),
                tables=main_tables(inputs),
                variations=variation_tables(inputs),
                tradeoffs=tradeoffs,
                latencies=latencies,
                galleries=galleries(inputs),
                heat_maps=heat_maps(inputs),
                absences=absences_of(inputs.record.missing),
                warnings=warnings_of(inputs.record.measurements),
                places={
                    timed.case_key: _models.place(inputs.record, timed.case_key) for timed in inputs.record.timings
                },
                suite_yaml=suite_yaml(inputs),
            )
        )
        return {"index.html": page.encode(), **files}


def suite_yaml(inputs: ReportInputs) -> str:
    """The resolved suite as it could be written in a file."""
    return yaml.safe_dump(inputs.record.suite, sort_keys=False, allow_unicode=True, width=100)


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
        inline=lambda figure: Markup(inline(figure)),  # written by an XML serialiser, which escapes
        flattened=flattened,
        counted=counted,
        condition=condition,
        sign=MARK_SIGNS.__getitem__,
    )
    return environment


def _style(inputs: ReportInputs) -> dict[str, Any]:
    """The style sheet with this run's model colours and the policy that allows it and nothing else."""
    models = {model.index: model.colour for model in _models.models(inputs.record)}
    rules = [f".model-{index} {{ --model: {colour}; }}" for index, colour in models.items()]
    for shade in range(1, SHADES + 1):
        opacity = 0.1 + 0.5 * shade / SHADES
        rules.append(f".heat .shade-{shade} {{ background: rgb(var(--better-rgb) / {opacity:.2f}); }}")
        rules.append(f".heat .shade--{shade} {{ background: rgb(var(--worse-rgb) / {opacity:.2f}); }}")
    css = (TEMPLATES / "style.css").read_text("utf-8") + "\n".join(rules) + "\n"
    digest = base64.b64encode(hashlib.sha256(css.encode()).digest()).decode()
    policy = f"default-src 'none'; img-src data:; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    return {"style": Markup(css), "policy": Markup(policy)}
