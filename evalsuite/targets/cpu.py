"""Target ``cpu``: this machine's processor."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from evalsuite.records import Scalar
from evalsuite.targets._compiler import cpp_reason
from evalsuite.targets._memory import can_limit, limit_process
from evalsuite.targets._processor import available_cores, bind, can_bind, processor, set_threads, waiting
from evalsuite.targets._torch_target import TorchTarget


class Cpu(TorchTarget):
    """The processor; see :class:`evalsuite.targets.contract.Target`."""

    device: ClassVar[str] = "cpu"

    def _reasons(self) -> Iterator[str]:
        cores = available_cores()
        if self.threads is not None and self.threads > cores:
            yield f"it asks for {self.threads} threads and this process may use {cores} of the machine's cores"
        if self.memory_limit is not None and not can_limit():
            yield "memory_limit of a processor can be enforced on Linux only; leave it out"
        if self.compile and (reason := cpp_reason()) is not None:
            yield reason
        yield from self._torchao_reasons()

    def hardware(self) -> dict[str, Scalar]:
        return {"device": self.device, **processor()}

    def environment(self) -> dict[str, Scalar]:
        return {**super().environment(), **waiting()}

    def pixel_settings(self) -> dict[str, Scalar]:
        return {**super().pixel_settings(), "threads": self.threads}

    def start(self) -> None:
        set_threads(self.threads)
        self.import_libraries()
        if self.memory_limit is not None:
            limit_process(self.memory_limit)

    def pin(self) -> None:
        if self.threads is not None and can_bind():
            bind(self.threads)

    def synchronize(self) -> None:
        """Nothing to wait for: a call on the processor returns when its work is done."""

    def peak_device_bytes(self) -> tuple[int, int] | None:
        return None

    def reset_device_peak(self) -> None:
        """Nothing to forget."""
