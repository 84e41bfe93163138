"""The child's side of profiling: one model, alone in its process, that does what a scenario tells it."""

from __future__ import annotations

import gc
import platform
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from importlib import import_module
from importlib.metadata import version
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from evalsuite import plugins
from evalsuite.errors import Failed, Skipped, Unavailable
from evalsuite.models.contract import Batch, Importing, ModelAdapter, NoProbe, Probe
from evalsuite.profiling.allocator import keep_freed_memory
from evalsuite.profiling.gpu import device_uuid
from evalsuite.profiling.memory import PeakMemory
from evalsuite.profiling.quiet import ProcessorTime, ReferenceComputation
from evalsuite.profiling.room import Need
from evalsuite.records import Scalar
from evalsuite.scenarios.contract import Peak, Scenario
from evalsuite.targets.contract import Target


class SubjectSpec(NamedTuple):
    """Which model on which target, by plug-in names and settings; picklable."""

    adapter: str
    settings: Mapping[str, Any]
    device: str
    target_settings: Mapping[str, Any]

    def target(self) -> Target:
        target: Target = plugins.find("targets", self.device).model_validate(self.target_settings)
        return target


class Turn(NamedTuple):
    """What came of one turn.

    Attributes:
        series: what the scenario noted.
        call_s: seconds of the median call, whatever the scenario makes of its calls; 0 where it made none.
        clock_s: seconds of the reference computation, before and after.
        waiting: share of the time that the model wanted a processor and had to wait; None where nobody tells.
        last: ids int64 ``[B]`` and images uint8 ``[B, C, H, W]`` of the last call; None where there was none.
    """

    series: dict[str, list[float]]
    call_s: float
    clock_s: float
    waiting: float | None
    last: tuple[NDArray[np.int64], NDArray[np.uint8]] | None


class Subject:
    """Loads the model once, then does what it is told; made by an executor in a fresh process.

    Being made is what all models have alike, interpreter and libraries; it takes seconds, and several may do it at the
    same time. What is measured begins with ``load``.

    See :class:`evalsuite.scenarios.contract.Subject` for what scenarios see of it.

    Args:
        spec: of the model and its target.
        libraries: modules that scenarios need besides.
    """

    def __init__(self, spec: SubjectSpec, libraries: Sequence[str] = ()) -> None:
        self.target = spec.target()
        self.target.start()
        self._environment = self.target.environment()  # of the machine, before this process leaves some of its cores
        self.target.pin()
        import torch  # noqa: F401 - loaded before the idle state, so that no model is charged for the library

        self.adapter: ModelAdapter = plugins.find("models", spec.adapter).model_validate(spec.settings)
        if isinstance(self.adapter, Importing):
            self.adapter.import_libraries()
        for library in libraries:
            import_module(library)
        self._stack = ExitStack()
        self._last: tuple[NDArray[np.int64], NDArray[np.uint8]] | None = None
        self._calls_s: list[float] = []
        gc.freeze()  # a look at all objects of the libraries takes longer than small models do to load

    def load(self) -> None:
        """From nothing to a model that can be called."""
        gc.collect()
        self._memory = PeakMemory()
        self._peaks: list[Peak] = []
        begin = time.perf_counter()
        self.model: Any = self._stack.enter_context(self.adapter.open(self.target))
        self.target.synchronize()
        self.load_s = time.perf_counter() - begin
        self.load_peak = self.peak()
        self._reference: ReferenceComputation | None = None
        gc.collect()
        gc.freeze()  # so that the collection before every turn need not look at libraries and weights again

    @property
    def resettable(self) -> bool:
        return self._memory.source == "VmHWM"

    def generate(self, batch: Batch, probe: Probe | None = None) -> NDArray[np.uint8]:
        begin = time.perf_counter()
        images: NDArray[np.uint8] = self.model.generate(batch, NoProbe() if probe is None else probe)
        self.target.synchronize()
        self._calls_s.append(time.perf_counter() - begin)
        if len(images) != len(batch.sample_ids):
            raise Failed(f"returned {len(images)} images for a batch of {len(batch.sample_ids)}")
        self._last = batch.sample_ids, images
        return images

    def reset_peak(self) -> None:
        self._peaks.append(self.peak())
        self._memory.reset()
        self.target.reset_device_peak()

    def peak(self) -> Peak:
        return self._memory.peak(self.target)

    # --- what the parent calls ---

    def ready(self) -> None:
        """There is nothing left to do before ``load``."""

    def environment(self) -> dict[str, Scalar]:
        """What must be equal for two timings to be compared."""
        return {
            **self._environment,
            "memory_source": self._memory.source,
            "torch": version("torch"),
            "python": platform.python_version(),
        }

    def device_uuid(self) -> str:
        """See :func:`evalsuite.profiling.gpu.device_uuid`."""
        return device_uuid(self.target.device)

    def need(self) -> Need:
        """Memory that the process has needed so far."""
        peaks = [*self._peaks, self.peak()]
        return Need(
            host=self._memory.idle + max(peak.process for peak in peaks),
            device=max(peak.device_reserved or 0 for peak in peaks),
            device_total=_device_bytes(self.target),
        )

    def warm_up(self, batches: Sequence[Batch]) -> float:
        """Generate so many batches; the fastest took so many seconds.

        From here on the process keeps what it frees, like one that has served for long; the memory and the cold start
        of a model are measured before.
        """
        keep_freed_memory()
        return min(self._seconds_of(batch) for batch in batches)

    def measure(self, scenario: Scenario, lead_in: Sequence[Batch], batches: Sequence[Batch], seed: int) -> Any:
        """A :class:`Turn`, or why this scenario is not for this model or machine, which ends nothing else.

        Raises:
            Failed: the model did not do what it was asked for.
        """
        gc.collect()  # every turn begins alike; collections that the model causes belong to its time
        clock_s = self._clock_s() if scenario.kind == "turns" else 0.0
        for batch in lead_in:
            self.generate(batch)
        self._calls_s.clear()
        before = ProcessorTime.now()
        try:
            series = scenario.measure(self, batches, seed)
        except (Skipped, Unavailable) as error:
            return error
        after = ProcessorTime.now()
        return Turn(
            series={name: [float(value) for value in values] for name, values in series.items()},
            call_s=float(np.median(self._calls_s)) if self._calls_s else 0.0,
            clock_s=(clock_s + self._clock_s()) / 2 if scenario.kind == "turns" else 0.0,
            waiting=None if before is None or after is None else after.share_waited(before),
            last=self._last,
        )

    def audit(self, batches: Sequence[Batch]) -> list[tuple[float, float]]:
        """Seconds of each batch, and of the same batch again right after."""
        return [(self._seconds_of(batch), self._seconds_of(batch)) for batch in batches]

    def close(self) -> None:
        gc.unfreeze()
        self._stack.close()

    def _seconds_of(self, batch: Batch) -> float:
        self.generate(batch)
        return self._calls_s[-1]

    def _clock_s(self) -> float:
        """Only those who take turns pay for it: it is not to stand in the memory of the others."""
        if self._reference is None:
            self._reference = ReferenceComputation(self.target)
        return self._reference.seconds()


def _device_bytes(target: Target) -> int:
    """Memory of the target's device; 0 where it has none of its own, or does not tell."""
    if target.device != "cuda":
        return 0
    import torch

    return torch.cuda.mem_get_info()[1]
