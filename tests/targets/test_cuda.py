"""An NVIDIA GPU as a target; what needs one is skipped without it."""

from __future__ import annotations

import time

import numpy as np
import pytest

from evalsuite import plugins
from evalsuite.errors import Failed
from evalsuite.models.contract import Batch, NoProbe
from evalsuite.models.zoo import Zoo
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


def test_compilation_needs_its_tools(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cuda, "visible_devices", lambda: ["GPU"])
    monkeypatch.setattr(cuda, "version", lambda package: "2.15.0")
    monkeypatch.setattr(cuda, "triton_reason", lambda: "no triton")
    assert Cuda().unavailable_reason() is None
    assert Cuda(compile=True).unavailable_reason() == "no triton"


def test_its_name_for_pytorch_has_the_number() -> None:
    assert Cuda(index=1).torch_device == "cuda:1"


def test_moments_are_noted_by_the_device_and_read_once_it_has_passed_them(monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    passed: list[str] = []

    class Event:
        """What stands for the driver: a moment is known once somebody has waited for it, in milliseconds."""

        def __init__(self, enable_timing: bool = False) -> None:
            assert enable_timing

        def record(self, stream: str) -> None:
            self.moment = {"first": 1.0, "second": 3.0, "third": 10.0}[stream]

        def synchronize(self) -> None:
            passed.append("waited")

        def elapsed_time(self, end: Event) -> float:
            assert passed
            return end.moment - self.moment

    streams = iter(["first", "second", "third"])
    monkeypatch.setattr(torch.cuda, "Event", Event)
    monkeypatch.setattr(torch.cuda, "current_stream", lambda index: next(streams) if index == 1 else None)
    target = Cuda(index=1)
    marks = [target.mark() for _ in range(3)]
    assert not passed
    assert target.seconds_between(marks) == [0.002, 0.007]


@pytest.mark.gpu
@needs_device
def test_seconds_of_the_device_are_those_of_a_clock_that_waits_for_it() -> None:
    import torch

    target = Cuda()
    target.start()
    matrix = torch.ones(4096, 4096, device="cuda")
    matrix @ matrix
    target.synchronize()
    begin, marks = time.perf_counter(), [target.mark()]
    for _ in range(2):
        for _ in range(50):
            matrix @ matrix
        marks.append(target.mark())
    waited_for = time.perf_counter()
    parts = target.seconds_between(marks)
    whole = time.perf_counter() - begin
    assert waited_for - begin < 0.5 * whole
    assert sum(parts) == pytest.approx(whole, rel=0.05)
    assert parts[0] == pytest.approx(parts[1], rel=0.2)


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
    allocated, reserved = target.peak_device_bytes()
    assert images.nbytes <= allocated <= reserved


@pytest.mark.gpu
@needs_device
@pytest.mark.parametrize(
    "settings",
    [{"dtype": "float16"}, {"dtype": "bfloat16", "channels_last": True}, {"compile": True}]
    + [{"dtype": "bfloat16", "quantize": scheme} for scheme in ("int8_weight_only", "int8_dynamic")],
    ids=str,
)
def test_a_bundled_model_runs_in_every_form_and_stays_near(settings: dict[str, object]) -> None:
    ids = np.arange(4)
    found = []
    for target in (Cuda(), Cuda.model_validate(settings)):
        target.start()
        with Zoo(name="fashion-1step").open(target) as model:
            found.append(model.generate(Batch(ids, ids, ids), NoProbe()).astype(float))
    assert np.square(found[0] - found[1]).mean() < 10


@pytest.mark.gpu
@needs_device
def test_a_model_over_the_memory_limit_fails_with_the_reason() -> None:
    import torch

    target = Cuda(memory_limit=500_000_000)
    target.start()
    with pytest.raises(torch.OutOfMemoryError) as caught:
        torch.ones(10**9, device=target.torch_device)
    torch.cuda.set_per_process_memory_fraction(1.0)
    assert (
        str(target.explained(Failed(f"OutOfMemoryError: {caught.value}")))
        == "needs more memory than the target's limit of 500 MB"
    )
