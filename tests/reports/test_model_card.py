"""The model card: its metadata as the Hub reads it, its sections, what it leaves to the authors, and hostile texts."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
import yaml
from huggingface_hub import ModelCard as HubCard
from huggingface_hub import parse_eval_result_entries

from evalsuite.reports.contract import ReportInputs
from evalsuite.reports.model_card import TO_WRITE, ModelCard
from tests.reports.hostile import TEXTS, hostile_inputs

SECTIONS = [
    "Model details", "Intended use", "Data", "Metrics", "Slices", "Limitations", "Compute", "Provenance",
    "Mapping to the NIST AI RMF",
]  # fmt: skip


@pytest.fixture(scope="module")
def card(inputs: ReportInputs) -> str:
    return ModelCard().render(inputs)["model_card/narrow.md"].decode()


def test_every_measured_model_has_a_card(inputs: ReportInputs) -> None:
    names = ["teacher", "student-4step", "student-1step", "narrow"]
    assert list(ModelCard().render(inputs)) == [f"model_card/{name}.md" for name in names]


def test_the_hub_reads_its_results(card: str) -> None:
    data = HubCard(card).data
    assert data.license == "apache-2.0"
    assert data.pipeline_tag == "unconditional-image-generation"
    results = {result.metric_name: result for result in data.eval_results}
    assert results["FID"].metric_value == pytest.approx(19.1, abs=1)
    assert results["FID"].dataset_name == "fashion-mnist"
    assert results["FID"].metric_args["interval"]["level"] == 0.95
    assert "Latency p50" not in results  # INVALID


def test_the_source_is_named_with_its_address_only(inputs: ReportInputs) -> None:
    linked = replace(inputs, link="https://example.org/report")
    data = HubCard(ModelCard().render(linked)["model_card/teacher.md"].decode()).data
    assert {result.source_url for result in data.eval_results} == {"https://example.org/report"}


def benchmarked(inputs: ReportInputs, **more: str | None) -> ReportInputs:
    benchmarks = [
        {"dataset": "someone/fashion", "task_id": task, "metric": metric, "target": None, **more}
        for task, metric in (("quality", "fid"), ("speed", "latency_p50"))
    ]
    suite = {**inputs.record.suite, "report": {"benchmarks": benchmarks}}
    return replace(inputs, record=inputs.record.model_copy(update={"suite": suite}))


def test_results_for_benchmarks_are_written_where_the_suite_names_them(inputs: ReportInputs) -> None:
    linked = replace(benchmarked(inputs), link="https://example.org/report")
    files = ModelCard().render(linked)
    quality, speed = parse_eval_result_entries(yaml.safe_load(files["model_card/teacher.eval_results.yaml"]))
    fid = next(m for m in inputs.record.measurements if (m.name, m.model, m.slice) == ("fid", "teacher", "all"))
    assert (quality.dataset_id, quality.task_id, quality.value) == ("someone/fashion", "quality", fid.value)
    assert (quality.date, quality.source_url) == ("2025-03-04", "https://example.org/report")
    assert quality.notes.startswith("fid, n = 1000, 95% interval [")
    assert speed.notes.startswith("latency_p50 [s], n = 96")
    (only,) = yaml.safe_load(files["model_card/narrow.eval_results.yaml"])  # its latency is INVALID
    assert only["dataset"]["task_id"] == "quality"


@pytest.mark.parametrize("more", [{"target": "cuda"}, {"metric": "kid-2"}])
def test_without_a_value_there_is_no_result(inputs: ReportInputs, more: dict[str, str]) -> None:
    assert not [name for name in ModelCard().render(benchmarked(inputs, **more)) if "eval_results" in name]


def test_sections_come_in_order(card: str) -> None:
    assert [line.removeprefix("## ") for line in card.splitlines() if line.startswith("## ")] == SECTIONS


def test_it_says_what_the_run_knows(card: str) -> None:
    assert "| FID ↓ |" in card
    assert "INVALID" in card
    assert "rounds drift by 14 %" in card
    assert "the worst and best slice" in card.lower()
    assert "- gate class" in card
    assert "evalsuite run suites/quickstart.yaml" in card


def test_what_only_people_know_is_left_to_them(card: str) -> None:
    assert card.count(TO_WRITE) == 5
    for section in ("Intended use", "Data", "Limitations", "Compute"):
        text = card.split(f"## {section}\n")[1].split("\n## ")[0]
        assert TO_WRITE in text


def test_the_risk_mapping_admits_what_was_not_measured(card: str) -> None:
    assert "| MEASURE 2.6 | safety evaluated | nothing in this run |" in card
    assert "| MEASURE 2.5 | validity and reliability, and limits of generalising | 12 slices" in card


def test_a_teacher_alone_needs_no_difference(inputs: ReportInputs) -> None:
    cells = [m for m in inputs.record.measurements if m.model == "teacher"][:1]
    bare = inputs.record.model_copy(update={"measurements": cells, "missing": [], "provenance": {}})
    (card,) = ModelCard().render(replace(inputs, record=bare, comparisons=[], verdicts=[], command="")).values()
    assert b"nothing was missing" in card
    assert b"No slices were measured" in card
    assert b"no speed, memory or energy was measured" in card


def test_hostile_names_make_neither_files_nor_markup(inputs: ReportInputs) -> None:
    cards = ModelCard().render(hostile_inputs(inputs))
    assert len(cards) == len(TEXTS)
    for name, content in cards.items():
        assert all(character.isalnum() or character in "-._/" for character in name)
        text = content.decode()
        _, front, body = text.split("---\n", 2)
        assert yaml.safe_load(front)["model-index"]
        assert not re.search(r"(?<!\\)<(script|img|a)", re.sub(r"`[^\n]*`", "", body))
        assert "\u202e" not in text
        assert "\n@" not in body
