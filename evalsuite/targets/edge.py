"""Target ``edge``: a small device, as one core and little memory of this machine's processor."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from pydantic import Field, model_validator

from evalsuite.records import Scalar
from evalsuite.settings import Bytes
from evalsuite.targets._processor import available_cores, bind, can_bind, set_threads
from evalsuite.targets.cpu import Cpu


class Edge(Cpu):
    """The processor with less of it; its images are those of target ``cpu`` with as many threads.

    Attributes:
        cores: the process and all that it starts run on these alone.
        memory_limit: 600 MB by default; see :class:`evalsuite.targets.contract.TargetSettings`.
    """

    device: ClassVar[str] = "edge"

    cores: int = Field(default=1, ge=1)
    memory_limit: Bytes | None = Field(default=600_000_000, ge=1)

    @model_validator(mode="after")
    def _has_a_core_a_thread(self) -> Edge:
        if self.threads is not None and self.threads > self.cores:
            raise ValueError(f"found {self.threads} threads on {self.cores} cores, expected at most one thread a core")
        return self

    @property
    def torch_device(self) -> str:
        return Cpu.device

    def _reasons(self) -> Iterator[str]:
        available = available_cores()
        if not can_bind():
            yield "a process can be kept on some of the cores on Linux only; take the target cpu"
        elif self.cores > available:
            yield f"it asks for {self.cores} cores and this process may use {available} of the machine's cores"
        yield from super()._reasons()

    def hardware(self) -> dict[str, Scalar]:
        return {**super().hardware(), "cores": self.cores}

    def pixel_settings(self) -> dict[str, Scalar]:
        return {**super().pixel_settings(), "device": Cpu.device, "threads": self.threads or self.cores}

    def start(self) -> None:
        set_threads(self.threads or self.cores)
        import torch  # noqa: F401 - on all cores: when several processes start, one core would keep them waiting

        bind(self.cores)
        super().start()
