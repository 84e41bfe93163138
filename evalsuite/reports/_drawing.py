"""From a matplotlib figure to SVG and PNG bytes that repeat, read in light and dark, and need no style attributes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from typing import Any
from xml.etree import ElementTree

INK = "#737373"
"""Of axes and texts: a grey with enough contrast on white and on black; inline, it becomes the text's colour."""
_SVG = "http://www.w3.org/2000/svg"
_XLINK = "http://www.w3.org/1999/xlink"


@dataclass(frozen=True)
class Drawing:
    """A figure of the report.

    Attributes:
        name: stem of its files.
        title: what it shows.
        caption: how to read it.
        alt: the same in words for those who do not see it.
        svg, png: the files.
    """

    name: str
    title: str
    caption: str
    alt: str
    svg: bytes
    png: bytes

    @property
    def files(self) -> dict[str, bytes]:
        return {f"figures/{self.name}.svg": self.svg, f"figures/{self.name}.png": self.png}


@contextmanager
def canvas(width: float, height: float) -> Iterator[Any]:
    """A transparent matplotlib figure of that size in inches, without pyplot's global state."""
    import matplotlib
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    style: Any = {
        "font.family": "DejaVu Sans", "font.size": 9, "svg.fonttype": "none", "svg.hashsalt": "evalsuite",
        "text.color": INK, "axes.labelcolor": INK, "axes.edgecolor": INK, "xtick.color": INK, "ytick.color": INK,
        "axes.spines.top": False, "axes.spines.right": False, "axes.linewidth": 0.8, "grid.color": INK,
        "grid.alpha": 0.18, "grid.linewidth": 0.6, "axes.axisbelow": True, "text.parse_math": False,
        "figure.facecolor": "none", "axes.facecolor": "none", "savefig.facecolor": "none",
    }  # fmt: skip
    with matplotlib.rc_context(style):
        figure = Figure(figsize=(width, height), layout="constrained")
        FigureCanvasAgg(figure)
        yield figure


def drawing(figure: Any, name: str, title: str, caption: str, alt: str) -> Drawing:
    """Save a figure in both formats; call it inside :func:`canvas`."""
    svg, png = BytesIO(), BytesIO()
    figure.savefig(svg, format="svg", metadata={"Date": None, "Creator": None})
    figure.savefig(png, format="png", dpi=160, metadata={"Software": None})
    return Drawing(name, title, caption, alt, svg.getvalue(), png.getvalue())


def inline(picture: Drawing) -> str:
    """The SVG for use inside HTML: no style attributes (a policy forbids them), ink in the page's text colour.

    Identifiers get the figure's name in front, so that several figures share a page; ``role`` and ``aria-label`` carry
    the words for it.
    """
    ElementTree.register_namespace("", _SVG)
    ElementTree.register_namespace("xlink", _XLINK)
    root = ElementTree.fromstring(picture.svg)
    for parent in list(root.iter()):
        for child in list(parent):
            if child.tag in (f"{{{_SVG}}}metadata", f"{{{_SVG}}}style"):
                parent.remove(child)
    for element in root.iter():
        _unstyle(element)
        _prefix(element, f"{picture.name}-")
    root.attrib.pop("width", None)
    root.attrib.pop("height", None)
    root.set("role", "img")
    root.set("aria-label", picture.alt)
    root.set("stroke-linejoin", "round")
    return ElementTree.tostring(root, encoding="unicode")


def _unstyle(element: ElementTree.Element) -> None:
    """Turn ``style="fill: none; ..."`` into attributes; fonts are the page's, but for size, weight and anchor."""
    for declaration in element.attrib.pop("style", "").split(";"):
        key, _, value = (part.strip() for part in declaration.partition(":"))
        if key == "font":  # shorthand, as "9px 'DejaVu Sans'"
            key, value = "font-size", next(iter(re.findall(r"[\d.]+px", value)), "9px")
        if key and key not in ("font-family", "transform"):
            element.set(key, value)
        elif key == "transform":
            element.set("transform", value)
    for key, value in element.attrib.items():
        if value.lower() == INK:
            element.set(key, "currentColor")


def _prefix(element: ElementTree.Element, prefix: str) -> None:
    for key, value in list(element.attrib.items()):
        if key == "id":
            element.set(key, prefix + value)
        elif key == f"{{{_XLINK}}}href" and value.startswith("#"):
            element.set(key, f"#{prefix}{value[1:]}")
        elif value.startswith("url(#"):
            element.set(key, f"url(#{prefix}{value[5:]}")
