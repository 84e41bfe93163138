"""What stands in the comparison table, and what is significant."""

from __future__ import annotations

from dataclasses import replace

import pytest

from evalsuite.records import Comparison, Interval
from evalsuite.reports._format import Scale
from evalsuite.reports._tables import Mark, absences_of, difference_texts, main_tables, mark_of, warnings_of
from evalsuite.reports.contract import ReportInputs
from tests.compare.inputs import missing, of_count
from tests.reports import synthetic


def test_groups_and_rows_follow_the_suite(inputs: ReportInputs) -> None:
    (table,) = main_tables(inputs)
    rows = {title: [row.label for row in rows] for title, _, rows in table.groups}
    assert rows["Quality"][:3] == ["fid", "fid_debiased", "kid"]
    assert rows["Fidelity to the teacher"] == ["psnr", "ssim"]
    assert rows["Speed and memory"] == ["latency_p50", "latency_p90", "throughput", "peak_memory"]


def test_a_model_has_a_column_where_it_runs_and_nowhere_else(inputs: ReportInputs) -> None:
    (before,) = main_tables(inputs)
    moved = {
        kind: [
            cell.model_copy(update={"target": "edge"}) if cell.model == "narrow" else cell
            for cell in getattr(inputs.record, kind)
        ]
        for kind in ("measurements", "missing")
    }
    first, second = main_tables(replace(inputs, record=inputs.record.model_copy(update=moved)))
    assert [model.name for model in first.models] == [m.name for m in before.models if m.name != "narrow"]
    assert (second.target, [model.name for model in second.models]) == ("edge", ["narrow"])
    for table in (first, second):
        assert all(len(row.entries) == len(table.models) for _, _, rows in table.groups for row in rows)


def test_what_has_no_value_anywhere_goes_by_what_it_is_compared_with(inputs: ReportInputs) -> None:
    against = {"psnr": "teacher@cpu/all", "fid": "reference", "latency_p50": "none"}
    absent = [
        synthetic.missing(name, "narrow", "all", "killed", "failed").model_copy(update={"against": other})
        for name, other in against.items()
    ]
    record = inputs.record.model_copy(update={"measurements": [], "missing": absent})
    (table,) = main_tables(replace(inputs, record=record, comparisons=[]))
    assert {title: [row.label for row in rows] for title, _, rows in table.groups} == {
        "Quality": ["fid"], "Fidelity to the teacher": ["psnr"], "Speed and memory": ["latency_p50"],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("better", "p_value", "q_value", "mark"),
    [
        (True, 0.001, 0.01, "better"),
        (False, 0.001, None, "worse"),
        (False, 0.04, 0.2, "same"),
        (None, 0.4, None, "same"),
        (True, None, None, "better"),
        (None, None, None, "unjudged"),
    ],
)
def test_marks_need_significance_after_correction(
    better: bool | None, p_value: float | None, q_value: float | None, mark: Mark
) -> None:
    comparison = Comparison(name="fid", terms=[], value=1.0, better=better, p_value=p_value, q_value=q_value)
    assert mark_of(comparison) == mark


@pytest.mark.parametrize(
    ("ratio", "text"), [(1.0, "×1"), (3741480 / 3741424, "×1.000015"), (0.125, "×0.1250"), (2.0, "×2")]
)
def test_exact_numbers_that_differ_do_not_look_equal(ratio: float, text: str) -> None:
    exact = Interval(low=ratio, high=ratio, level=0.95, method="exact count")
    comparison = Comparison(name="model_size", terms=[], value=ratio, scale="ratio", interval=exact)
    assert difference_texts(comparison, Scale())[0] == text


def test_no_value_is_not_judged() -> None:
    assert mark_of(None) == "unjudged"
    assert mark_of(Comparison(name="fid", terms=[], incomparable="protocol.n")) == "unjudged"
    assert mark_of(Comparison(name="latency", terms=[], value=1.0, invalid="too few rounds")) == "unjudged"


def test_invalid_timings_are_marked_and_decide_nothing(inputs: ReportInputs) -> None:
    (table,) = main_tables(inputs)
    rows = {row.label: row for _, _, rows in table.groups for row in rows}
    assert [entry.invalid for entry in rows["latency_p50"].entries] == [False, False, False, True]
    assert [entry.mark for entry in rows["latency_p50"].entries] == ["unjudged", "better", "better", "unjudged"]
    assert rows["fid"].entries[3].mark == "worse"


def test_protocol_lists_what_made_the_numbers(inputs: ReportInputs) -> None:
    (table,) = main_tables(inputs)
    protocol = dict(table.groups[0][2][0].protocol)
    assert protocol["n"] == "1000"
    assert protocol["extractor"] == "fashion-cnn"
    assert protocol["interval"] == "95%, delete-group jackknife, t(19)"


def test_one_note_for_the_same_reason_of_several_models(inputs: ReportInputs) -> None:
    unlike = [
        Comparison(name="fid", terms=synthetic.comparison("fid", m).terms, incomparable=f"{m}@cpu/all: too few groups")
        for m in ("narrow", "student-1step")
    ]
    (table,) = main_tables(replace(inputs, comparisons=unlike))
    assert [note for note in table.notes if "too few" in note] == ["no difference to the teacher: too few groups"]


def test_warnings_are_joined_by_their_text() -> None:
    shaky = [synthetic.measurement(n, "narrow").model_copy(update={"warning": "few samples"}) for n in ("fid", "kid")]
    (remark,) = warnings_of([*shaky, synthetic.measurement("recall", "narrow")])
    assert (remark.text, remark.titles, remark.cells) == ("few samples", ["FID", "KID"], ["narrow@cpu/all"])


def test_reasons_that_differ_in_numbers_alone_are_one() -> None:
    reasons = [
        "needs 320 samples, has 40 and 0.5",
        "needs 320 samples, has 9 and 0.5",
        "class=3 of student-4step failed",
    ]
    cells = [
        missing("fid", slice=f"class={place}").model_copy(update={"reason": why}) for place, why in enumerate(reasons)
    ]
    found = {remark.text: len(remark.cells) for remark in absences_of(cells)}
    assert found == {"needs 320 samples, has 9 to 40 and 0.5": 2, "class=3 of student-4step failed": 1}


def test_failures_come_before_what_was_skipped() -> None:
    cells = [
        synthetic.missing("fid", "narrow", "all", "b"),
        synthetic.missing("kid", "narrow", "all", "b"),
        synthetic.missing("fid", "teacher", "all", "a", "failed"),
    ]
    found = absences_of(cells)
    assert [(absence.kind, absence.titles) for absence in found] == [("failed", ["FID"]), ("skipped", ["FID", "KID"])]


def test_counts_are_exact_and_what_no_machine_could_time_is_no_quality(inputs: ReportInputs) -> None:
    energy = [missing("energy", against="none", kind="unavailable")]
    record = inputs.record.model_copy(update={"measurements": [of_count(1_866_180.0)], "missing": energy})
    (table,) = main_tables(replace(inputs, record=record, comparisons=()))
    ((group, _, rows),) = table.groups
    assert (group, [row.label for row in rows]) == ("Speed and memory", ["energy", "num_parameters"])
    (entry,) = [entry for entry in rows[1].entries if not entry.absent]
    assert (entry.value, entry.interval, rows[1].unit) == ("1.866", "exact", "million")
