"""An NVIDIA GPU as a target; what needs one is skipped without it."""

from __future__ import annotations

import numpy as np
import pytest

from evalsuite import plugins
from evalsuite.targets import cuda
from evalsuite.targets.contract import Target
from evalsuite.targets.cuda import Cuda

needs_device = pytest.mark.skipif(Cuda().unavailable_reason() is not None, reason=str(Cuda().unavailable_reason()))


def test_is_found_by_its_name_and_keeps_the_contract() -> None:
    target: Target = Cuda()
    assert plugins.find("targets", target.device) is Cuda


@pytest.mark.parametrize(
    ("devices", "index", "reason"),
    [
        (0, 0, "no CUDA device on this machine"),
        (1, 1, "CUDA device 1 was asked for and this machine has 1"),
    ],
)
def test_reason_names_what_is_missing(monkeypatch: pytest.MonkeyPatch, devices: int, index: int, reason: str) -> None:
    monkeypatch.setattr(cuda, "visible_devices", lambda: ["GPU"] * devices)
    assert Cuda(index=index).unavailable_reason() == reason


@pytest.mark.parametrize(("torch_version", "works"), [("2.15.0+cpu", False), ("2.15.0+cu130", True), ("2.15.0", True)])
def test_torch_built_without_cuda_is_told(monkeypatch: pytest.MonkeyPatch, torch_version: str, works: bool) -> None:
    monkeypatch.setattr(cuda, "visible_devices", lambda: ["GPU"])
    monkeypatch.setattr(cuda, "version", lambda package: torch_version)
    assert (Cuda().unavailable_reason() is None) == works


@pytest.mark.gpu
@needs_device
def test_same_convolution_twice_gives_the_same_bits_and_its_memory_is_counted() -> None:
    import torch

    target = Cuda()
    target.start()
    module = target.prepare(torch.nn.Conv2d(8, 8, 3))
    images = torch.ones(4, 8, 64, 64, device="cuda")
    first, second = (module(images).cpu().numpy() for _ in range(2))
    target.synchronize()
    np.testing.assert_array_equal(first, second)
    allocated, reserved = target.peak_device_bytes() or (0, 0)
    assert images.nbytes <= allocated <= reserved
