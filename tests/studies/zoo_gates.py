"""Do suites of gates keep their promises on real models? ``python -m tests.studies.zoo_gates --work-dir WORK``

The questions of :mod:`tests.studies.gates`, put to samples of a model of the zoo instead of simulated features: how
often does a suite of gates fail a model that has not changed, and is a model with a planted regression of about 10 % in
FID found as often as the plan said? Samples come in sets, each generated under the seeds of a suite of its own, so that
a repetition on some of them is what a run of that suite would give. Sets are kept, so that a study that was stopped
goes on.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import numpy as np
import typer
from numpy.typing import NDArray
from rich.progress import track

from evalsuite import pairing, plugins
from evalsuite.compare.baseline import Baseline
from evalsuite.compare.gate import judge
from evalsuite.compare.power import power_of_gates
from evalsuite.metrics.contract import FeatureInputs
from evalsuite.records import FeatureSet, Measurement, RunRecord, Verdict
from evalsuite.suite.schema import Suite
from tests.compare import inputs as compared
from tests.studies.alike import NUM_CLASSES, reference, samples_of
from tests.studies.coverage import measured
from tests.studies.gates import ALPHA, Rate, predicted_power, table

METRICS = ("fid", "kid", "precision", "recall", "class_accuracy", "inception_score")
GATES: tuple[dict[str, Any], ...] = (
    *({"metric": name} for name in METRICS),
    {"metric": "class_accuracy", "slice": "worst"},
)
"""Each: ``no_regression`` without a margin, which a model that has not changed fails the most easily."""
SHARED = 0.7
"""Share of the samples that a paired repetition takes from the run before."""
NOISE_SCALE = 1.028
"""The planted regression: initial noise so much too strong."""
JOINED = (1, 2, 4)
"""How many sets make up a repetition of the question of power."""
LEAST_PILOT = 5 * 64
"""Samples of a pilot: a fifth, but no fewer than FID needs for an interval."""


def joined(sets: Sequence[FeatureSet]) -> FeatureSet:
    """Several sets as one with ids of its own, in which classes and groups are as balanced as in each."""
    features, logits, labels = (
        np.concatenate([getattr(one, field) for one in sets]) for field in ("features", "logits", "labels")
    )
    return FeatureSet("fashion-cnn", "", "none", np.arange(len(features)), features, logits, labels)


def mixed(one: FeatureSet, other: FeatureSet, random: np.random.Generator) -> FeatureSet:
    """The first set with some samples replaced by those that the other has in their places."""
    kept = random.uniform(size=len(one.features)) < SHARED

    def parts(a: NDArray[Any] | None, b: NDArray[Any] | None) -> NDArray[Any]:
        assert a is not None and b is not None
        return np.where(kept[:, None], a, b)

    features, logits = parts(one.features, other.features), parts(one.logits, other.logits)
    return FeatureSet("fashion-cnn", "", "none", one.sample_ids, features, logits, one.labels)


def cells_of(samples: FeatureSet, real: FeatureSet, metrics: Sequence[str], model: str) -> list[Measurement]:
    """What a run would measure: all metrics, and the accuracy of each class."""
    cells = []
    for name in metrics:
        cells.append(measured(name, _estimate(name, samples, real), model))
        if name == "class_accuracy":
            cells += [_of_class(samples, real, label, model) for label in range(NUM_CLASSES)]
    return cells


def _estimate(name: str, samples: FeatureSet, real: FeatureSet) -> Any:
    groups = pairing.groups_of(samples.sample_ids, NUM_CLASSES)
    inputs = FeatureInputs(samples, real, groups, asked=samples.labels)
    return plugins.find("metrics", name)().compute(inputs)[""]


def _of_class(samples: FeatureSet, real: FeatureSet, label: int, model: str) -> Measurement:
    part = samples.select(np.flatnonzero(samples.labels == label))
    cell = measured("class_accuracy", _estimate("class_accuracy", part, real), model)
    where = f"class={label}"
    return cell.model_copy(update={"slice": where, "case_key": f"{model}@cpu/{where}", "sample_ids": part.sample_ids})


# --- a model that has not changed ----------------------------------------------------------------------------------


def gates_on(metrics: Sequence[str]) -> list[dict[str, Any]]:
    """The gates of a suite with these metrics."""
    common = {"candidate": "student", "against": "baseline:main", "test": "no_regression"}
    return [{**common, **gate} for gate in GATES if gate["metric"] in metrics]


def verdicts_of(earlier: list[Measurement], now: list[Measurement], same_seeds: bool) -> list[Verdict]:
    """The verdicts of a run's gates, which compare it with the baseline that an earlier one left."""
    baseline = Baseline.of(compared.record(*earlier))
    gates = gates_on([cell.name for cell in now])
    return judge(compared.record(*now, gates=gates, seed=0 if same_seeds else 1), {"main": baseline})


def fails(earlier: list[Measurement], now: list[Measurement], same_seeds: bool) -> bool:
    outcomes = {verdict.outcome for verdict in verdicts_of(earlier, now, same_seeds)}
    assert outcomes <= {"pass", "fail"}
    return "fail" in outcomes


def alarms(sets: Sequence[FeatureSet], real: FeatureSet) -> Iterator[Rate]:
    """Each two sets are a run and the next one: with seeds of its own, and with most of the samples of the first."""
    alone, paired = [], []
    for number in track(range(0, len(sets) - 1, 2), description="nothing changed"):
        one, other = sets[number], sets[number + 1]
        before = cells_of(one, real, METRICS, "student")
        alone.append(fails(before, cells_of(other, real, METRICS, "student"), same_seeds=False))
        again = mixed(one, other, np.random.default_rng(number))
        paired.append(fails(before, cells_of(again, real, METRICS, "student"), same_seeds=True))
    where = f"{len(GATES)} gates against a baseline, nothing changed, n = {len(sets[0].features)}"
    for how, found in (("other seeds", alone), (f"{SHARED:.0%} of the samples are the same", paired)):
        yield Rate(f"{where}, {how}: the suite fails", f"at most {ALPHA:.0%}", float(np.mean(found)), len(found))


# --- a planted regression ------------------------------------------------------------------------------------------


class Answer(NamedTuple):
    """Whether a run found the regression, and the chance of it that two plans gave."""

    found: bool
    by_earlier: float
    by_pilot: float


def record_of(teacher: FeatureSet, student: FeatureSet, real: FeatureSet) -> RunRecord:
    gate = {"metric": "fid", "candidate": "student", "against": "teacher", "test": "no_regression"}
    sides = {"teacher": teacher, "student": student}
    cells = [cell for model, samples in sides.items() for cell in cells_of(samples, real, ("fid",), model)]
    made = compared.record(*cells, gates=[gate])
    content = {**made.suite, "sampling": {"num_samples": len(teacher.features), "seed": 0}}
    return made.model_copy(update={"suite": Suite.model_validate(content).model_dump(mode="json")})


def answer(now: RunRecord, earlier: RunRecord, pilot: RunRecord, truth: float) -> Answer:
    """The verdict of one run, and what was planned from an earlier one and from the pilot of an earlier one."""
    (verdict,) = judge(now, {})
    planned = []
    for source in (earlier, pilot):
        (plan,) = power_of_gates(Suite.model_validate(now.suite), {"source": source}, {})
        assert plan.effect is not None, plan.unknown
        planned.append(predicted_power(plan.effect, truth))
    return Answer(verdict.outcome == "fail", *planned)


def powers(sets: Sequence[FeatureSet], worse: Sequence[FeatureSet], real: FeatureSet) -> Iterator[Rate]:
    """How often FID's gate fails the regressed model against the model itself, from the same seeds."""
    before, after = (_estimate("fid_debiased", joined(some), real).value for some in (sets, worse))
    size = len(sets[0].features)
    for count in JOINED:
        starts = range(0, len(sets) - count + 1, count)
        work = track(starts, description=f"regression, n = {count * size}")
        records = [record_of(joined(sets[i : i + count]), joined(worse[i : i + count]), real) for i in work]
        fifth = np.arange(max(count * size // 5, LEAST_PILOT))
        pilots = [
            record_of(joined(sets[i : i + count]).select(fifth), joined(worse[i : i + count]).select(fifth), real)
            for i in starts
        ]
        answers = [answer(records[k], records[k - 1], pilots[k - 1], after - before) for k in range(len(records))]
        by_earlier, by_pilot = (np.median([one[column] for one in answers]) for column in (1, 2))
        yield Rate(
            f"{after / before - 1:.1%} worse FID is found, n = {count * size}",
            f"{by_earlier:.0%} (planned from an earlier run), {by_pilot:.0%} (from a pilot)",
            float(np.mean([one.found for one in answers])),
            len(answers),
        )


def main(
    work_dir: Annotated[Path, typer.Option(help="Where samples are kept.")],
    name: Annotated[str, typer.Option(help="A model of the zoo.")] = "fashion-1step",
    sets: Annotated[int, typer.Option(min=8, help="Sets of samples, each under seeds of its own.")] = 800,
    num_samples: Annotated[int, typer.Option(help="Of each set; five for each of 64 features at least.")] = 400,
    threads: int = 1,
) -> None:
    """Run the study and print its table."""
    real = reference()
    usual, worse = (
        samples_of(name, num_samples, sets, work_dir, threads, noise_scale) for noise_scale in (1.0, NOISE_SCALE)
    )
    typer.echo(table([*alarms(usual, real), *powers(usual, worse, real)]))


if __name__ == "__main__":
    typer.run(main)
