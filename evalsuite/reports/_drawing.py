"""From a matplotlib figure to SVG and PNG bytes that repeat and read in light and dark."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from typing import Any

INK = "#70757d"
"""Of axes and texts: a grey with enough contrast on white and on black."""
_INK_ON_DARK = "#a2a8b1"
WIDTH = 9.0
"""Of a figure in inches; on the page it is as wide as the text."""


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
    figure.set_layout_engine("none")  # the layout stays as it was just made
    figure.savefig(png, format="png", dpi=160, metadata={"Software": None})
    return Drawing(name, title, caption, alt, _adapted(svg.getvalue()), png.getvalue())


def _adapted(svg: bytes) -> bytes:
    """The SVG with its ink brighter where the reader's system is dark; programs for papers keep the grey."""
    ink = INK.encode()
    first, rest = svg.split(b"<defs>", 1)
    rule = b"@media (prefers-color-scheme: dark) { svg { color: %s } }" % _INK_ON_DARK.encode()
    style = b'<style type="text/css">%s</style>\n ' % rule
    colour = first.replace(b"<svg ", b'<svg color="%s" ' % ink, 1)
    return colour + style + b"<defs>" + rest.replace(ink, b"currentColor")


def plain_log_axis(axis: Any) -> None:
    """Ticks of a logarithmic axis at 1, 2, 5 of each decade, written as plain numbers."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    axis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axis.set_minor_formatter(NullFormatter())
