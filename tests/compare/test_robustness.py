"""Tables of slices, on runs whose true differences are known."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.stats import false_discovery_control, ttest_rel

from evalsuite.compare.robustness import robustness
from evalsuite.records import Family, Measurement, Missing, Robustness, RunRecord, Slice, SliceRow
from tests.compare.inputs import measurement, of_samples, record

N = 60
SEVERITIES = (1, 2, 3)
FOG = [Slice(id=f"fog={s}", kind="corruption", varied=True, curve="fog", level=s, unchanged=0) for s in SEVERITIES]
BLUR = Slice(id="blur=1", kind="corruption", varied=True, curve="blur", level=1, unchanged=0)
BAGS = [Slice(id="class=bag", kind="attribute"), Slice(id="class=coat", kind="attribute")]


def noisy(level: float, seed: int) -> Any:
    draw = np.random.default_rng(seed)
    return level + np.random.default_rng(0).normal(size=N) + 0.1 * draw.normal(size=N)


def of(model: str, slice_id: str, values: Any, **fields: Any) -> Measurement:
    role = "teacher" if model == "teacher" else "student"
    return of_samples(values, model=model, role=role, slice=slice_id, against="ground_truth", **fields)


def foggy(loss: float = 2.0) -> list[Measurement]:
    """PSNR falls by 1 dB a severity for the teacher, by ``loss`` for the student."""
    cells = []
    for seed, (model, slope) in enumerate({"teacher": 1.0, "student": loss}.items()):
        cells += [of(model, "all", noisy(20, 10 * seed))]
        cells += [of(model, f"fog={s}", noisy(20 - slope * s, 10 * seed + s)) for s in SEVERITIES]
    return cells


def tables(cells: list[Any], slices: list[Slice]) -> Robustness:
    return robustness(record(*cells).model_copy(update={"slices": slices}))


def row_of(found: Robustness, model: str, slice_id: str) -> SliceRow:
    return next(row for row in found.rows if (row.model, row.slice) == (model, slice_id))


def test_what_a_slice_does_to_a_student_more_than_to_its_teacher() -> None:
    cells = foggy()
    row = row_of(tables(cells, FOG), "student", "fog=3")
    x = {cell.case_key.replace("@cpu", ""): cell.per_sample for cell in cells}
    assert row.shift.value == pytest.approx(-6, abs=0.1)
    assert row.gap is not None and row.gap.value == pytest.approx(-3, abs=0.1)
    assert row.excess is not None and row.excess.value == pytest.approx(-3, abs=0.1)
    ours, theirs = (x[f"{model}/fog=3"] - x[f"{model}/all"] for model in ("student", "teacher"))
    assert row.excess.p_value == pytest.approx(ttest_rel(ours, theirs).pvalue)
    assert (row.shift.better, row.excess.better, row.excess.paired) == (False, False, True)
    assert [term.coefficient for term in row.excess.terms] == [1, -1, -1, 1]


def test_a_teacher_has_shifts_alone() -> None:
    row = row_of(tables(foggy(), FOG), "teacher", "fog=2")
    assert row.shift.value == pytest.approx(-2, abs=0.1)
    assert row.gap is None and row.excess is None


def test_q_values_of_slices_that_share_samples_are_yekutielis() -> None:
    found = tables(foggy(1.01), FOG)
    excesses = [row.excess for row in found.rows if row.excess is not None]
    expected = false_discovery_control([one.p_value for one in excesses], method="by")
    assert [one.q_value for one in excesses] == pytest.approx(list(expected))


def by_class(model: str, bag: float, seed: int) -> list[Measurement]:
    values = noisy(10, seed)
    values[::2] += bag
    parts = {"class=bag": np.arange(0, N, 2), "class=coat": np.arange(1, N, 2)}
    whole = of(model, "all", values, protocol={"n": N})
    return [whole, *(of(model, name, values[ids], ids=ids, protocol={"n": 30}) for name, ids in parts.items())]


def test_q_values_of_disjoint_slices_are_hochbergs_and_a_part_is_compared_with_the_whole() -> None:
    found = tables([*by_class("teacher", 0, 1), *by_class("student", -1, 2)], BAGS)
    row = row_of(found, "student", "class=bag")
    assert row.excess is not None
    assert row.excess.value == pytest.approx(-0.5, abs=0.1)  # half of the samples are the slice itself
    excesses = [one.excess for one in found.rows if one.excess is not None]
    assert [one.q_value for one in excesses] == pytest.approx(
        list(false_discovery_control([one.p_value for one in excesses], method="bh"))
    )
    assert not found.curves and not found.relative


def test_the_worst_slice_has_the_largest_gap() -> None:
    found = tables([*by_class("teacher", 0, 1), *by_class("student", -1, 2)], BAGS)
    assert {row.model: row.slice for row in found.worst}["student"] == "class=bag"


def test_robustness_relative_to_the_teacher() -> None:
    (found,) = tables(foggy(2.0), FOG).relative
    assert (found.model, found.over, found.comparison.scale) == ("student", "fog", "ratio")
    assert found.comparison.value == pytest.approx(2, abs=0.05)
    interval = found.comparison.interval
    assert interval is not None and 1 < interval.low < 2 < interval.high
    assert found.comparison.better is False


def test_ratios_are_averaged_over_the_curves_of_a_kind() -> None:
    cells = [*foggy(2.0), of("teacher", "blur=1", noisy(19, 50)), of("student", "blur=1", noisy(16, 51))]
    ratios = {one.over: one.comparison.value for one in tables(cells, [*FOG, BLUR]).relative}
    assert ratios["blur"] == pytest.approx(4, abs=0.3)
    assert ratios["corruption"] == pytest.approx((ratios["fog"] + ratios["blur"]) / 2)


def test_curves_without_a_certain_loss_of_the_teacher_are_left_out_of_the_mean_and_named() -> None:
    cells = [*foggy(2.0), of("teacher", "blur=1", noisy(20, 50)), of("student", "blur=1", noisy(16, 51))]
    found = {one.over: one.comparison for one in tables(cells, [*FOG, BLUR]).relative}
    assert found["blur"].value is None
    assert found["corruption"].value == found["fog"].value
    assert found["corruption"].note == "without blur: the teacher may lose nothing there"


def test_no_ratio_to_a_loss_that_is_not_certain() -> None:
    cells = [cell.model_copy() for cell in foggy()]
    still = [of("teacher", f"fog={s}", noisy(20, 70 + s)) for s in SEVERITIES]
    kept = [cell for cell in cells if not (cell.model == "teacher" and cell.slice != "all")]
    (found,) = tables([*kept, *still], FOG).relative
    assert found.comparison.value is None
    assert "not certain that the teacher loses anything" in found.comparison.incomparable


def test_intervals_of_ratios_cover() -> None:
    covered = 0
    for repetition in range(200):
        cells = []
        for model, slope in {"teacher": 1.0, "student": 1.5}.items():
            for s in (0, 1):
                seed = 1000 * repetition + 10 * s + len(model)
                common = np.random.default_rng(repetition).normal(size=N)
                values = 20 - slope * s + common + np.random.default_rng(seed).normal(size=N) / 2
                cells.append(of(model, f"fog={s}" if s else "all", values))
        (found,) = tables(cells, FOG[:1]).relative
        interval = found.comparison.interval
        covered += interval is not None and interval.low <= 1.5 <= interval.high
    assert 0.9 <= covered / 200 <= 0.99


def test_curves_begin_where_nothing_is_changed() -> None:
    curve = next(curve for curve in tables(foggy(), FOG).curves if curve.model == "student")
    assert [(point.slice, point.level) for point in curve.points] == [
        ("all", 0), ("fog=1", 1), ("fog=2", 2), ("fog=3", 3)
    ]  # fmt: skip
    assert [point.value for point in curve.points] == pytest.approx([20, 18, 16, 14], abs=0.5)


def test_bias_corrected_differences_of_frechet() -> None:
    draw = np.random.default_rng(3)
    values = {("teacher", "all"): 5, ("teacher", "fog=1"): 6, ("student", "all"): 7, ("student", "fog=1"): 12}
    fields = {"group_sizes": [5] * 20, "protocol": {"reference_fingerprint": "r", "n": 100}}
    cells = [
        measurement(
            Family.FRECHET, value, model=model, slice=slice_id, replicates=value + 0.1 * draw.normal(size=20), **fields
        )
        for (model, slice_id), value in values.items()
    ]
    row = row_of(tables(cells, FOG[:1]), "student", "fog=1")
    assert row.excess is not None and row.excess.value is not None
    assert abs(row.excess.value - 4) < 2
    assert "bias-corrected" in row.excess.note
    assert row.excess.better is False


def test_what_is_missing_is_said() -> None:
    cells = foggy()
    gone = next(cell for cell in cells if (cell.model, cell.slice) == ("teacher", "fog=1"))
    fields = gone.model_dump(include={"name", "metric", "case_key", "model", "role", "target", "slice", "against"})
    missing = Missing(**fields, kind="failed", reason="it crashed")
    found = tables([*(cell for cell in cells if cell is not gone), missing], FOG)
    row = row_of(found, "student", "fog=1")
    assert row.gap is not None and row.excess is not None
    assert row.excess.incomparable == "no value of teacher@cpu/fog=1 (failed): it crashed"
    alone = tables([cell for cell in cells if cell.slice != "all"], FOG)
    assert row_of(alone, "student", "fog=1").shift.incomparable == (
        "no value of student@cpu/all: it is not part of this run"
    )


def test_likeness_to_the_teacher_has_a_shift_and_no_gap() -> None:
    values = {"all": noisy(30, 1), "fog=1": noisy(25, 2)}
    fields = [
        {"slice": name, "against": f"teacher@cpu/{name}", "protocol": {"against_fingerprint": name}} for name in values
    ]
    cells = [of_samples(one, **own) for one, own in zip(values.values(), fields, strict=True)]
    found = tables(cells, FOG[:1])
    (row,) = found.rows
    assert row.shift.value == pytest.approx(-5, abs=0.1)
    assert row.gap is None and row.excess is None and found.worst == [row]


def test_a_part_of_a_variation_is_compared_with_the_same_part() -> None:
    crossed = Slice(
        id="class=bag&fog=1", kind="corruption", base="class=bag", varied=True, curve="class=bag&fog", level=1
    )
    ids = np.arange(0, N, 2)
    cells = [
        of(model, slice_id, noisy(level, seed)[ids], ids=ids)
        for seed, (model, slice_id, level) in enumerate(
            [("teacher", "class=bag", 9), ("teacher", "class=bag&fog=1", 8), ("student", "class=bag", 9),
             ("student", "class=bag&fog=1", 5)]
        )
    ]  # fmt: skip
    row = row_of(tables(cells, [BAGS[0], crossed]), "student", "class=bag&fog=1")
    assert row.excess is not None and row.excess.value == pytest.approx(-3, abs=0.1)


def test_a_run_without_slices_has_no_tables() -> None:
    assert tables(foggy()[:1], []) == Robustness()
    assert isinstance(record(*foggy()), RunRecord)
