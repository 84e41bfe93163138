"""Target ``cpu``: this machine's processor."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from evalsuite.records import Scalar
from evalsuite.targets._processor import available_cores, processor, set_threads
from evalsuite.targets.contract import TargetSettings


class Cpu(TargetSettings):
    """The processor, in one of PyTorch's floating-point types; see :class:`evalsuite.targets.contract.Target`."""

    device: ClassVar[str] = "cpu"

    dtype: Literal["float32", "bfloat16", "float16"] = "float32"

    def unavailable_reason(self) -> str | None:
        cores = available_cores()
        if self.threads is not None and self.threads > cores:
            return f"it asks for {self.threads} threads and this process may use {cores} of the machine's cores"
        return None

    def hardware(self) -> dict[str, Scalar]:
        return {"device": self.device, **processor()}

    def pixel_settings(self) -> dict[str, Scalar]:
        return {"device": self.device, "dtype": self.dtype, "threads": self.threads, "batch_size": self.batch_size}

    def start(self) -> None:
        set_threads(self.threads)

    def prepare(self, module: Any) -> Any:
        import torch

        torch.set_grad_enabled(False)
        return module.to(device="cpu", dtype=getattr(torch, self.dtype)).eval()

    def synchronize(self) -> None:
        """Nothing to wait for: a call on the processor returns when its work is done."""

    def peak_device_bytes(self) -> tuple[int, int] | None:
        return None

    def reset_device_peak(self) -> None:
        """Nothing to forget."""
