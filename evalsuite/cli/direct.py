"""Commands on images or features that are there already: ``measure``, ``statistics``."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from evalsuite.cli.terminal import complain, show, show_json, write
from evalsuite.errors import UsageError

if TYPE_CHECKING:
    from evalsuite.pipeline.events import Listener
    from evalsuite.records import Measurement, Missing

NO_NUMBER = 4
"""Exit code where a metric that was asked for has no number, whatever the reason: a script that wants it has none."""

FIELDS = ("value", "unit", "n", "higher_is_better", "interval", "protocol")
"""Of each measurement, what the JSON document shows."""

GIVEN = "A folder of images, a .zip, or a .npy, .npz or .safetensors file of uint8 images or float features"
ExtractorOption = Annotated[
    str | None,
    typer.Option(metavar="NAME", help="What makes features of images; else that of the statistics, else inception-v3."),
]
CacheOption = Annotated[
    Path | None,
    typer.Option(metavar="DIR", help="Where features are kept; else $EVALSUITE_CACHE, else the user's cache folder."),
]
BatchOption = Annotated[
    int, typer.Option(min=1, metavar="N", help="Images that pass the extractor at once; changes memory, not numbers.")
]
QuietOption = Annotated[bool, typer.Option("--quiet", "-q", help="Show no progress.")]


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    for command in (measure, statistics):
        app.command(rich_help_panel="Measure")(command)


def measure(
    generated: Annotated[str, typer.Option("--generated", "-g", metavar="G", help=f"{GIVEN}.")],
    reference: Annotated[
        str | None, typer.Option("--reference", "-r", metavar="R", help="The same, or a saved statistics file.")
    ] = None,
    metrics: Annotated[
        str, typer.Option("--metrics", "-m", metavar="NAME,...", help="See evalsuite list metrics.")
    ] = "fid",
    extractor: ExtractorOption = None,
    prompts: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="What each image was asked for: .txt (one a line), .jsonl or .csv."),
    ] = None,
    output: Annotated[Literal["table", "json"], typer.Option("--format", help="What is printed to stdout.")] = "table",
    cache: CacheOption = None,
    batch_size: BatchOption = 64,
    quiet: QuietOption = False,
) -> None:
    """Measure images or features against a reference, without a suite."""
    names = [name.strip() for name in metrics.split(",") if name.strip()]
    if not names:
        raise UsageError("--metrics: found none, expected names such as fid,kid; see evalsuite list metrics")
    from evalsuite.direct.measure import measure as measured

    with progress(quiet) as listener:
        measurements, missing = measured(
            generated=generated,
            reference=reference,
            metrics=names,
            extractor=extractor,
            prompts=prompts,
            batch_size=batch_size,
            cache=cache,
            listener=listener,
        )
    if output == "json":
        show_json(document(measurements, missing))
    else:
        from evalsuite.cli.tables import measured as tables

        show(*tables(measurements))
    for measurement in measurements:
        for caveat in filter(None, (measurement.warning, measurement.invalid)):
            complain(f"{measurement.name}: {caveat}")
    for absence in missing:
        complain(f"{absence.name}: {absence.kind}: {absence.reason}")
    if missing:
        raise typer.Exit(NO_NUMBER)


def statistics(
    images: Annotated[str, typer.Argument(metavar="R", help=f"{GIVEN}.")],
    out: Annotated[Path, typer.Option("--out", "-o", metavar="FILE", help="A .safetensors file.")],
    extractor: ExtractorOption = None,
    cache: CacheOption = None,
    batch_size: BatchOption = 64,
    quiet: QuietOption = False,
) -> None:
    """Save mean and covariance of a reference's features, for later measurements of fid."""
    if out.suffix != ".safetensors":
        raise UsageError(f"--out: found {out}, expected a file ending in .safetensors")
    from evalsuite.direct.measure import moments
    from evalsuite.moments import save

    with progress(quiet) as listener:
        found = moments(images, extractor=extractor, cache=cache, batch_size=batch_size, listener=listener)
    save(found, out)
    count = "an unknown number of" if found.n is None else str(found.n)
    write(f"{out}: {len(found.mean)} features of {count} samples\n")


def document(measurements: list[Measurement], missing: list[Missing]) -> dict[str, Any]:
    """What ``--format json`` prints."""
    rows = [(one.name, one.model_dump(mode="json")) for one in measurements]
    numbers = [{"metric": name, **{field: row[field] for field in FIELDS}} for name, row in rows]
    gaps = [{"metric": gap.name, "kind": gap.kind, "reason": gap.reason} for gap in missing]
    return {"measurements": numbers, "missing": gaps}


def progress(quiet: bool) -> AbstractContextManager[Listener]:
    """Progress on stderr."""
    if quiet:
        return nullcontext(lambda event: None)
    from evalsuite.cli.progress import ProgressDisplay

    return ProgressDisplay()
