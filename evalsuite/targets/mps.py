"""Target ``mps``: the GPU of a Mac with Apple silicon, by Metal Performance Shaders."""

from __future__ import annotations

import platform
from collections.abc import Iterator
from typing import ClassVar

from evalsuite.errors import Unavailable
from evalsuite.records import Scalar
from evalsuite.targets._processor import processor, set_threads
from evalsuite.targets._torch_target import TorchTarget


class Mps(TorchTarget):
    """Apple's GPU, which shares the machine's memory; see :class:`evalsuite.targets.contract.Target`."""

    device: ClassVar[str] = "mps"

    def _reasons(self) -> Iterator[str]:
        if (platform.system(), platform.machine()) != ("Darwin", "arm64"):
            yield (
                f"no MPS device: this machine runs {platform.system()} on {platform.machine()}, and MPS is the GPU of "
                "a Mac with Apple silicon"
            )
        yield from self._torchao_reasons()

    def hardware(self) -> dict[str, Scalar]:
        return {"device": self.device, **processor()}

    def start(self) -> None:
        """Set threads and the memory limit.

        Raises:
            Unavailable: PyTorch cannot use the device.
        """
        import torch

        if not torch.backends.mps.is_available():
            raise Unavailable("PyTorch cannot use the MPS device; torch.backends.mps.is_available() is false")
        set_threads(self.threads)
        torch.set_grad_enabled(False)
        self.import_libraries()
        if self.memory_limit is not None:
            share = self.memory_limit / torch.mps.recommended_max_memory()
            torch.mps.set_per_process_memory_fraction(min(share, 1.0))

    def synchronize(self) -> None:
        import torch

        torch.mps.synchronize()

    def peak_device_bytes(self) -> tuple[int, int]:
        """Metal keeps no peak. What it holds for this process is one, since PyTorch keeps what it has freed."""
        import torch

        held = torch.mps.driver_allocated_memory()
        return held, held

    def reset_device_peak(self) -> None:
        import torch

        torch.mps.empty_cache()
