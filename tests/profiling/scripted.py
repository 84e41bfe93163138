"""A model, a target, scenarios and a metric that do what a test tells them, installed as another package's plug-ins; no
torch."""

from __future__ import annotations

import os
import resource
import signal
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np
import pytest
from numpy.typing import NDArray
from pydantic import Field

from evalsuite import plugins
from evalsuite.errors import Unavailable
from evalsuite.files import content_key
from evalsuite.metrics.contract import Estimate, Inputs, TimingInputs
from evalsuite.models.contract import Batch, Capabilities, LoadedModel, Probe
from evalsuite.profiles import ProfileName
from evalsuite.profiling.turns import PROCESSES
from evalsuite.records import Scalar
from evalsuite.scenarios.contract import Pace, Series, Subject
from evalsuite.settings import Settings
from evalsuite.targets.contract import TargetSettings

IMAGE_SHAPE = (1, 28, 28)


class Scripted(Settings):
    """Sleeps, allocates, or fails.

    Attributes:
        name: written to the log.
        call_s, image_s: seconds of sleep for each call and for each image.
        stages, steps: seconds of sleep in each stage, of which ``denoise`` comes once a step.
        load_bytes: allocated while it is loaded.
        fail: how the call after ``good_calls`` fails; ``open``: it cannot be loaded; ``short``: an image too few.
        remembers: whether it answers a seed that it has seen without sleeping.
        pixel: of all its images.
        log: each call appends ``name,batch size,first seed``.
        timed: its capability.
        cached: whether it has a fingerprint.
    """

    name: str = "model"
    call_s: float = 0.0
    image_s: float = 0.0
    stages: dict[str, float] = Field(default_factory=dict)
    steps: int = 1
    load_bytes: int = 0
    fail: Literal["", "open", "raise", "kill", "hang", "short"] = ""
    good_calls: int = 0
    remembers: bool = False
    pixel: int = 0
    log: Path | None = None
    timed: bool = True
    cached: bool = True

    runs_user_code: ClassVar[bool] = False

    def fingerprint(self) -> str:
        return content_key(self.model_dump(mode="json")) if self.cached else ""

    def capabilities(self) -> Capabilities:
        return Capabilities(condition="class", image_shape=IMAGE_SHAPE, timed=self.timed)

    def provenance(self) -> dict[str, str | int | float | None]:
        return {}

    @contextmanager
    def open(self, target: Any) -> Iterator[LoadedModel]:
        if self.fail == "open":
            raise Unavailable("its weights are not here")
        yield _Loaded(self)


class _Loaded:
    def __init__(self, script: Scripted) -> None:
        self.script, self.calls = script, 0
        self.weights, self.seen = np.ones(script.load_bytes, np.uint8), set[int]()
        self.at_load = set(sys.modules)

    def generate(self, batch: Batch, probe: Probe) -> NDArray[np.uint8]:
        script, count = self.script, len(batch.sample_ids)
        self.calls += 1
        if script.log is not None:
            with script.log.open("a") as log:
                log.write(f"{script.name},{count},{batch.seeds[0]}\n")
        if script.fail and self.calls > script.good_calls:
            count = self._fail(count)
        new = not script.remembers or int(batch.seeds[0]) not in self.seen
        self.seen.add(int(batch.seeds[0]))
        time.sleep((script.call_s + script.image_s * count) * new)
        for name, seconds in script.stages.items():
            for step in range(script.steps if name == "denoise" else 1):
                with probe.stage(name, step if name == "denoise" else None):
                    time.sleep(seconds)
        return np.full((count, *IMAGE_SHAPE), script.pixel, np.uint8)

    def _fail(self, count: int) -> int:
        if self.script.fail == "raise":
            raise ValueError("odd weights")
        if self.script.fail == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        if self.script.fail == "hang":
            time.sleep(600)
        return count - 1


class Bare(TargetSettings):
    """A target without torch."""

    device: ClassVar[str] = "bare"

    @property
    def torch_device(self) -> str:
        return "cpu"

    def unavailable_reason(self) -> str | None:
        return None

    def hardware(self) -> dict[str, Scalar]:
        return {"device": "bare", "processor": "any"}

    def environment(self) -> dict[str, Scalar]:
        return {**self.hardware(), "threads": self.threads, "dtype": self.dtype}

    def pixel_settings(self) -> dict[str, Scalar]:
        return {"device": "bare"}

    def import_libraries(self) -> None: ...

    def start(self) -> None: ...

    def weights(self) -> dict[str, Scalar]:
        return {}

    def prepare(self, module: Any) -> Any:
        return module

    def explained(self, error: Exception) -> Exception:
        return error

    def synchronize(self) -> None: ...

    def mark(self) -> float:
        return time.perf_counter()

    def seconds_between(self, marks: Sequence[float]) -> list[float]:
        return [end - begin for begin, end in pairwise(marks)]

    def peak_device_bytes(self) -> tuple[int, int] | None:
        return None

    def reset_device_peak(self) -> None: ...


class Brisk(Settings):
    """Three turns of two calls.

    Attributes:
        images: in one call; 0 for the target's batch size.
        gap: why it is not for this model.
        seconds: a turn's least duration.
    """

    kind: ClassVar[Literal["turns"]] = "turns"
    unit: ClassVar[str] = "s"

    images: int = 1
    gap: str = ""
    seconds: float = 0.0

    def pace(self, profile: ProfileName) -> Pace:
        return Pace(3, 2, self.seconds, warmups=2, lead_in=1)

    def images_per_call(self, of_target: int) -> int:
        return self.images or of_target

    def measure(self, subject: Subject, batches: Sequence[Batch], seed: int) -> Series:
        if self.gap:
            raise Unavailable(self.gap)
        seconds = []
        for batch in batches:
            begin = time.perf_counter()
            subject.generate(batch)
            seconds.append(time.perf_counter() - begin)
        return {"": seconds, "seed": [seed % 1000]}

    def flaw(self, rounds: Sequence[Series]) -> str:
        return ""


class First(Brisk):
    """What the first call of two fresh processes takes."""

    kind: ClassVar[Literal["start"]] = "start"  # type: ignore[assignment]

    def pace(self, profile: ProfileName) -> Pace:
        return Pace(2, 1)


class Later(First):
    """What a call of three fresh processes takes."""

    kind: ClassVar[Literal["process"]] = "process"  # type: ignore[assignment]

    def pace(self, profile: ProfileName) -> Pace:
        return Pace(3, 1)


class Paged(Brisk):
    """Page faults while 60 MB are allocated and freed, more than glibc keeps by default; not of the first time."""

    def measure(self, subject: Subject, batches: Sequence[Batch], seed: int) -> Series:
        faults = []
        for _ in range(3):
            before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
            _ = [b"." * (20_000_000 + more) for more in range(3)]
            faults.append(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
        return {"": faults[1:]}


class PagedBefore(Later):
    """The same in fresh processes, before any turn."""

    measure = Paged.measure


class Counted(First):
    """Something that no target changes."""

    kind: ClassVar[Literal["checkpoint"]] = "checkpoint"  # type: ignore[assignment]

    def pace(self, profile: ProfileName) -> Pace:
        return Pace(1, 1)


class Learned(Counted):
    """Needs a library that nobody else needs, and notes whether it was there (1) when the model was loaded."""

    libraries: ClassVar[tuple[str, ...]] = ("ensurepip",)

    def measure(self, subject: Subject, batches: Sequence[Batch], seed: int) -> Series:
        return {"": [float(set(self.libraries) <= subject.model.at_load)]}


class Stopwatch(Settings):
    """A metric that reads scenarios."""

    unit: ClassVar[str] = "s"
    higher_is_better: ClassVar[bool | None] = False
    inputs: ClassVar[Inputs] = Inputs.TIMINGS
    paper: ClassVar[str] = ""

    scenarios: tuple[str, ...] = ("brisk",)

    def compute(self, inputs: TimingInputs) -> Mapping[str, Estimate | str]:
        return {"": f"{len(inputs.timings)} timings"}


ENTRY_POINTS = """
[evalsuite.models]
scripted = tests.profiling.scripted:Scripted
[evalsuite.targets]
bare = tests.profiling.scripted:Bare
[evalsuite.scenarios]
brisk = tests.profiling.scripted:Brisk
paged = tests.profiling.scripted:Paged
paged_before = tests.profiling.scripted:PagedBefore
first = tests.profiling.scripted:First
later = tests.profiling.scripted:Later
counted = tests.profiling.scripted:Counted
learned = tests.profiling.scripted:Learned
[evalsuite.metrics]
stopwatch = tests.profiling.scripted:Stopwatch
"""


def installed(folder: Path, name: str, entry_points: str) -> Path:
    """A folder that, once on the path, has these plug-ins as pip would install them: by a folder of metadata."""
    metadata = folder / "site" / f"{name}-1.0.dist-info"
    metadata.mkdir(parents=True)
    (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text(entry_points)
    return metadata.parent


@pytest.fixture
def one_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of each model takes all turns, for tests that are not about several."""
    monkeypatch.setitem(PROCESSES, "ci", 1)  # type: ignore[arg-type]


@pytest.fixture
def scripted_plugins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Install the plug-ins, for this process and its children."""
    monkeypatch.syspath_prepend(str(installed(tmp_path, "scripted", ENTRY_POINTS)))
    plugins.names.cache_clear()
    plugins.find.cache_clear()
    yield
    plugins.names.cache_clear()
    plugins.find.cache_clear()
