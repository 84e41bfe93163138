"""Target ``cuda``: one NVIDIA GPU."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterator, Sequence
from importlib.metadata import PackageNotFoundError, version
from itertools import pairwise
from typing import Any, ClassVar

from pydantic import Field

from evalsuite.errors import Unavailable
from evalsuite.records import Scalar
from evalsuite.targets._compiler import triton_reason
from evalsuite.targets._processor import processor, set_threads
from evalsuite.targets._torch_target import TorchTarget


class Cuda(TorchTarget):
    """An NVIDIA GPU, deterministic and in full precision; see :class:`evalsuite.targets.contract.Target`.

    Attributes:
        index: which of the visible devices.
    """

    device: ClassVar[str] = "cuda"

    index: int = Field(default=0, ge=0)

    @property
    def torch_device(self) -> str:
        return f"cuda:{self.index}"

    def _reasons(self) -> Iterator[str]:
        found = len(visible_devices())
        if found == 0:
            yield "no CUDA device on this machine"
        elif self.index >= found:
            yield f"CUDA device {self.index} was asked for and this machine has {found}"
        try:
            if version("torch").endswith("+cpu"):
                yield "the installed PyTorch has no CUDA support; install a build that has it (see pytorch.org)"
        except PackageNotFoundError:
            yield "PyTorch is not installed"
        if self.compile and (reason := triton_reason()) is not None:
            yield reason
        yield from self._torchao_reasons()

    def hardware(self) -> dict[str, Scalar]:
        return {"device": self.device, "device_name": visible_devices()[self.index], **processor()}

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
        self.import_libraries()
        torch.cuda.set_device(self.index)
        torch.backends.cuda.matmul.allow_tf32 = False
        torch.backends.cudnn.allow_tf32 = False
        torch.backends.cudnn.benchmark = False
        torch.backends.cudnn.deterministic = True
        if self.memory_limit is not None:
            share = self.memory_limit / torch.cuda.get_device_properties(self.index).total_memory
            torch.cuda.set_per_process_memory_fraction(min(share, 1.0), self.index)
        torch.cuda.reset_peak_memory_stats()

    def synchronize(self) -> None:
        import torch

        torch.cuda.synchronize()

    def mark(self) -> Any:
        import torch

        event = torch.cuda.Event(enable_timing=True)  # type: ignore[no-untyped-call]
        event.record(torch.cuda.current_stream(self.index))
        return event

    def seconds_between(self, marks: Sequence[Any]) -> list[float]:
        marks[-1].synchronize()
        return [begin.elapsed_time(end) / 1000 for begin, end in pairwise(marks)]

    def peak_device_bytes(self) -> tuple[int, int]:
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
