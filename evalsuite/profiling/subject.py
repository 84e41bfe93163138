"""The child's side of profiling: one model, alone in its process, that generates when it is told to."""

from __future__ import annotations

import gc
import platform
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from importlib.metadata import version
from typing import Any, NamedTuple

from evalsuite import plugins
from evalsuite.errors import Failed
from evalsuite.models.contract import Batch, ModelAdapter, NoProbe
from evalsuite.profiling.memory import PeakMemory
from evalsuite.records import Scalar
from evalsuite.targets.contract import Target


class SubjectSpec(NamedTuple):
    """Which model on which target, by plug-in names and settings; picklable."""

    adapter: str
    settings: Mapping[str, Any]
    device: str
    target_settings: Mapping[str, Any]


class Peak(NamedTuple):
    """Peak memory in bytes.

    Attributes:
        process: of the process above its idle state.
        device: on the device; None where it has no memory of its own.
        source: where the process's peak was read; see :class:`evalsuite.profiling.memory.PeakMemory`.
    """

    process: int
    device: int | None
    source: str


class Subject:
    """Loads the model once, then generates batches on request; made by an executor in a fresh process."""

    def __init__(self, spec: SubjectSpec) -> None:
        self._target: Target = plugins.find("targets", spec.device).model_validate(spec.target_settings)
        self._target.start()
        import torch  # noqa: F401 - loaded before the idle state, so that no model is charged for the library

        adapter: ModelAdapter = plugins.find("models", spec.adapter).model_validate(spec.settings)
        gc.collect()
        self._memory = PeakMemory()
        self._stack = ExitStack()
        self._model = self._stack.enter_context(adapter.open(self._target))

    def environment(self) -> dict[str, Scalar]:
        """What must be equal for two timings to be compared."""
        return {
            **self._target.hardware(),
            "threads": self._target.threads,
            "dtype": self._target.dtype,
            "torch": version("torch"),
            "python": platform.python_version(),
        }

    def peak_memory(self, batch: Batch) -> Peak:
        """Generate one batch; the peak since before the model was loaded."""
        self._generate(batch)
        return Peak(self._memory.above_idle(), self._target.peak_device_bytes(), self._memory.source)

    def time(self, batches: Sequence[Batch]) -> list[float]:
        """Seconds of one call each, the device's work included.

        Raises:
            Failed: the model returned another number of images than it was asked for.
        """
        gc.collect()  # every turn begins alike; collections that the model causes belong to its time
        return [self._generate(batch) for batch in batches]

    def close(self) -> None:
        self._stack.close()

    def _generate(self, batch: Batch) -> float:
        probe = NoProbe()
        self._target.synchronize()
        begin = time.perf_counter_ns()
        images = self._model.generate(batch, probe)
        self._target.synchronize()
        end = time.perf_counter_ns()
        if len(images) != len(batch.sample_ids):
            raise Failed(f"returned {len(images)} images for a batch of {len(batch.sample_ids)}")
        return (end - begin) / 1e9
