"""Do whole suites of gates keep their promises? ``python -m tests.studies.gates --repetitions 1000``

Three questions, on populations whose true values are known (:mod:`tests.studies.coverage`): how often does a suite of
four gates fail a model that equals the one before, does a planted regression of 10 % in FID fail as often as the plan
said, and do both rates hold when open gates get more samples.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import cache, partial
from typing import Annotated, Any, NamedTuple

import numpy as np
import typer
from rich.progress import track
from scipy.optimize import brentq
from scipy.stats import t

from evalsuite import plugins
from evalsuite.compare.gate import judge
from evalsuite.compare.power import power_of_gates
from evalsuite.records import RunRecord
from evalsuite.stats.power import POWER
from evalsuite.suite.schema import Suite
from tests.compare import inputs as compared
from tests.studies.coverage import (
    DIM,
    TEACHER,
    WORLDS,
    Draw,
    Population,
    frechet,
    inputs_of,
    measured,
    noise_of,
    paired_noise,
    reference_of,
)

METRICS = ("fid", "kid", "class_accuracy", "inception_score")
ALARM_RATIOS = (10, 25)
POWER_RATIOS = (400, 1000)
"""Samples for each dimension: as many as it takes to see 10 % now and then, and nearly always."""
STAGES = (160, 320, 640)
REGRESSION = 0.10
ALPHA = 0.01
GROUPS = 20


class Rate(NamedTuple):
    """How often something happened, beside what was promised."""

    question: str
    promised: str
    observed: float
    repetitions: int

    @property
    def error(self) -> float:
        """Standard error of the observed share."""
        return float(np.sqrt(self.observed * (1 - self.observed) / self.repetitions))


@cache
def regressed(world: str) -> Population:
    """The teacher with all features moved until its FID is 10 % higher."""
    before = frechet(TEACHER, reference_of(world))

    def excess(shift: float) -> float:
        return frechet(TEACHER.__class__(TEACHER.scale, shift, TEACHER.accuracy), reference_of(world)) - before * 1.1

    shift = brentq(excess, TEACHER.shift, 1.0)
    return Population(TEACHER.scale, float(shift), TEACHER.accuracy)


def run_of(world: str, candidate: Population, seed: int, most: int) -> dict[str, Draw]:
    """All samples of an earlier model and of its candidate, most of them from the same noise."""
    random = np.random.default_rng([WORLDS.index(world), most, seed])
    shared, own = noise_of(world, random, most), noise_of(world, random, most)
    luck, other = random.uniform(size=most), random.uniform(size=most)
    like = np.where(random.uniform(size=most) < 0.5, luck, other)
    return {
        "teacher": Draw.of(TEACHER, shared, luck),
        "student": Draw.of(candidate, paired_noise(shared, own), like),
    }


def record_of(world: str, draws: dict[str, Draw], n: int, metrics: Sequence[str], **suite: Any) -> RunRecord:
    """The run of the first n samples, with a gate on each metric."""
    cells = []
    for name in metrics:
        for model, draw in draws.items():
            part = Draw(draw.features[:n], draw.logits[:n])
            cells.append(measured(name, plugins.find("metrics", name)().compute(inputs_of(part, world))[""], model))
    gates = [
        {"metric": name, "candidate": "student", "against": "teacher", **suite.get("gate", {})} for name in metrics
    ]
    made = compared.record(*(cell for cell in cells), gates=gates)
    content = {
        **made.suite,
        "sampling": {"num_samples": n, "seed": 0},
        **{k: v for k, v in suite.items() if k != "gate"},
    }
    return made.model_copy(update={"suite": Suite.model_validate(content).model_dump(mode="json")})


# --- one repetition of each question -------------------------------------------------------------------------------


def false_alarm(world: str, n: int, seed: int) -> bool:
    """Whether a suite of four gates fails a model that equals the one before."""
    record = record_of(world, run_of(world, TEACHER, seed, n), n, METRICS, gate={"test": "no_regression"})
    return any(verdict.outcome == "fail" for verdict in judge(record, {}))


def regression_found(world: str, n: int, seed: int) -> tuple[bool, float]:
    """Whether the planted regression fails, and the chance that a plan made from a pilot of a fifth gave it."""
    draws = run_of(world, regressed(world), seed, n)
    gate = {"test": "no_regression"}
    record = record_of(world, draws, n, ("fid",), gate=gate)
    pilot = record_of(world, run_of(world, TEACHER, seed + 10_000_000, n // 5), n // 5, ("fid",), gate=gate)
    (plan,) = power_of_gates(Suite.model_validate(record.suite), {"pilot": pilot}, {})
    (verdict,) = judge(record, {})
    assert plan.effect is not None
    return verdict.outcome == "fail", predicted_power(plan.effect, REGRESSION * frechet(TEACHER, reference_of(world)))


def predicted_power(effect: float, truth: float) -> float:
    """The chance that a plan means: its smallest effect is found in 4 of 5 runs, and a larger one more often."""
    level, freedom = ALPHA, GROUPS - 1
    error = effect / float(t.ppf(1 - level, freedom) + t.ppf(POWER, freedom))
    return float(t.cdf(truth / error - t.ppf(1 - level, freedom), freedom))


def extended(world: str, candidate: Population, margin: dict[str, float], seed: int) -> str:
    """The outcome of a gate that is judged at three stages, as a run would end."""
    draws = run_of(world, candidate, seed, STAGES[-1])
    gate = {"test": "non_inferiority", "margin": margin}
    for n in STAGES:
        extending = {"on_inconclusive": "extend", "stages": list(STAGES)}
        (verdict,) = judge(record_of(world, draws, n, ("fid",), gate=gate, **extending), {})
        if verdict.outcome != "inconclusive":
            break
    return verdict.outcome


def at_margin(world: str, seed: int) -> str:
    """A candidate that is worse by exactly the margin: failing it is an alarm of 1 %, passing it an error of 5 %."""
    return extended(world, regressed(world), {"relative": REGRESSION}, seed)


def equal(world: str, seed: int) -> str:
    """A candidate that equals the model before, with room to show it."""
    return extended(world, TEACHER, {"relative": 2 * REGRESSION}, seed)


# --- all of them ---------------------------------------------------------------------------------------------------


def study(repetitions: int, worlds: Sequence[str] = WORLDS, jobs: int = 2) -> Iterator[Rate]:
    with ProcessPoolExecutor(jobs) as pool:

        def every(once: Any, what: str) -> list[Any]:
            work = pool.map(once, range(repetitions), chunksize=8)
            return list(track(work, description=what, total=repetitions))

        for world in worlds:
            for ratio in ALARM_RATIOS:
                where = f"{world}, n = {ratio} d"
                alarms = every(partial(false_alarm, world, ratio * DIM), where)
                yield Rate(
                    f"four gates, nothing changed; {where}", f"at most {ALPHA:.0%}", np.mean(alarms), repetitions
                )
            for ratio in POWER_RATIOS:
                where = f"{world}, n = {ratio} d"
                answers = every(partial(regression_found, world, ratio * DIM), where)
                planned = float(np.median([power for _, power in answers]))
                found = float(np.mean([found for found, _ in answers]))
                yield Rate(f"10 % worse FID is found; {where}", f"{planned:.0%} (planned)", found, repetitions)
            outcomes = every(partial(at_margin, world), f"{world}, extending")
            for outcome, level in (("fail", "at most 1%"), ("pass", "at most 5%")):
                share = float(np.mean([found == outcome for found in outcomes]))
                yield Rate(f"three looks, exactly at the margin: {outcome}; {world}", level, share, repetitions)
            outcomes = every(partial(equal, world), f"{world}, extending")
            for outcome, level in (("fail", "at most 1%"), ("pass", "")):
                share = float(np.mean([found == outcome for found in outcomes]))
                yield Rate(f"three looks, nothing changed: {outcome}; {world}", level, share, repetitions)


def table(rates: Sequence[Rate]) -> str:
    lines = ["| question | promised | observed |", "|---|---:|---:|"]
    lines += [f"| {r.question} | {r.promised} | {100 * r.observed:.1f} % ± {100 * r.error:.1f} |" for r in rates]
    return "\n".join(lines)


def main(repetitions: Annotated[int, typer.Option(min=10)] = 1000, jobs: int = 2) -> None:
    """Run the study and print its table."""
    typer.echo(table(list(study(repetitions, jobs=jobs))))


if __name__ == "__main__":
    typer.run(main)
