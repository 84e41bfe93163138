"""What a hardware target is."""

from __future__ import annotations

from typing import Any, ClassVar, Protocol

from pydantic import Field

from evalsuite.records import Scalar
from evalsuite.settings import Settings


class TargetSettings(Settings):
    """Fields that every target has; one class a device kind derives from it and adds its methods.

    Attributes:
        dtype: of weights and computation.
        threads: CPU threads of the child process; None for all cores.
        batch_size: images in one call of generation and of the throughput scenario.
    """

    dtype: str = "float32"
    threads: int | None = Field(default=None, ge=1)
    batch_size: int = Field(default=64, ge=1)


class Target(Protocol):
    """A device kind with its settings; derives from :class:`TargetSettings`. Import and description need no torch."""

    device: ClassVar[str]

    @property
    def dtype(self) -> str: ...

    @property
    def threads(self) -> int | None: ...

    @property
    def batch_size(self) -> int: ...

    def unavailable_reason(self) -> str | None:
        """Why this machine cannot run it; None where it can."""
        ...

    def hardware(self) -> dict[str, Scalar]:
        """Names of the processor and of the device: timings from other hardware are not compared or re-used."""
        ...

    def pixel_settings(self) -> dict[str, Scalar]:
        """What can change the images, for the cache key: device kind, dtype, threads, batch size."""
        ...

    def start(self) -> None:
        """Once in a fresh child process, before a model is loaded: threads, determinism, memory limit."""
        ...

    def prepare(self, module: Any) -> Any:
        """Move a ``torch.nn.Module`` to the device, in its dtype and memory format, in eval mode."""
        ...

    def synchronize(self) -> None:
        """Wait for the device's work to end."""
        ...

    def peak_device_bytes(self) -> tuple[int, int] | None:
        """Largest memory on the device since ``start`` or the last reset: allocated, and reserved by the allocator
        whether in use or not; None where the device has no memory of its own."""
        ...

    def reset_device_peak(self) -> None:
        """From now on ``peak_device_bytes`` is of what follows."""
        ...
