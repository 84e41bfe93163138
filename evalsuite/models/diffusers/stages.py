"""What a pipeline's parts do while it is called: stages for the probe, and the denoiser's evaluations counted."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import wraps
from typing import Any

from evalsuite.models.contract import NoProbe, Probe
from evalsuite.models.diffusers.kinds import DENOISERS

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]


class Watch:
    """Makes each call of a part a stage, and counts the denoiser's.

    Attributes:
        probe: told of the stages.
        step: steps of the scheduler so far.
        rows: images that the denoiser has seen so far, each evaluation on its own.
    """

    def __init__(self) -> None:
        self.start(NoProbe())

    def start(self, probe: Probe) -> None:
        """A new call of the pipeline begins."""
        self.probe, self.step, self.rows = probe, 0, 0

    @contextmanager
    def over(self, pipeline: Any, compiled: Decorator) -> Iterator[None]:
        """Watch the parts of a pipeline, with its denoiser compiled; afterwards they are as they were."""
        with ExitStack() as undo:
            for name, part in pipeline.components.items():
                if name.startswith("text_encoder") and part is not None:
                    undo.enter_context(_replaced(part, "forward", self._staged("text_encoder")))
                elif name in DENOISERS and part is not None:
                    undo.enter_context(_replaced(part, "forward", compiled))
                    undo.enter_context(_replaced(part, "forward", self._denoising))
                elif name == "vae" and part is not None:
                    undo.enter_context(_replaced(part, "decode", self._staged("decode")))
                elif name == "scheduler":
                    undo.enter_context(_replaced(part, "step", self._stepping))
            yield

    def _staged(self, stage: str) -> Decorator:
        def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
            @wraps(function)
            def staged(*args: Any, **kwargs: Any) -> Any:
                with self.probe.stage(stage):
                    return function(*args, **kwargs)

            return staged

        return decorate

    def _denoising(self, function: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(function)
        def denoising(*args: Any, **kwargs: Any) -> Any:
            self.rows += len(args[0] if args else next(iter(kwargs.values())))
            with self.probe.stage("denoise", self.step):
                return function(*args, **kwargs)

        return denoising

    def _stepping(self, function: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(function)
        def stepping(*args: Any, **kwargs: Any) -> Any:
            self.step += 1
            return function(*args, **kwargs)

        return stepping


@contextmanager
def _replaced(owner: Any, name: str, decorate: Decorator) -> Iterator[None]:
    """A method of one object, decorated; taken back, since an object that refers to itself keeps its memory."""
    before = owner.__dict__.get(name)
    owner.__dict__[name] = decorate(getattr(owner, name))
    try:
        yield
    finally:
        if before is None:
            del owner.__dict__[name]
        else:
            owner.__dict__[name] = before
