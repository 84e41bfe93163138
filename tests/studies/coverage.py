"""Do the intervals hold? ``python -m tests.studies.coverage --repetitions 2000 --write docs/coverage.md``

Draws teacher and student again and again from populations whose true values are known, asks evalsuite for intervals,
differences and verdicts, and counts how often they are right. Everything holds given the reference set, as everywhere
in evalsuite, so each population has one reference. Values that depend on n (plain ``fid``, nearest-neighbour shares)
are compared with their own mean at that n.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import numpy as np
import typer
from numpy.typing import NDArray
from rich.progress import track
from scipy.linalg import sqrtm

from evalsuite import plugins
from evalsuite.compare.difference import difference
from evalsuite.compare.gate import judge
from evalsuite.metrics.contract import Estimate, FeatureInputs
from evalsuite.pairing import groups_of
from evalsuite.records import Family, FeatureSet, Measurement, RunRecord
from evalsuite.stats.single import interval_of
from tests.compare import inputs as compared

Floats = NDArray[np.float64]

DIM = 16
CLASSES = 4
REFERENCE = 1000
RATIOS = (5, 10, 25)
"""Samples for each dimension."""
WORLDS = ("normal", "heavy-tailed", "skewed")
SHARED = 0.7
"""Share of samples for which two models see the same noise; the others make their pairing imperfect."""
POPULATION = 30_000
"""Samples that stand for infinitely many where there is no closed form."""
FEATURE_METRICS = (
    "fid", "fid_debiased", "fid_infinity", "kid", "cmmd", "precision", "recall", "density", "coverage", "authenticity",
    "class_accuracy", "inception_score", "vendi", "diversity", "spectrum_distance",
)  # fmt: skip
METRICS = (*FEATURE_METRICS, "psnr", "latency_p50")
AT_N = (Family.FRECHET, Family.JACKKNIFE)
"""Families whose value is an estimate at this n, not of a limit."""


class Outcome(NamedTuple):
    """One answer of one repetition: an interval to be compared with the truth, or a verdict."""

    metric: str
    family: str
    asked: str
    value: float
    low: float
    high: float
    verdict: str = ""


@dataclass(frozen=True)
class Population:
    """Where one model's samples come from: standardised noise, stretched, mixed and shifted.

    Attributes:
        scale: of the features; 1 is the reference's.
        shift: of each feature, in standard deviations of the reference.
        accuracy: share of samples that the classifier takes for what was asked.
    """

    scale: float
    shift: float
    accuracy: float

    def features(self, noise: Floats) -> Floats:
        return (noise * self.scale + self.shift) @ mixing()

    @property
    def mean(self) -> Floats:
        return np.full(DIM, self.shift) @ mixing()

    @property
    def covariance(self) -> Floats:
        return self.scale**2 * mixing().T @ mixing()

    def raw_moments(self, world: str) -> tuple[Floats, Floats, Floats]:
        """Exact E[x], E[x x'], and E[x x x] of the features; only exponential noise has third cumulants."""
        mean, covariance = self.mean, self.covariance
        third = np.einsum("i,j,k->ijk", mean, mean, mean)
        for axes in ("i,jk->ijk", "j,ik->ijk", "k,ij->ijk"):
            third += np.einsum(axes, mean, covariance)
        if world == "skewed":
            third += 2 * self.scale**3 * np.einsum("ai,aj,ak->ijk", mixing(), mixing(), mixing())
        return mean, covariance + np.outer(mean, mean), third


REAL = Population(1.0, 0.0, 0.9)
TEACHER = Population(0.95, 0.15, 0.95)
STUDENT = Population(0.9, 0.2, 0.92)


@cache
def mixing() -> Floats:
    """Features of different spread that hang together, as those of networks do."""
    random = np.random.default_rng(7)
    rotation = np.linalg.qr(random.normal(size=(DIM, DIM)))[0]
    return np.geomspace(1.5, 0.3, DIM)[:, None] * rotation


def noise_of(world: str, random: np.random.Generator, n: int) -> Floats:
    """Standardised noise ``[n, DIM]``: t with 9 degrees of freedom on whole vectors, exponential, or normal."""
    if world == "heavy-tailed":
        return random.normal(size=(n, DIM)) * np.sqrt(7 / random.chisquare(9, (n, 1)))
    if world == "skewed":
        return random.exponential(size=(n, DIM)) - 1
    return random.normal(size=(n, DIM))


@cache
def reference_of(world: str) -> Floats:
    return REAL.features(noise_of(world, np.random.default_rng(11), REFERENCE))


@dataclass(frozen=True)
class Draw:
    """A model's samples in one repetition."""

    features: Floats
    logits: Floats

    @classmethod
    def of(cls, population: Population, noise: Floats, luck: Floats) -> Draw:
        """From its noise, and from uniform numbers that decide which samples the classifier gets right."""
        right = luck < population.accuracy
        labels = labels_of(len(noise))
        answers = np.where(right, labels, (labels + 1) % CLASSES)
        return cls(population.features(noise), 3 * np.eye(CLASSES)[answers] + 0.3 * noise[:, :CLASSES])


def labels_of(n: int) -> NDArray[np.int64]:
    return np.arange(n) % CLASSES


def inputs_of(draw: Draw, world: str) -> FeatureInputs:
    n = len(draw.features)
    sets = [
        FeatureSet("study", "", "none", np.arange(len(f)), f.astype(np.float32), logits, labels_of(len(f)))
        for f, logits in ((draw.features, draw.logits.astype(np.float32)), (reference_of(world), None))
    ]
    return FeatureInputs(*sets, groups_of(np.arange(n), CLASSES), asked=labels_of(n))


def measured(name: str, estimate: Estimate, model: str) -> Measurement:
    metric = plugins.find("metrics", name)
    return compared.measurement(
        estimate.family, estimate.value, model=model, name=name, metric=name, unit="",
        higher_is_better=metric.higher_is_better, n=estimate.n, per_sample=estimate.per_sample,
        replicates=estimate.replicates, group_sizes=estimate.group_sizes, protocol=dict(estimate.protocol),
    )  # fmt: skip


# --- one repetition ------------------------------------------------------------------------------------------------


def repetition(world: str, ratio: int, metrics: Collection[str], values_only: bool, seed: int) -> list[Outcome]:
    """Everything that is asked once: of teacher and student, and of a teacher against its like."""
    random = np.random.default_rng([WORLDS.index(world), ratio, seed])
    n = ratio * DIM
    shared, own, other = (noise_of(world, random, n) for _ in range(3))
    luck, other_luck = random.uniform(size=n), random.uniform(size=n)
    teacher = Draw.of(TEACHER, shared, luck)
    student = Draw.of(STUDENT, paired_noise(shared, own), luck)
    like = Draw.of(TEACHER, paired_noise(shared, other), np.where(random.uniform(size=n) < 0.5, luck, other_luck))
    draws = {"student": student} if values_only else {"student": student, "teacher": teacher, "like": like}
    outcomes: list[Outcome] = []
    for name in FEATURE_METRICS:
        if name in metrics:
            metric = plugins.find("metrics", name)()
            sides = {model: metric.compute(inputs_of(draw, world))[""] for model, draw in draws.items()}
            outcomes += answers(name, sides, margin=relative_margin(name, world))
    for name, sides in (("psnr", skewed_means(random, n)), ("latency_p50", rounds(random))):
        if name in metrics:
            outcomes += answers(name, {model: sides[model] for model in draws}, margin=None)
    return outcomes


def paired_noise(shared: Floats, own: Floats) -> Floats:
    """Noise of the same distribution, most of its samples those of another model.

    A weighted sum would go together, too, but its tails would be lighter.
    """
    keep = np.random.default_rng(3).permutation(len(shared)) < SHARED * len(shared)
    return np.where(keep[:, None], shared, own)


def skewed_means(random: np.random.Generator, n: int) -> dict[str, Estimate]:
    """Values image by image with a long tail, those of the models for one seed alike."""
    common = random.gamma(1.5, 2.0, n)
    shifts = {"teacher": 0.0, "student": -0.2, "like": 0.0}
    values = {model: common + random.gamma(1.0, 1.0, n) + shift for model, shift in shifts.items()}
    return {model: Estimate(float(v.mean()), Family.MEAN, n, per_sample=v) for model, v in values.items()}


def rounds(random: np.random.Generator) -> dict[str, Estimate]:
    """Medians of 12 rounds on a machine that is now faster, now slower, for all; the student takes half the time."""
    machine = np.exp(random.normal(0, 0.05, 12))
    found = {}
    for model, factor in (("teacher", 1.0), ("student", 0.5), ("like", 1.0)):
        times = factor * machine * np.exp(random.gamma(2.0, 0.01, 12))
        found[model] = Estimate(float(np.median(times)), Family.LATENCY, 96, replicates=times)
    return found


def answers(name: str, sides: Mapping[str, Estimate], margin: float | None) -> Iterator[Outcome]:
    """Interval of the value, of the difference, of the difference to its like, and the verdicts of gates."""
    metric = "latency" if name == "latency_p50" else name
    family = str(sides["student"].family)
    cells = {model: measured(metric, estimate, model) for model, estimate in sides.items()}
    interval = interval_of(sides["student"])
    assert interval is not None
    yield Outcome(name, family, "value", sides["student"].value, interval.low, interval.high)
    if "teacher" not in sides:
        return
    for asked, candidate in (("difference", "student"), ("A/A difference", "like")):
        found = difference(cells[candidate], cells["teacher"])
        assert found.interval is not None, found.incomparable
        yield Outcome(name, family, asked, found.value, found.interval.low, found.interval.high)
    yield Outcome(name, family, "A/A gate", 0, 0, 0, verdict(cells["teacher"], cells["like"], "no_regression", None))
    if margin is not None:
        at = verdict(cells["teacher"], cells["student"], "non_inferiority", {"relative": margin})
        yield Outcome(name, family, "gate at its relative margin", 0, 0, 0, at)


def verdict(teacher: Measurement, candidate: Measurement, test: str, margin: Any) -> str:
    candidate = candidate.model_copy(update={"model": "student", "role": "student", "case_key": "student@cpu/all"})
    gate = {"metric": candidate.name, "candidate": "student", "against": "teacher", "test": test, "margin": margin}
    record: RunRecord = compared.record(teacher, candidate, gates=[gate])
    return judge(record, {})[0].outcome


# --- what is true --------------------------------------------------------------------------------------------------


@cache
def truth_of(name: str, world: str, population: Population) -> float | None:
    """The value of infinitely many samples given the reference; None where the value belongs to a finite n."""
    if name in ("fid", "fid_debiased", "fid_infinity"):
        return frechet(population, reference_of(world))
    if name == "kid":
        return kernel_distance(population, world)
    if name == "class_accuracy":
        return population.accuracy
    if name in ("cmmd", "precision", "density", "authenticity"):
        random = np.random.default_rng(1234)
        many = Draw.of(population, noise_of(world, random, POPULATION), random.uniform(size=POPULATION))
        return float(plugins.find("metrics", name)().compute(inputs_of(many, world))[""].value)
    return None


def frechet(population: Population, reference: Floats) -> float:
    """By the textbook formula, with SciPy's matrix square root."""
    other = np.cov(reference, rowvar=False)
    root = sqrtm(population.covariance @ other).real
    shift = population.mean - reference.mean(axis=0)
    return float((shift**2).sum() + np.trace(population.covariance + other - 2 * root))


def kernel_distance(population: Population, world: str) -> float:
    """The cubic kernel's MMD, its means written as products of moments; the reference leaves out its own pairs."""
    reference = reference_of(world)
    kernel = (reference @ reference.T / DIM + 1) ** 3
    within = (kernel.sum() - np.trace(kernel)) / (REFERENCE * (REFERENCE - 1))
    own = population.raw_moments(world)
    real = (
        reference.mean(axis=0),
        reference.T @ reference / REFERENCE,
        np.einsum("ni,nj,nk->ijk", reference, reference, reference, optimize=True) / REFERENCE,
    )
    return mean_kernel(own, own) + float(within) - 2 * mean_kernel(own, real)


def mean_kernel(a: tuple[Floats, ...], b: tuple[Floats, ...]) -> float:
    """E (x.y / d + 1)^3 of independent x and y, from their first three raw moments."""
    first, second, third = (float((p * q).sum()) for p, q in zip(a, b, strict=True))
    return 1 + 3 * first / DIM + 3 * second / DIM**2 + third / DIM**3


def relative_margin(name: str, world: str) -> float | None:
    """The margin at which the student lies exactly, where the true values are known in closed form."""
    if name not in ("fid", "kid", "class_accuracy"):
        return None
    values = [truth_of(name, world, population) for population in (TEACHER, STUDENT)]
    better = plugins.find("metrics", name).higher_is_better
    return (1 - values[1] / values[0]) if better else values[1] / values[0] - 1


def true_answer(world: str, asked: str, outcomes: list[Outcome]) -> float:
    """What the intervals of a row should hold."""
    name, family = outcomes[0].metric, outcomes[0].family
    if asked == "A/A difference":
        return 1.0 if family == Family.LATENCY else 0.0
    known = {"psnr": {"value": 3.8, "difference": -0.2}, "latency_p50": {"difference": 0.5}}.get(name, {})
    if asked in known:
        return known[asked]
    student, teacher = (truth_of(name, world, population) for population in (STUDENT, TEACHER))
    if student is not None and teacher is not None:
        if asked == "difference":
            return student - teacher
        if family not in AT_N:
            return student
    return float(np.mean([outcome.value for outcome in outcomes]))


# --- the table -----------------------------------------------------------------------------------------------------


class Row(NamedTuple):
    """How often the answers to one question were right, as shares of the repetitions."""

    metric: str
    family: str
    asked: str
    world: str
    ratio: int
    share: float
    repetitions: int


def study(
    repetitions: int,
    worlds: Iterable[str] = WORLDS,
    ratios: Iterable[int] = RATIOS,
    metrics: Collection[str] = METRICS,
    values_only: bool = False,
    jobs: int = 2,
) -> list[Row]:
    """Coverage of each interval, and the rate of false alarms of each gate."""
    rows = []
    with ProcessPoolExecutor(jobs) as pool:
        for world in worlds:
            for ratio in ratios:
                once = partial(repetition, world, ratio, metrics, values_only)
                work = pool.map(once, range(repetitions), chunksize=8)
                found = list(track(work, description=f"{world}, n = {ratio} d", total=repetitions))
                rows += [row_of(world, ratio, asked, same) for (_, asked), same in by_question(found).items()]
    return rows


def by_question(found: list[list[Outcome]]) -> dict[tuple[str, str], list[Outcome]]:
    grouped: dict[tuple[str, str], list[Outcome]] = defaultdict(list)
    for outcomes in found:
        for outcome in outcomes:
            grouped[outcome.metric, outcome.asked].append(outcome)
    return grouped


def row_of(world: str, ratio: int, asked: str, outcomes: list[Outcome]) -> Row:
    if outcomes[0].verdict:
        share = np.mean([outcome.verdict == "fail" for outcome in outcomes])
    else:
        truth = true_answer(world, asked, outcomes)
        share = np.mean([outcome.low <= truth <= outcome.high for outcome in outcomes])
    return Row(outcomes[0].metric, outcomes[0].family, asked, world, ratio, float(share), len(outcomes))


def table(rows: list[Row], asked: str) -> str:
    """One line a metric, one column a population and ratio, in per cent."""
    columns = list(dict.fromkeys((row.world, row.ratio) for row in rows))
    shares = {(row.metric, row.world, row.ratio): row.share for row in rows if row.asked == asked}
    families = {row.metric: row.family for row in rows if row.asked == asked}
    lines = [
        "| metric | family | " + " | ".join(f"{world}, {ratio}" for world, ratio in columns) + " |",
        "|---|---|" + "---:|" * len(columns),
    ]
    for metric, family in families.items():
        cells = " | ".join(f"{100 * shares[metric, world, ratio]:.1f}" for world, ratio in columns)
        lines.append(f"| `{metric}` | {family} | {cells} |")
    return "\n".join(lines)


def placed(text: str, asked: str, made: str) -> str:
    """A document with a table between the two marks of its question; lines of other metrics stay as they are."""
    start, end = f"<!-- {asked} -->", f"<!-- end of {asked} -->"
    head, _, rest = text.partition(start)
    before, mark, tail = rest.partition(end)
    if not mark:
        raise typer.BadParameter(f"found no place for the table, expected {start} and then {end}")
    lines = {line.split("|")[1]: line for line in [*before.strip().splitlines(), *made.splitlines()]}
    return f"{head}{start}\n" + "\n".join(lines.values()) + f"\n{end}{tail}"


def main(
    repetitions: Annotated[int, typer.Option(min=10)] = 2000,
    write: Annotated[Path | None, typer.Option(help="A document whose tables are replaced.")] = None,
    metric: Annotated[list[str] | None, typer.Option(help="Ask of this metric; of all, if none is named.")] = None,
    values_only: Annotated[bool, typer.Option("--values-only", help="Ask for no differences.")] = False,
    jobs: int = 2,
) -> None:
    """Run the study; print its tables, or put them into a document between its markers."""
    rows = study(repetitions, metrics=metric or METRICS, values_only=values_only, jobs=jobs)
    text = write.read_text("utf-8") if write else ""
    for asked in dict.fromkeys(row.asked for row in rows):
        made = table(rows, asked)
        if write:
            text = placed(text, asked, made)
        else:
            typer.echo(f"\n{asked}\n{made}")
    if write:
        write.write_text(text, "utf-8")


if __name__ == "__main__":
    typer.run(main)
