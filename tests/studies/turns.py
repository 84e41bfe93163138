"""Speed-ups of a model over itself: ``python -m tests.studies.turns --work-dir WORK --lock FILE``

Times the same model twice, in turns, and counts how often the interval of the speed-up covers 1; then against a model
that sleeps 5 % longer, and counts how often that is found. Every repetition has processes of its own, or some share
them. Finished repetitions are kept, so that a study that was stopped goes on; the lock keeps the machine free for each.
"""

from __future__ import annotations

import fcntl
import json
import sys
import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any, ClassVar, Literal, NamedTuple

import numpy as np
import typer
from numpy.typing import NDArray
from rich.progress import track

from evalsuite import pairing
from evalsuite.compare.difference import difference
from evalsuite.executors.contract import Executor, Progress, Result, Task, Worker
from evalsuite.executors.local import Local
from evalsuite.metrics.contract import Estimate, TimingInputs
from evalsuite.metrics.latency import Latency
from evalsuite.models.contract import Batch, Capabilities, LoadedModel, Probe
from evalsuite.models.zoo import Zoo
from evalsuite.profiles import ProfileName
from evalsuite.profiling.entrant import Entrant
from evalsuite.profiling.session import Session
from evalsuite.profiling.subject import SubjectSpec
from evalsuite.scenarios.contract import Scenario
from evalsuite.scenarios.offline import Offline
from evalsuite.scenarios.single_stream import SingleStream
from evalsuite.settings import Settings
from evalsuite.targets.contract import Target
from tests.profiling.scripted import installed
from tests.studies.coverage import measured

ENTRY_POINTS = "[evalsuite.models]\ndelayed = tests.studies.turns:Delayed\n"


class Delayed(Settings):
    """A model of the zoo that sleeps after each call.

    Attributes:
        name: in the zoo.
        delay: how long, as a share of what the call took.
    """

    name: str
    delay: float = 0.0
    runs_user_code: ClassVar[bool] = False

    def fingerprint(self) -> str:
        return ""

    def capabilities(self) -> Capabilities:
        return Zoo(name=self.name).capabilities()

    def provenance(self) -> dict[str, str | int | float | None]:
        return {}

    @contextmanager
    def open(self, target: Target) -> Iterator[LoadedModel]:
        with Zoo(name=self.name).open(target) as model:
            yield _Delayed(model, self.delay)


class _Delayed:
    def __init__(self, model: LoadedModel, delay: float) -> None:
        self.model, self.delay = model, delay

    def generate(self, batch: Batch, probe: Probe) -> NDArray[np.uint8]:
        begin = time.perf_counter()
        images = self.model.generate(batch, probe)
        # Awake, since the system lets a sleeper sleep longer than it wanted.
        end = time.perf_counter() + self.delay * (time.perf_counter() - begin)
        while time.perf_counter() < end:
            pass
        return images


class Speed(NamedTuple):
    """Time of one model as a multiple of the other's, its interval, and which rule was broken, or ""."""

    ratio: float
    low: float
    high: float
    invalid: str = ""


class Timed(NamedTuple):
    """A scenario, images in a call, and what is compared of the times of calls."""

    scenario: Scenario
    batch_size: int
    statistic: str


ScenarioName = Literal["single_stream", "offline"]
TIMED: Mapping[ScenarioName, Timed] = {
    "single_stream": Timed(SingleStream(), 1, "p50"),
    "offline": Timed(Offline(), 8, "mean"),
}


class Kept:
    """An executor whose workers outlive their session. The first session opens its own; those after it take theirs from
    among these, by lot, until all are closed."""

    def __init__(self, executor: Executor) -> None:
        self._executor, self._stack = executor, ExitStack()
        self._idle: dict[str, list[Worker]] = {}
        self._lot = np.random.default_rng(0)
        self.fresh = True

    def map(self, tasks: Sequence[Task]) -> Generator[Progress | Result]:
        return self._executor.map(tasks)

    @contextmanager
    def open(self, factory: Callable[..., Any], arguments: tuple[Any, ...]) -> Iterator[Worker]:
        idle = self._idle.setdefault(repr(arguments), [])
        if self.fresh:
            worker = self._stack.enter_context(self._executor.open(factory, arguments))
        else:
            worker = idle.pop(self._lot.integers(len(idle)))
        yield worker
        idle.append(worker)

    def close(self) -> None:
        self._idle.clear()
        self._stack.close()
        self.fresh = True


@dataclass(frozen=True)
class Study:
    """What is repeated.

    Attributes:
        name: a model of the zoo.
        profile: how much is measured.
        scenario: of ``TIMED``.
        work_dir: where finished repetitions are kept.
        sharing: repetitions that share processes.
        lock: held for each repetition, so that nothing else computes meanwhile.
        executor: where models run.
    """

    name: str
    profile: ProfileName
    scenario: ScenarioName
    work_dir: Path
    sharing: int = 1
    lock: Path | None = None
    executor: Executor = field(default_factory=Local)

    def repeated(self, delay: float, count: int) -> list[Speed]:
        """So many repetitions, from the work folder where they are there."""
        path = self.work_dir / f"{self.name}-{self.profile}-{self.scenario}-{delay:g}.jsonl"
        path.parent.mkdir(parents=True, exist_ok=True)
        done = [Speed(*json.loads(line)) for line in path.read_text().splitlines()] if path.exists() else []
        with path.open("a") as file, closing(Kept(self.executor)) as kept:
            for number in track(range(len(done), count), description=f"delay {delay:.0%}"):
                with exclusive(self.lock) if self.lock else nullcontext():
                    done.append(self.repetition(delay, number, kept))
                file.write(json.dumps(done[-1]) + "\n")
                file.flush()
                kept.fresh = False
                if len(done) % self.sharing == 0:
                    kept.close()
        return done[:count]

    def repetition(self, delay: float, number: int, executor: Executor) -> Speed:
        """One session of two models; every other one begins with the second."""
        timed = TIMED[self.scenario]
        target: dict[str, Any] = {"threads": 1, "batch_size": timed.batch_size}
        entrants = [
            Entrant(
                role,
                SubjectSpec("delayed", {"name": self.name, "delay": extra}, "cpu", target),
                batch_of,
                timed.batch_size,
            )
            for role, extra in (("teacher", 0.0), ("student", delay))
        ]
        session = Session(executor, self.profile, {self.scenario: timed.scenario}, number, 600.0, lambda *turn: None)
        session.run(entrants if number % 2 else entrants[::-1])
        metric, sides, invalid = Latency(scenario=self.scenario, percentiles=(50,)), {}, ""
        for entrant in entrants:
            if entrant.error is not None:
                raise entrant.error
            estimate = metric.compute(TimingInputs(tuple(entrant.timings)))[timed.statistic]
            assert isinstance(estimate, Estimate), estimate
            sides[entrant.case_key] = measured("latency", estimate, entrant.case_key)
            invalid = invalid or estimate.invalid
        found = difference(sides["student"], sides["teacher"])
        assert found.interval is not None, found.incomparable
        assert found.value is not None
        return Speed(found.value, found.interval.low, found.interval.high, invalid)


def batch_of(ids: NDArray[np.int64]) -> Batch:
    return Batch(ids, pairing.seeds_of(ids, 0), pairing.labels_of(ids, 10))


@contextmanager
def exclusive(lock: Path) -> Iterator[None]:
    """Hold a lock that ``flock`` takes too, so that nothing else computes meanwhile."""
    with lock.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def main(
    work_dir: Annotated[Path, typer.Option(help="Where finished repetitions are kept.")],
    name: Annotated[str, typer.Option(help="A model of the zoo.")] = "fashion-4step",
    same: Annotated[int, typer.Option(help="Repetitions of a model against itself.")] = 400,
    slower: Annotated[int, typer.Option(help="Repetitions against a slower one.")] = 100,
    delay: Annotated[float, typer.Option(help="How much slower.")] = 0.05,
    profile: ProfileName = "standard",
    scenario: Annotated[ScenarioName, typer.Option(help="How its images are asked for.")] = "single_stream",
    sharing: Annotated[int, typer.Option(help="Repetitions that share processes; starting them takes longest.")] = 1,
    lock: Annotated[Path | None, typer.Option(help="Locked for each repetition.")] = None,
) -> None:
    """Print how often the interval covers no difference where there is none, and how often it finds one."""
    with TemporaryDirectory() as folder:
        sys.path.insert(0, str(installed(Path(folder), "turns", ENTRY_POINTS)))
        try:
            report(Study(name, profile, scenario, work_dir, sharing, lock), {0.0: same, delay: slower})
        finally:
            sys.path.pop(0)


def report(study: Study, counts: Mapping[float, int]) -> None:
    """A row for each delay that is repeated."""
    studied = f"{study.name}, `{study.profile}`, `{study.scenario}`"
    typer.echo(f"| {studied} | repetitions | share | median ratio | median width | INVALID |")
    typer.echo("|---|---:|---:|---:|---:|---:|")
    for delay, count in counts.items():
        if not count:
            continue
        found = study.repeated(delay, count)
        hits = [speed.low > 1 if delay else speed.low <= 1 <= speed.high for speed in found]
        what = f"a delay of {delay:.0%} is found" if delay else "the same model: the interval covers 1"
        ratio = np.median([speed.ratio for speed in found])
        width = np.median([speed.high - speed.low for speed in found])
        invalid = np.mean([bool(speed.invalid) for speed in found])
        typer.echo(f"| {what} | {count} | {np.mean(hits):.1%} | {ratio:.3f} | {width:.3f} | {invalid:.1%} |")


if __name__ == "__main__":
    typer.run(main)
