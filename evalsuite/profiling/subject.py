"""The child's side of profiling: one model, alone in its process, that does what a scenario tells it."""

from __future__ import annotations

import gc
import platform
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from importlib.metadata import version
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from evalsuite import plugins
from evalsuite.errors import Failed, Skipped, Unavailable
from evalsuite.models.contract import Batch, ModelAdapter, NoProbe, Probe
from evalsuite.profiling.memory import PeakMemory
from evalsuite.records import Scalar
from evalsuite.scenarios.contract import Peak, Scenario
from evalsuite.targets.contract import Target


class SubjectSpec(NamedTuple):
    """Which model on which target, by plug-in names and settings; picklable."""

    adapter: str
    settings: Mapping[str, Any]
    device: str
    target_settings: Mapping[str, Any]


class Turn(NamedTuple):
    """What came of one turn.

    Attributes:
        series: what the scenario noted.
        last: ids int64 ``[B]`` and images uint8 ``[B, C, H, W]`` of the last call; None where there was none.
    """

    series: dict[str, list[float]]
    last: tuple[NDArray[np.int64], NDArray[np.uint8]] | None


class Subject:
    """Loads the model once, then does what it is told; made by an executor in a fresh process.

    See :class:`evalsuite.scenarios.contract.Subject` for what scenarios see of it.
    """

    def __init__(self, spec: SubjectSpec) -> None:
        self.target: Target = plugins.find("targets", spec.device).model_validate(spec.target_settings)
        self.target.start()
        import torch  # noqa: F401 - loaded before the idle state, so that no model is charged for the library

        self.adapter: ModelAdapter = plugins.find("models", spec.adapter).model_validate(spec.settings)
        self._stack = ExitStack()
        self._last: tuple[NDArray[np.int64], NDArray[np.uint8]] | None = None
        gc.collect()
        self._memory = PeakMemory()
        begin = time.perf_counter()
        self.model: Any = self._stack.enter_context(self.adapter.open(self.target))
        self.target.synchronize()
        self.load_s = time.perf_counter() - begin
        self.load_peak = self.peak()

    @property
    def resettable(self) -> bool:
        return self._memory.source == "VmHWM"

    def generate(self, batch: Batch, probe: Probe | None = None) -> NDArray[np.uint8]:
        images: NDArray[np.uint8] = self.model.generate(batch, NoProbe() if probe is None else probe)
        self.target.synchronize()
        if len(images) != len(batch.sample_ids):
            raise Failed(f"returned {len(images)} images for a batch of {len(batch.sample_ids)}")
        self._last = batch.sample_ids, images
        return images

    def reset_peak(self) -> None:
        self._memory.reset()
        self.target.reset_device_peak()

    def peak(self) -> Peak:
        return self._memory.peak(self.target)

    # --- what the parent calls ---

    def environment(self) -> dict[str, Scalar]:
        """What must be equal for two timings to be compared."""
        return {
            **self.target.hardware(),
            "threads": self.target.threads,
            "dtype": self.target.dtype,
            "memory_source": self._memory.source,
            "torch": version("torch"),
            "python": platform.python_version(),
        }

    def warm_up(self, batches: Sequence[Batch]) -> float:
        """Generate so many batches; the fastest took so many seconds."""
        fastest = float("inf")
        for batch in batches:
            begin = time.perf_counter()
            self.generate(batch)
            fastest = min(fastest, time.perf_counter() - begin)
        return fastest

    def measure(self, scenario: Scenario, lead_in: Sequence[Batch], batches: Sequence[Batch], seed: int) -> Any:
        """A :class:`Turn`, or why this scenario is not for this model or machine, which ends nothing else.

        Raises:
            Failed: the model did not do what it was asked for.
        """
        gc.collect()  # every turn begins alike; collections that the model causes belong to its time
        for batch in lead_in:
            self.generate(batch)
        try:
            series = scenario.measure(self, batches, seed)
        except (Skipped, Unavailable) as error:
            return error
        return Turn({name: [float(value) for value in values] for name, values in series.items()}, self._last)

    def close(self) -> None:
        self._stack.close()
