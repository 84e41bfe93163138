"""What the Hugging Face Hub reads of results: a model card's front matter, and the files for its benchmarks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from evalsuite.records import Measurement, RunRecord
from evalsuite.reports._format import metric_title, plain
from evalsuite.reports._models import Model, slug
from evalsuite.reports.contract import ReportInputs

PIPELINES = {
    "unconditional": "unconditional-image-generation",
    "class_conditional": "unconditional-image-generation",
    "text_to_image": "text-to-image",
    "image_to_image": "image-to-image",
}
"""By task, what the Hub calls it; it has no name for images of a class."""

LICENCES = {"apache-2.0", "mit", "bsd-3-clause", "cc-by-4.0", "cc0-1.0", "openrail", "openrail++"}
"""Of which a record's text alone tells the Hub's identifier; others stand in the text of the card only."""


def facts_of(model: Model, record: RunRecord) -> dict[str, Any]:
    """What the run noted of the model."""
    found = (record.provenance.get("models") or {}).get(model.name)
    return found if isinstance(found, dict) else {}


def front_matter(model: Model, own: Sequence[Measurement], inputs: ReportInputs) -> dict[str, Any]:
    """The metadata that the Hub reads; fields that the run does not know are left out."""
    licence = str(facts_of(model, inputs.record).get("licence", "")).lower()
    task = str(inputs.record.suite.get("task", ""))
    content: dict[str, Any] = {"license": licence} if licence in LICENCES else {}
    if task in PIPELINES:
        content["pipeline_tag"] = PIPELINES[task]
    content["tags"] = ["diffusion", "evalsuite"]
    content["metrics"] = list(dict.fromkeys(plain(m.metric) for m in own))
    content["model-index"] = [{"name": plain(model.name), "results": list(_results(own, inputs))}]
    return content


def _results(own: Sequence[Measurement], inputs: ReportInputs) -> Iterator[dict[str, Any]]:
    """One a target, over all samples; values whose protocol was broken are left out."""
    suite = inputs.record.suite
    task, reference = str(suite.get("task", "")), suite.get("reference") or {}
    dataset, settings = plain(str(reference.get("dataset", "none"))), reference.get("settings") or {}
    split = {"split": plain(str(settings["split"]))} if "split" in settings else {}
    # The Hub takes the name of a source only with its address.
    source = {"source": {"name": "evalsuite", "url": inputs.link}} if inputs.link else {}
    for target in dict.fromkeys(m.target for m in own):
        cells = [m for m in own if m.target == target and m.slice == "all" and not m.invalid]
        if cells:
            yield {
                "task": {"type": PIPELINES.get(task, "image-generation"), "name": plain(task.replace("_", " "))},
                "dataset": {"type": slug(dataset), "name": dataset, **split},
                "metrics": [_result(m) for m in cells],
                **source,
            }


def _result(cell: Measurement) -> dict[str, Any]:
    known: dict[str, Any] = {"target": plain(cell.target), "n": cell.n, "unit": cell.unit}
    if cell.interval:
        known["interval"] = {"low": cell.interval.low, "high": cell.interval.high, "level": cell.interval.level}
    return {
        "type": plain(cell.metric),
        "name": plain(metric_title(cell.name, cell.metric)),
        "value": cell.value,
        "args": {key: value for key, value in known.items() if value != ""},
    }


def eval_results(model: Model, inputs: ReportInputs) -> Iterator[dict[str, Any]]:
    """Entries of an ``.eval_results`` file: of each benchmark that the suite names, the model's value over all samples.

    What it has no value for, or an INVALID one, is left out.
    """
    record = inputs.record
    cells = [m for m in record.measurements if m.model == model.name and m.slice == "all" and not m.invalid]
    for benchmark in (record.suite.get("report") or {}).get("benchmarks", ()):
        wanted = [m for m in cells if m.name == benchmark["metric"] and benchmark["target"] in (None, m.target)]
        for m in wanted[:1]:
            interval = (
                f", {m.interval.level:.0%} interval [{m.interval.low:.6g}, {m.interval.high:.6g}]" if m.interval else ""
            )
            yield {
                "dataset": {"id": benchmark["dataset"], "task_id": benchmark["task_id"]},
                "value": m.value,
                **({"date": date} if (date := str(record.provenance.get("finished") or "")[:10]) else {}),
                **({"source": {"url": inputs.link, "name": "evalsuite"}} if inputs.link else {}),
                "notes": plain(f"{m.name}{f' [{m.unit}]' if m.unit else ''}, n = {m.n}{interval}, target {m.target}"),
            }
