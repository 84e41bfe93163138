"""Report format ``model_card``: a card a model, as the Hugging Face Hub reads them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import yaml

from evalsuite.records import Measurement, Missing, RunRecord
from evalsuite.reports._format import condition, metric_title
from evalsuite.reports._model_index import eval_results, facts_of, front_matter
from evalsuite.reports._models import Model, models, slug
from evalsuite.reports._risks import MEASURE
from evalsuite.reports._tables import MARK_SIGNS, Index, Notes, Row, absences_of, groups_by_name, row, warnings_of
from evalsuite.reports.contract import ReportInputs
from evalsuite.reports.markdown import code, escaped, grid

TO_WRITE = "*To be written by the model's authors.*"
"""Stands wherever only a person can say what is true."""


class ModelCard:
    """``model_card/NAME.md`` for each model that was measured, with ``model-index`` in its front matter; and
    ``NAME.eval_results.yaml`` where the suite names benchmarks of the Hub that the model has a value for.

    It states what the run knows, and marks what only the authors can say. Texts of the run are escaped.
    """

    def render(self, inputs: ReportInputs) -> Mapping[str, bytes]:
        measured = {m.model for m in inputs.record.measurements}
        shown = [model for model in models(inputs.record) if model.name in measured]
        index = Index.of(inputs)
        files = {}
        for model, name in zip(shown, _names(shown), strict=True):
            files[f"model_card/{name}.md"] = _card(model, inputs, index)
            if results := list(eval_results(model, inputs)):
                files[f"model_card/{name}.eval_results.yaml"] = yaml.safe_dump(results, sort_keys=False).encode()
        return files


def _names(shown: Sequence[Model]) -> Iterator[str]:
    """A file name a model: its own as far as files allow, numbered where two would be the same."""
    taken: set[str] = set()
    for model in shown:
        name = model.name if re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,60}", model.name) else slug(model.name)
        name = next(n for n in (name, *(f"{name}-{i}" for i in range(2, len(shown) + 2))) if n.lower() not in taken)
        taken.add(name.lower())
        yield name


def _card(model: Model, inputs: ReportInputs, index: Index) -> bytes:
    record = inputs.record
    own = [m for m in record.measurements if m.model == model.name]
    lines = [
        "---", yaml.safe_dump(front_matter(model, own, inputs), sort_keys=False, allow_unicode=False).rstrip(), "---",
        "", f"# {escaped(model.name)}", "",
        *_details(model, record), *_use(), *_data(record), *_metrics(model, own, inputs, index),
        *_slices(model, own, index), *_limitations(model, inputs), *_compute(model, own, index),
        *_provenance(model, inputs), *_risks(model, inputs),
    ]  # fmt: skip
    return ("\n".join(lines).rstrip() + "\n").encode()


def _section(title: str, *lines: str) -> Iterator[str]:
    yield f"## {title}"
    yield ""
    yield from lines
    yield ""


def _listed(rows: Sequence[tuple[str, Any]]) -> list[str]:
    return [f"- {escaped(key)}: {escaped(str(value))}" for key, value in rows if value not in (None, "", [], {})]


def _details(model: Model, record: RunRecord) -> Iterator[str]:
    facts, declared = facts_of(model, record), (record.suite.get("models") or {}).get(model.name) or {}
    rows = [
        ("role in this evaluation", model.role),
        ("adapter", declared.get("adapter")),
        *((f"setting {key}", value) for key, value in (declared.get("settings") or {}).items()),
        *((key.replace("_", " "), value) for key, value in facts.items() if key not in ("fingerprint", "sha256")),
    ]
    yield from _section(
        "Model details", *_listed(rows), "", f"Developers, version and date, papers, contact: {TO_WRITE}"
    )


def _use() -> Iterator[str]:
    yield from _section("Intended use", f"Intended uses and users, and uses out of scope: {TO_WRITE}")


def _data(record: RunRecord) -> Iterator[str]:
    lines = [f"Training data: {TO_WRITE}", "", "Evaluation data, as the run recorded it:", ""]
    for kind in ("datasets", "inputs", "prompts"):
        for name, facts in (record.provenance.get(kind) or {}).items():
            shown = {key: value for key, value in (facts or {}).items() if key != "classes"}
            lines.append(
                f"- **{escaped(str(name))}** ({kind}): "
                + "; ".join(f"{escaped(k)} {escaped(str(v))}" for k, v in shown.items())
            )
    if lines[-1] == "":
        lines.append("- none")
    yield from _section("Data", *lines)


def _rows(model: Model, target: str, slice_id: str, inputs: ReportInputs, index: Index) -> list[Row]:
    groups, notes = groups_by_name(inputs), Notes()
    found = [row(name, target, slice_id, group, index, notes) for name, group in groups.items()]
    position = index.models.index(model)
    return [one for one in found if one and not one.entries[position].absent]


def _metrics(model: Model, own: Sequence[Measurement], inputs: ReportInputs, index: Index) -> Iterator[str]:
    yield from _section(
        "Metrics",
        "Values with their intervals, and the difference to the teacher where there is one: ▲ better and ▼ worse hold "
        "beyond chance, ≈ is no difference found; ↑ higher is better, ↓ lower is better.",
    )
    position = index.models.index(model)
    for target in dict.fromkeys(m.target for m in own):
        yield f"### On target {escaped(target)}"
        yield ""
        body = []
        for one in _rows(model, target, "all", inputs, index):
            entry, arrow = one.entries[position], {"higher": " ↑", "lower": " ↓", "": ""}[one.direction]
            difference = f"{MARK_SIGNS[entry.mark]} {escaped(entry.difference)} {entry.difference_interval}".strip()
            body.append([
                f"{escaped(one.title)}{arrow}{f' {escaped(one.unit)}' if one.unit else ''}",
                f"{entry.value}{' INVALID' if entry.invalid else ''}", entry.interval or "no interval",
                difference if entry.difference else "",
            ])  # fmt: skip
        yield from grid(["Metric", "Value", "Interval", "Difference to the teacher"], body)


def _slices(model: Model, own: Sequence[Measurement], index: Index) -> Iterator[str]:
    """For each metric the worst and the best slice; the report has all of them."""
    groups: dict[tuple[str, str], list[Measurement]] = {}
    for m in own:
        if m.slice != "all" and m.higher_is_better is not None:
            groups.setdefault((m.name, m.target), []).append(m)
    if not groups:
        yield from _section("Slices", "No slices were measured.")
        return
    body = []
    for (name, target), cells in groups.items():
        ordered = sorted(cells, key=lambda m: m.value * (1 if m.higher_is_better else -1))
        ends = [_slice_text(m, index) for m in (ordered[0], ordered[-1])]
        body.append([escaped(metric_title(name, cells[0].metric)), escaped(target), str(len(cells)), *ends])
    yield from _section("Slices", "The worst and best slice by value; the report of the run has every slice.", "")
    yield from grid(["Metric", "Target", "Slices", "Worst", "Best"], body)


def _slice_text(cell: Measurement, index: Index) -> str:
    notes = Notes()
    model = next(model for model in index.models if model.name == cell.model)
    found = row(cell.name, cell.target, cell.slice, "Quality", index, notes)
    assert found is not None
    entry = found.entries[index.models.index(model)]
    return f"{escaped(condition(cell.slice).removeprefix('Slice '))}: {entry.value} {entry.interval}".rstrip()


def _limitations(model: Model, inputs: ReportInputs) -> Iterator[str]:
    record = inputs.record
    absent: list[Missing] = [cell for cell in record.missing if cell.model == model.name]
    own = [m for m in record.measurements if m.model == model.name]
    lines = [f"- {one.kind}: {', '.join(map(escaped, one.titles))}: {escaped(one.text)}" for one in absences_of(absent)]
    lines += [f"- {', '.join(map(escaped, one.titles))}: {escaped(one.text)}" for one in warnings_of(own)]
    lines += [f"- {escaped(m.name)} on {escaped(m.target)} is INVALID: {escaped(m.invalid)}" for m in own if m.invalid]
    lines += [f"- {f.severity}: {escaped(f.evidence)}" for f in record.findings if _concerns(f.case_key, model)]
    gates = [v for v in inputs.verdicts if re.search(rf"(?<![\w.-]){re.escape(model.name)}(?![\w.-])", v.gate)]
    lines += [f"- gate {escaped(v.gate)}: {v.outcome}. {escaped(v.reason)}" for v in gates if v.outcome != "pass"]
    yield from _section(
        "Limitations", "What this evaluation could not show, or showed against the model:", "",
        *(lines or ["- nothing was missing, invalid or warned of"]), "",
        f"Known biases, risks and recommendations: {TO_WRITE}",
    )  # fmt: skip


def _concerns(case_key: str | None, model: Model) -> bool:
    return case_key is None or case_key.startswith(f"{model.name}@")


def _compute(model: Model, own: Sequence[Measurement], index: Index) -> Iterator[str]:
    position, rows = index.models.index(model), []
    for m in own:
        if m.profiled and m.slice == "all":
            found = row(m.name, m.target, "all", "Speed and memory", index, Notes())
            assert found is not None
            entry = found.entries[position]
            rows.append((f"{found.title} on {m.target}", f"{entry.value} {entry.interval} {found.unit}".strip()))
    lines = _listed(rows) or ["- no speed, memory or energy was measured"]
    yield from _section("Compute", *lines, "", f"Hardware, time and emissions of the training: {TO_WRITE}")


def _provenance(model: Model, inputs: ReportInputs) -> Iterator[str]:
    record, facts = inputs.record, facts_of(model, inputs.record)
    rows = [
        ("fingerprint of the model", facts.get("fingerprint")), ("SHA-256 of the weights", facts.get("sha256")),
        ("suite", record.suite.get("suite")), ("suite_hash", record.suite_hash), ("content_hash", record.content_hash),
        ("ended", record.provenance.get("finished")), ("code", (record.provenance.get("code") or {}).get("commit")),
    ]  # fmt: skip
    command = [f"Made again by: {code(inputs.command)}", ""] if inputs.command else []
    lines = [f"- {escaped(key)}: {code(str(value))}" for key, value in rows if value]
    yield from _section("Provenance", *command, *lines)


def _risks(model: Model, inputs: ReportInputs) -> Iterator[str]:
    """Each function of MEASURE with what the run has for it, or that it has nothing."""
    yield from _section(
        "Mapping to the NIST AI RMF",
        "What this run contributes to the function MEASURE of the AI Risk Management Framework 1.0. It is evidence for "
        "an assessment, not the assessment.",
    )
    body = [[one.number, one.asks, one.found(model.name, inputs) or "nothing in this run"] for one in MEASURE]
    yield from grid(["Subcategory", "Asks for", "In this run"], [[a, escaped(b), escaped(c)] for a, b, c in body])
