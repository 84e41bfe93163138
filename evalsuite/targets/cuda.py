"""Target ``cuda``: one NVIDIA GPU."""

from __future__ import annotations

import ctypes
import os
from importlib.metadata import PackageNotFoundError, version
from typing import Any, ClassVar, Literal

from pydantic import Field

from evalsuite.errors import Unavailable
from evalsuite.records import Scalar
from evalsuite.targets._processor import processor, set_threads
from evalsuite.targets.contract import TargetSettings


class Cuda(TargetSettings):
    """An NVIDIA GPU, deterministic and in full precision; see :class:`evalsuite.targets.contract.Target`.

    Attributes:
        index: which of the visible devices.
    """

    device: ClassVar[str] = "cuda"

    dtype: Literal["float32", "bfloat16", "float16"] = "float32"
    index: int = Field(default=0, ge=0)

    def unavailable_reason(self) -> str | None:
        """Asks the driver, not PyTorch, so that planning a run stays quick."""
        found = len(visible_devices())
        if found == 0:
            return "no CUDA device on this machine"
        if self.index >= found:
            return f"CUDA device {self.index} was asked for and this machine has {found}"
        try:
            if version("torch").endswith("+cpu"):
                return "the installed PyTorch has no CUDA support; install a build that has it (see pytorch.org)"
        except PackageNotFoundError:
            return "PyTorch is not installed"
        return None

    def hardware(self) -> dict[str, Scalar]:
        return {"device": self.device, "device_name": visible_devices()[self.index], **processor()}

    def pixel_settings(self) -> dict[str, Scalar]:
        return {"device": self.device, "dtype": self.dtype, "batch_size": self.batch_size}

    def start(self) -> None:
        """Choose kernels that repeat bit for bit: no TensorFloat-32, no search for the fastest convolution.

        Raises:
            Unavailable: PyTorch cannot use the device.
        """
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # cuBLAS repeats only with a fixed workspace
        import torch

        if not torch.cuda.is_available():
            raise Unavailable("PyTorch cannot use the CUDA device; torch.cuda.is_available() is false")
        set_threads(self.threads)
        torch.set_grad_enabled(False)
        torch.cuda.set_device(self.index)
        torch.backends.cuda.matmul.allow_tf32 = False
        torch.backends.cudnn.allow_tf32 = False
        torch.backends.cudnn.benchmark = False
        torch.backends.cudnn.deterministic = True
        torch.cuda.reset_peak_memory_stats()

    def prepare(self, module: Any) -> Any:
        import torch

        return module.to(device=f"cuda:{self.index}", dtype=getattr(torch, self.dtype)).eval()

    def synchronize(self) -> None:
        import torch

        torch.cuda.synchronize()

    def peak_device_bytes(self) -> tuple[int, int] | None:
        import torch

        return torch.cuda.max_memory_allocated(), torch.cuda.max_memory_reserved()

    def reset_device_peak(self) -> None:
        import torch

        torch.cuda.reset_peak_memory_stats()


def visible_devices() -> list[str]:
    """Names of the CUDA devices that the driver shows to this process, ``CUDA_VISIBLE_DEVICES`` respected."""
    try:
        driver = ctypes.CDLL("libcuda.so.1")
    except OSError:
        return []
    count = ctypes.c_int(0)
    if driver.cuInit(0) != 0 or driver.cuDeviceGetCount(ctypes.byref(count)) != 0:
        return []
    return [_device_name(driver, index) for index in range(count.value)]


def _device_name(driver: ctypes.CDLL, index: int) -> str:
    name = ctypes.create_string_buffer(256)
    device = ctypes.c_int(0)
    if driver.cuDeviceGet(ctypes.byref(device), index) != 0 or driver.cuDeviceGetName(name, len(name), device) != 0:
        return "unknown"
    return name.value.decode("utf-8", "replace")
