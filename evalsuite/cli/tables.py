"""A run on one screen: the cells of the report's tables, the gates' verdicts, comparisons, plans."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from rich import box
from rich.table import Table
from rich.text import Text

from evalsuite.cli.wording import duration, size
from evalsuite.compare.power import GatePower
from evalsuite.compare.wording import quantity
from evalsuite.models.contract import Download
from evalsuite.pipeline.estimate import Cost, total
from evalsuite.records import Comparison, Family, Measurement, Missing, Plan, Verdict
from evalsuite.reports import _tables as cells
from evalsuite.reports._format import bounds, decimals, number, probability, scale_for
from evalsuite.reports.contract import ReportInputs

OUTCOME_STYLES = {
    "pass": "green",
    "fail": "bold red",
    "inconclusive": "yellow",
    "incomparable": "red",
    "missing": "red",
}
MARK_STYLES: dict[cells.Mark, str] = {"better": "green", "worse": "red", "same": "dim", "unjudged": "dim"}
ARROWS = {"higher": " ↑", "lower": " ↓", "": ""}


def summary(inputs: ReportInputs) -> Iterator[Table]:
    """One table a target: metrics down, models across; below a student's value its difference to the teacher."""
    for made in cells.main_tables(inputs):
        table = Table(title=f"on {made.target}", title_justify="left", box=box.SIMPLE_HEAD)
        table.add_column("metric")
        for model in made.models:
            table.add_column(model.name)
        for _, _, rows in made.groups:
            for row in rows:
                unit = f" ({row.unit})" if row.unit else ""
                table.add_row(f"{row.title}{ARROWS[row.direction]}{unit}", *map(_cell, row.entries))
            table.add_section()
        yield table


def _cell(entry: cells.Entry) -> Text:
    if entry.absent:
        return Text(entry.absent, style="dim")
    text = Text(f"{entry.value} {entry.interval}{' INVALID' if entry.invalid else ''}")
    if entry.difference:
        sign = cells.MARK_SIGNS[entry.mark]
        text.append(f"\n{entry.difference} {entry.difference_interval} {sign}", style=MARK_STYLES[entry.mark])
    return text


def gates(verdicts: Sequence[Verdict]) -> Iterator[Text]:
    """Two lines a gate: what came out, and why."""
    for verdict in verdicts:
        line = Text.assemble((f"{verdict.outcome:<12}", OUTCOME_STYLES[verdict.outcome]), f" {verdict.gate}")
        line.append(f"\n{'':<12} {verdict.reason}", style="dim")
        yield line


def differences(comparisons: Sequence[Comparison]) -> Iterator[Table | Text]:
    """One row a comparison, as `evalsuite compare` prints them; then what could not be compared, one line a metric."""
    table = Table(box=box.SIMPLE_HEAD)
    for column in ("metric", "of", "against", "difference or ratio", "interval", "p", "q", ""):
        table.add_column(column)
    unlike: dict[str, list[Comparison]] = {}
    for comparison in comparisons:
        if comparison.value is None:
            unlike.setdefault(comparison.name, []).append(comparison)
            continue
        sides = [term.identity.case_key for term in comparison.terms]
        mark = cells.mark_of(comparison)
        scale = scale_for(comparison.unit, Family.MEAN, [comparison.value])
        chances = (probability(comparison.p_value), probability(comparison.q_value))
        texts = (*cells.difference_texts(comparison, scale), *chances, cells.MARK_SIGNS[mark])
        style = "" if mark == "unjudged" else MARK_STYLES[mark]
        table.add_row(*map(Text, (comparison.name, sides[0], sides[-1], *texts)), style=style)
    yield table
    for name, alike in unlike.items():
        where = _first_of([comparison.terms[0].identity.case_key for comparison in alike])
        yield Text(f"incomparable: {name} of {where}: {alike[0].incomparable}", style="dim")


def _first_of(places: Sequence[str]) -> str:
    return places[0] + (f" and {len(places) - 1} more" if len(places) > 1 else "")


def measured(measurements: Sequence[Measurement]) -> Iterator[Table]:
    """One row a value, as `evalsuite measure` prints them."""
    table = Table(box=box.SIMPLE_HEAD)
    for column in ("metric", "value", "interval", "n", "extractor"):
        table.add_column(column, justify="right" if column in ("value", "n") else "left")
    for one in measurements:
        scale = scale_for(one.unit, Family.MEAN, [one.value])
        # As many digits as people compare with what other tools print, even where the interval bears fewer.
        digits = max(decimals(one.value, bound, scale.divisor) for bound in (None, one.interval))
        arrow = ARROWS[{True: "higher", False: "lower", None: ""}[one.higher_is_better]]
        unit = f" ({scale.unit})" if scale.unit else ""
        value, interval = number(one.value / scale.divisor, digits), bounds(one.interval, digits, scale.divisor)
        table.add_row(*map(Text, (f"{one.name}{arrow}{unit}", value, interval, str(one.n), one.extractor or "")))
    if measurements:
        yield table


def absences(missing: Sequence[Missing]) -> Iterator[Text]:
    """Why there is no number, one line a reason."""
    for absence in cells.absences_of(missing):
        style = "red" if absence.kind == "failed" else "dim"
        yield Text.assemble(
            (absence.kind, style), f": {', '.join(absence.titles)} of {_first_of(absence.cells)}: {absence.text}"
        )


def planned(plan: Plan, costs: Sequence[Cost]) -> Iterator[Table | Text]:
    """The cases of a plan with their costs, and what is known not to run."""
    table = Table(box=box.SIMPLE_HEAD)
    for column in ("case", "samples", "cached", "disk", "time", "memory"):
        table.add_column(column, justify="left" if column == "case" else "right")
    for cost in costs:
        if cost.num_samples:
            disk, seconds = _known(cost.bytes, size), _known(cost.seconds, duration)
            memory = _known(cost.memory_bytes, size)
            table.add_row(Text(cost.case_key), str(cost.num_samples), str(cost.num_cached), disk, seconds, memory)
    table.add_section()
    all_bytes, all_seconds = total(cost.bytes for cost in costs), total(cost.seconds for cost in costs)
    samples, cached = sum(cost.num_samples for cost in costs), sum(cost.num_cached for cost in costs)
    table.add_row("all", str(samples), str(cached), _known(all_bytes, size), _known(all_seconds, duration))
    yield table
    subsets = sum(not cost.num_samples for cost in costs)
    if subsets:
        yield Text(f"and {subsets} subset slices, which re-use these samples")
    if all_seconds is None:
        yield Text("times and memory are known after a first run, which measures each model")
    yield from absences(plan.missing)


def lacking(downloads: Sequence[Download], extractors: Sequence[str]) -> Iterator[Text]:
    """What a run downloads before it starts, and what it does without."""
    for download in downloads:
        yield Text(f"downloaded first: {download.name}, size {_known(download.bytes, size)}")
    for reason in extractors:
        yield Text(f"unavailable: {reason}", style="dim")


def powers(gates: Sequence[GatePower], num_samples: int) -> Iterator[Table | Text]:
    """What each gate can decide, and the samples that its margin asks for."""
    if not gates:
        return
    table = Table(title=f"what gates can decide with {num_samples} samples", title_justify="left", box=box.SIMPLE_HEAD)
    for column in ("gate", "smallest effect", "margin leaves", "needs", "known from"):
        table.add_column(column, justify="left" if column in ("gate", "known from") else "right")
    for gate in gates:
        effect, room = (_distance(gate, distance) for distance in (gate.effect, gate.room))
        style = "yellow" if gate.decidable is False else ""
        needed = "" if gate.needed is None else f"{gate.needed}"
        table.add_row(*map(Text, (gate.gate, effect, room, needed, gate.source or gate.unknown)), style=style)
    yield table
    yield Text(
        "The smallest effect is how far the truth must lie from a gate's bound to be decided in 4 of 5 runs; a student "
        "that equals its teacher lies as far from it as the margin leaves.",
        style="dim",
    )
    if any(gate.effect is None and not gate.source for gate in gates):
        yield Text("it is known after a first run, or after a fifth of one: evalsuite plan SUITE --pilot", style="dim")


def _distance(gate: GatePower, distance: float | None) -> str:
    if distance is None:
        return "unknown" if gate.effect is None else ""
    return f"x {distance:.4g}" if gate.scale == "ratio" else quantity(distance, gate.unit)


def _known(value: float | None, wording: Callable[[float], str]) -> str:
    return "unknown" if value is None else wording(value)
