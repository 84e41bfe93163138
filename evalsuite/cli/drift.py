"""Command ``drift``: are the images of today still like those of the reference?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from evalsuite.cli.direct import GIVEN, BatchOption, CacheOption, ExtractorOption, QuietOption, progress
from evalsuite.cli.terminal import complain, show, show_json

if TYPE_CHECKING:
    from rich.table import Table
    from rich.text import Text

    from evalsuite.direct.drift import Distance, InputDrift

DRIFTED = 1
"""Exit code of ``--fail`` where the two sets are from two distributions."""

BY = (
    "Kinds whose shares are compared: the outermost folder, the class that the extractor sees, or clusters of features."
)


def register(app: typer.Typer) -> None:
    """Add this module's command."""
    app.command(rich_help_panel="Measure")(drift)


def drift(
    reference: Annotated[str, typer.Option("--reference", "-r", metavar="R", help=f"{GIVEN}.")],
    current: Annotated[str, typer.Option("--current", "-c", metavar="C", help="The same, of today.")],
    by: Annotated[Literal["auto", "folder", "class", "cluster", "none"], typer.Option(help=BY)] = "auto",
    clusters: Annotated[int, typer.Option(min=2, metavar="K", help="How many, where kinds are clusters.")] = 10,
    alpha: Annotated[float, typer.Option(min=1e-6, max=0.5, help="Chance of a false alarm.")] = 0.01,
    permutations: Annotated[int, typer.Option(min=1, metavar="N", help="Of the tests.")] = 999,
    seed: Annotated[int, typer.Option(min=0, help="Of permutations and clusters.")] = 0,
    fail: Annotated[bool, typer.Option("--fail", help="Exit with 1 if there is drift.")] = False,
    output: Annotated[Literal["text", "json"], typer.Option("--format", help="What is printed to stdout.")] = "text",
    extractor: ExtractorOption = None,
    cache: CacheOption = None,
    batch_size: BatchOption = 64,
    quiet: QuietOption = False,
) -> None:
    """Compare two sets of images or features: has what comes in, or goes out, changed since?"""
    from evalsuite.direct.drift import drift as compared

    with progress(quiet) as listener:
        found = compared(
            reference=reference,
            current=current,
            extractor=extractor,
            by=by,
            clusters=clusters,
            alpha=alpha,
            permutations=permutations,
            seed=seed,
            batch_size=batch_size,
            cache=cache,
            listener=listener,
        )
    if output == "json":
        show_json(_document(found))
    else:
        show(*_text(found))
    if not isinstance(found.fid, str) and found.fid.warning:
        complain(f"fid: {found.fid.warning}")
    if fail and found.drifted:
        raise typer.Exit(DRIFTED)


def _document(found: InputDrift) -> dict[str, Any]:
    def plain(distance: Distance | str) -> Any:
        return {"missing": distance} if isinstance(distance, str) else _values(distance)

    return {
        "drifted": found.drifted,
        "alpha": found.alpha,
        "p_features": found.p_features,
        "p_shares": found.p_shares,
        "kid": plain(found.kid),
        "fid": plain(found.fid),
        "shares": [_values(share) for share in found.shares],
        "reference": found.sizes[0],
        "current": found.sizes[1],
        "extractor": found.extractor,
    }


def _values(part: Any) -> dict[str, Any]:
    return {**asdict(part), "interval": part.interval.model_dump()}


def _text(found: InputDrift) -> Iterator[Text | Table]:
    from rich.text import Text

    from evalsuite.compare.wording import between, chance, quantity

    verdict, style = ("drift", "bold red") if found.drifted else ("no drift found", "green")
    shares = "" if found.p_shares is None else f", shares of kinds {chance(found.p_shares)}"
    sizes = f"{found.sizes[0]} reference and {found.sizes[1]} current samples"
    yield Text.assemble((verdict, style), f": features {chance(found.p_features)}{shares}; {sizes}, {found.extractor}")
    kid = found.kid
    yield Text(
        f"kid {quantity(kid.value)} ({between(kid.interval)}); without drift, 95 % of such pairs of sets stay below "
        f"{quantity(kid.typical or 0.0)}"
    )
    if isinstance(found.fid, str):
        yield Text(f"fid: none: {found.fid}")
    else:
        plain = quantity(found.fid.plain or 0.0)
        value, interval = quantity(found.fid.value), between(found.fid.interval)
        yield Text(f"fid {value} ({interval}) without the bias of both sets; {plain} with it")
    if found.shares:
        yield _shares(found)


def _shares(found: InputDrift) -> Table:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD)
    for column in ("kind", "reference", "current", "change (points)", "95 % interval", "q"):
        table.add_column(column, justify="left" if column == "kind" else "right")
    for share in found.shares:
        sides = (share.reference / found.sizes[0], share.current / found.sizes[1])
        low, high = 100 * share.interval.low, 100 * share.interval.high
        texts = (f"{100 * share.change:+.1f}", f"{low:+.1f} to {high:+.1f}", f"{share.q_value:.2g}")
        style = "yellow" if share.q_value <= found.alpha else ""
        table.add_row(*map(Text, (share.name, *(f"{side:.1%}" for side in sides), *texts)), style=style)
    return table
