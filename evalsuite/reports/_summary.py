"""The verdict in one sentence, and what each student gives and takes at a glance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from evalsuite.records import Measurement, Verdict
from evalsuite.reports._format import counted, metric_title, plain
from evalsuite.reports._models import Model, models, targets
from evalsuite.reports._tables import Index, Mark, difference_texts
from evalsuite.reports.contract import ReportInputs

Outcome = Literal["pass", "fail", "inconclusive", "incomparable", "missing"]
WORDS: dict[Outcome, str] = {
    "pass": "Pass", "fail": "Regression", "inconclusive": "Inconclusive", "incomparable": "Incomparable",
    "missing": "Incomplete",
}  # fmt: skip
URGENCY: tuple[Outcome, ...] = ("fail", "missing", "incomparable", "inconclusive", "pass")


@dataclass(frozen=True)
class Headline:
    """The verdict: an outcome (``none`` where nothing is judged), a word for it and a sentence."""

    outcome: Outcome | Literal["none"]
    word: str
    sentence: str


@dataclass(frozen=True)
class Figure:
    """One number of a student's card."""

    title: str
    value: str
    mark: Mark


def headline(inputs: ReportInputs) -> Headline:
    """The most urgent outcome of the gates, and what else the reader must know at once."""
    failed = sum(cell.kind == "failed" for cell in inputs.record.missing)
    broken = f" {counted(failed, 'cell')} of the run failed." if failed else ""
    verdicts = inputs.verdicts
    if not verdicts:
        if not inputs.record.measurements:
            return Headline("missing", "No results", f"Nothing was measured.{broken}")
        return Headline("none", "Not judged", f"This suite declares no gates, so nothing passes or fails.{broken}")
    worst = min((v.outcome for v in verdicts), key=URGENCY.index)
    if len(verdicts) == 1:
        return Headline(worst, WORDS[worst], plain(verdicts[0].reason) + broken)
    counts = [(outcome, sum(v.outcome == outcome for v in verdicts)) for outcome in URGENCY]
    phrases = {
        "pass": ("passes", "pass"), "fail": ("fails", "fail"), "inconclusive": ("is undecided", "are undecided"),
        "incomparable": ("cannot be compared", "cannot be compared"), "missing": ("lacks a number", "lack a number"),
    }  # fmt: skip
    if worst == "pass":
        return Headline(worst, WORDS[worst], f"All {len(verdicts)} gates pass.{broken}")
    parts = [f"{count} {phrases[outcome][count > 1]}" for outcome, count in counts if count]
    return Headline(worst, WORDS[worst], f"Of {len(verdicts)} gates, {_joined(parts)}.{broken}")


def _joined(parts: Sequence[str]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"


def cards(inputs: ReportInputs) -> list[tuple[Model, list[Figure]]]:
    """For each student, on the first target: quality and its prices against the teacher, where they were compared."""
    index = Index.of(inputs)
    target = next(iter(targets(inputs.record)), "")
    names = [inputs.tradeoffs.quality, *inputs.tradeoffs.prices]
    found = []
    for model in models(inputs.record):
        cells = [index.cells.get((name, model.name, target, "all")) for name in names]
        figures = [figure for cell in cells if isinstance(cell, Measurement) and (figure := _figure(cell, index))]
        if figures:
            found.append((model, figures))
    return found


def _figure(cell: Measurement, index: Index) -> Figure | None:
    comparison = index.comparison(cell)
    if comparison is None or comparison.value is None:
        return None
    text, _ = difference_texts(comparison, index.scale(cell))
    return Figure(metric_title(cell.name, cell.metric), text, index.mark(cell))


def gate_rows(verdicts: Sequence[Verdict]) -> list[tuple[Outcome, str, str, str]]:
    """Outcome, its word, gate and reason; the most urgent first."""
    ordered = sorted(verdicts, key=lambda v: URGENCY.index(v.outcome))
    return [(v.outcome, WORDS[v.outcome], plain(v.gate), plain(v.reason)) for v in ordered]
