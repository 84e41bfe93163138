"""The child's side of a contract check: a model alone in its process, which generates what it is told to."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from traceback import extract_tb
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evalsuite import plugins
from evalsuite.errors import EvalsuiteError, Failed, Unavailable
from evalsuite.models.contract import Batch, LoadedModel, ModelAdapter
from evalsuite.pipeline.flags import FlagKeeper
from evalsuite.profiling.subject import SubjectSpec
from evalsuite.targets.contract import Target

Stage = tuple[str, int | None]


@dataclass(frozen=True)
class Trial:
    """What one call of a model's code came to.

    Attributes:
        returned: what came back, for people: ``uint8 [4, 1, 28, 28]`` or ``a list``.
        images: what came back, if it is an array of numbers.
        error: what the code raised, and where; empty if it returned.
        stages: names and steps of the stages, in the order in which they began.
        seconds: how long it took.
    """

    returned: str = ""
    images: NDArray[Any] | None = None
    error: str = ""
    stages: tuple[Stage, ...] = ()
    seconds: float = 0.0


class Examinee:
    """Loads the model when it is told to, then generates batches; made by an executor in a fresh process.

    What the model's code raises is an answer. What this machine lacks ends the examination.
    """

    def __init__(self, spec: SubjectSpec) -> None:
        self._target: Target = plugins.find("targets", spec.device).model_validate(spec.target_settings)
        self._adapter: ModelAdapter = plugins.find("models", spec.adapter).model_validate(spec.settings)
        self._stack = ExitStack()
        self._model: LoadedModel | None = None

    def open(self) -> Trial:
        """Load the model onto the target.

        Raises:
            Unavailable: a package, weights, a device or memory is missing.
        """
        self._target.start()
        begin = time.perf_counter()
        try:
            self._model = self._stack.enter_context(self._adapter.open(self._target))
        except Exception as error:
            return Trial(error=_sentence(error, "this model"))
        return Trial(seconds=time.perf_counter() - begin)

    def generate(self, batch: Batch) -> Trial:
        """Generate a batch.

        Raises:
            Unavailable: a package, weights or memory is missing.
        """
        assert self._model is not None, "open() comes first"
        count = len(batch.sample_ids)
        probe = _Recorder(count)
        begin = time.perf_counter()
        try:
            returned: Any = self._model.generate(batch, probe)
        except Exception as error:
            return Trial(error=_sentence(error, f"{count} images at once"), stages=tuple(probe.stages))
        seconds = time.perf_counter() - begin
        if not isinstance(returned, np.ndarray) or returned.dtype.kind not in "biuf":
            return Trial(_described(returned), stages=tuple(probe.stages), seconds=seconds)
        return Trial(_described(returned), np.ascontiguousarray(returned), "", tuple(probe.stages), seconds)

    def close(self) -> None:
        self._stack.close()


class _Recorder(FlagKeeper):
    """A probe that checks flags, and keeps the names and steps of stages."""

    def __init__(self, size: int) -> None:
        super().__init__(size)
        self.stages: list[Stage] = []

    def stage(self, name: str, step: int | None = None) -> AbstractContextManager[None]:
        return self._stage(str(name), None if step is None else int(step))

    @contextmanager
    def _stage(self, name: str, step: int | None) -> Iterator[None]:
        self.stages.append((name, step))
        yield


def _described(value: Any) -> str:
    kind = type(value)
    name = kind.__name__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__name__}"
    dtype, shape = getattr(value, "dtype", None), getattr(value, "shape", None)
    if isinstance(value, np.ndarray):
        return f"{value.dtype} {list(value.shape)}"
    return f"a {name}" + ("" if dtype is None or shape is None else f" ({dtype} {list(shape)})")


def _sentence(error: Exception, load: str) -> str:
    """What the code raised, and the last line that is not a library's.

    Raises:
        Unavailable: it ran out of memory, or said itself that this machine lacks something.
    """
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        raise Unavailable(f"not enough memory for {load}; try fewer --samples, or another target") from error
    if isinstance(error, EvalsuiteError):
        if not isinstance(error, Failed):
            raise error
        return str(error)
    frames = extract_tb(error.__traceback__)
    frame = next((one for one in reversed(frames) if "site-packages" not in one.filename), frames[-1])
    return f"{type(error).__name__}: {error} ({Path(frame.filename).name}, line {frame.lineno})"
