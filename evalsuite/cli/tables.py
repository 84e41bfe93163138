"""A run on one screen: models beside each other, students' differences to the teacher, the gates' verdicts."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import chain

from rich import box
from rich.table import Table
from rich.text import Text

from evalsuite.cli.wording import compared, duration, measured, size
from evalsuite.records import Comparison, Identity, Measurement, Missing, Plan, RunRecord, Verdict
from evalsuite.run.estimate import Cost, total

OUTCOME_STYLES = {
    "pass": "green",
    "fail": "bold red",
    "inconclusive": "yellow",
    "incomparable": "red",
    "missing": "red",
}
_ARROWS = {True: " ↑", False: " ↓", None: ""}


def summary(record: RunRecord, comparisons: Sequence[Comparison]) -> Iterator[Table]:
    """One table a target: metrics down, models across; below a student's value its difference to the teacher."""
    differences = {c.terms[0].identity: c for c in comparisons if c.terms}
    for target in record.suite["targets"]:
        every: Iterator[Measurement | Missing] = chain(record.measurements, record.missing)
        cells = [cell for cell in every if cell.target == target and cell.slice == "all"]
        if cells:
            yield _target_table(target, cells, differences)


def _target_table(
    target: str, cells: Sequence[Measurement | Missing], differences: dict[Identity, Comparison]
) -> Table:
    models = list(dict.fromkeys(cell.model for cell in cells))
    table = Table(title=f"on {target}", title_justify="left", box=box.SIMPLE_HEAD, show_lines=False)
    table.add_column("metric")
    for model in models:
        table.add_column(model)
    for name in dict.fromkeys(cell.name for cell in cells):
        row = {cell.model: cell for cell in cells if cell.name == name}
        directions = [cell.higher_is_better for cell in row.values() if isinstance(cell, Measurement)]
        label = name + _ARROWS[directions[0] if directions else None]
        table.add_row(label, *(_cell(row.get(model), differences) for model in models))
    return table


def _cell(cell: Measurement | Missing | None, differences: dict[Identity, Comparison]) -> Text:
    text = Text(measured(cell), style="dim" if isinstance(cell, Missing) else "")
    difference = differences.get(cell.identity) if cell is not None else None
    if difference is not None and difference.value is not None:
        text.append(f"\n{compared(difference)}", style=_judged(difference.better))
    return text


def _judged(better: bool | None) -> str:
    return {True: "green", False: "red", None: "dim"}[better]


def gates(verdicts: Sequence[Verdict]) -> Iterator[Text]:
    """One line a gate."""
    for verdict in verdicts:
        line = Text.assemble((f"{verdict.outcome:<12}", OUTCOME_STYLES[verdict.outcome]), f" {verdict.gate}")
        line.append(f"\n             {verdict.reason}", style="dim")
        yield line


def differences(comparisons: Sequence[Comparison]) -> Table:
    """One row a comparison, as `evalsuite compare` prints them."""
    table = Table(box=box.SIMPLE_HEAD)
    for column in ("metric", "of", "against", "difference or ratio", "p", "q", "note"):
        table.add_column(column)
    for comparison in comparisons:
        sides = [term.identity.case_key for term in comparison.terms]
        numbers = (comparison.p_value, comparison.q_value)
        table.add_row(
            comparison.name,
            Text(sides[0] if sides else ""),
            Text(sides[-1] if len(sides) > 1 else ""),
            Text(compared(comparison), style=_judged(comparison.better)),
            *("" if value is None else f"{value:.2g}" for value in numbers),
            Text(comparison.note),
        )
    return table


def absences(missing: Sequence[Missing]) -> Iterator[Text]:
    """Why there is no number, one line a reason."""
    by_reason: dict[tuple[str, str], list[str]] = {}
    for cell in missing:
        by_reason.setdefault((cell.kind, cell.reason), []).append(f"{cell.name} of {cell.case_key}")
    for (kind, reason), cells in sorted(by_reason.items()):
        more = f" and {len(cells) - 1} more" if len(cells) > 1 else ""
        yield Text.assemble((kind, "red" if kind == "failed" else "dim"), f": {cells[0]}{more}: {reason}")


def planned(plan: Plan, costs: Sequence[Cost]) -> Iterator[Table | Text]:
    """The cases of a plan with their costs, and what is known not to run."""
    table = Table(box=box.SIMPLE_HEAD)
    for column in ("case", "samples", "disk", "time"):
        table.add_column(column, justify="left" if column == "case" else "right")
    for cost in costs:
        if cost.num_samples:
            table.add_row(
                Text(cost.case_key), str(cost.num_samples), _known(cost.bytes, size), _known(cost.seconds, duration)
            )
    table.add_section()
    disk, seconds = total(cost.bytes for cost in costs), total(cost.seconds for cost in costs)
    table.add_row("all", str(sum(cost.num_samples for cost in costs)), _known(disk, size), _known(seconds, duration))
    yield table
    subsets = sum(not cost.num_samples for cost in costs)
    if subsets:
        yield Text(f"and {subsets} subset slices, which re-use these samples")
    if seconds is None:
        yield Text("times are known after a first run, which times each model")
    yield from absences(plan.missing)


def _known(value: float | None, wording: Callable[[float], str]) -> str:
    return "unknown" if value is None else wording(value)
