"""The processor as a target."""

from __future__ import annotations

import subprocess
import sys

import pytest
from pydantic import ValidationError

from evalsuite import plugins
from evalsuite.targets._processor import available_cores
from evalsuite.targets.contract import Target
from evalsuite.targets.cpu import Cpu


def test_is_found_by_its_name_and_keeps_the_contract() -> None:
    target: Target = Cpu()
    assert plugins.find("targets", target.device) is Cpu


def test_all_cores_are_available_and_one_more_is_not() -> None:
    cores = available_cores()
    assert Cpu(threads=cores).unavailable_reason() is None
    assert f"{cores + 1} threads" in (Cpu(threads=cores + 1).unavailable_reason() or "")


@pytest.mark.parametrize(
    "settings",
    [
        {"dtype": "int8"},
        {"threads": 0},
        {"batch_size": 0},
        {"cores": 2},
        {"quantize": "int4"},
        {"memory_limit": "small"},
        {"memory_limit": 0},
        {"price_per_hour": -1},
    ],
)
def test_refuses_settings_that_make_no_sense(settings: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Cpu.model_validate(settings)


def test_hardware_names_the_processor_and_its_cores() -> None:
    hardware = Cpu().hardware()
    assert hardware["device"] == "cpu"
    assert hardware["processor"]
    assert hardware["cores"] == available_cores()


def test_pixels_depend_on_every_setting() -> None:
    base = Cpu().pixel_settings()
    for other in (Cpu(dtype="bfloat16"), Cpu(threads=1), Cpu(batch_size=2), Cpu(channels_last=True)):
        assert other.pixel_settings() != base


def test_a_price_changes_no_image_and_no_timing_and_a_memory_limit_decides_whether_there_are_images() -> None:
    dear, limited = Cpu(price_per_hour=3.5), Cpu(memory_limit=10**9)
    assert dear.pixel_settings() == Cpu().pixel_settings() != limited.pixel_settings()
    assert dear.environment() == Cpu().environment() == limited.environment()


def test_timings_depend_on_how_threads_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OMP_WAIT_POLICY", raising=False)
    plain = Cpu().environment()
    monkeypatch.setenv("OMP_WAIT_POLICY", "passive")
    assert Cpu().environment() == {**plain, "omp_wait_policy": "passive"}
    assert "omp_wait_policy" not in Cpu().pixel_settings()


def test_timings_depend_on_what_shapes_the_computation(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OMP_WAIT_POLICY", raising=False)
    environment = Cpu(threads=1).environment()
    assert {**Cpu().hardware(), "threads": 1, "dtype": "float32"} == environment
    for other in (Cpu(threads=1, dtype="bfloat16"), Cpu(threads=1, channels_last=True)):
        assert other.environment() != environment


@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "float16"])
def test_prepare_moves_a_module_to_its_dtype_in_eval_mode(dtype: str) -> None:
    import torch

    target = Cpu.model_validate({"dtype": dtype})
    module = target.prepare(torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.Dropout()))
    target.synchronize()
    assert module[0].weight.dtype == getattr(torch, dtype)
    assert not module.training
    assert target.peak_device_bytes() is None


def test_what_a_model_must_obey_is_what_is_not_plain() -> None:
    assert Cpu(threads=1, batch_size=2, price_per_hour=1.0).demands() == {}
    assert Cpu(compile=True, quantize="int8_dynamic", memory_limit=10**9).demands() == {
        "compile": True,
        "quantize": "int8_dynamic",
        "memory_limit": 10**9,
    }


def test_what_is_kept_stays_in_its_type_and_is_not_quantised() -> None:
    import torch

    network = torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.Linear(2, 2), torch.nn.BatchNorm1d(2))
    before = network[1].weight.detach().clone()
    target = Cpu(dtype="bfloat16", quantize="int8_weight_only")
    target.place(network, keep={"1.weight", "2.running_mean"})
    assert torch.equal(network[1].weight, before)
    assert (network[2].running_mean.dtype, network[2].running_var.dtype) == (torch.float32, torch.bfloat16)
    assert (target.weights()["int8_layers"], target.weights()["float_layers"]) == (1, 1)


def test_channels_last_changes_the_layout_alone() -> None:
    import torch

    images = torch.randn(2, 3, 8, 8)
    layer = torch.nn.Conv2d(3, 4, 3)
    plain = layer(images).detach()
    found = Cpu(channels_last=True).prepare(layer)(images)
    assert found.is_contiguous(memory_format=torch.channels_last)
    torch.testing.assert_close(found, plain)


def test_weights_add_up_over_all_parts() -> None:
    import torch

    target = Cpu(dtype="bfloat16")
    assert target.weights() == {}
    target.prepare(torch.nn.Linear(3, 2))
    target.prepare(torch.nn.BatchNorm2d(4, affine=False))
    weights = target.weights()
    assert weights["parameters"] == 8
    assert weights["weight_bytes"] == 8 * 2 + 2 * 4 * 2 + 8  # weights and bias; mean and variance; batches seen


def test_start_sets_threads_and_leaves_torch_to_those_who_need_it() -> None:
    code = (
        "import sys; from evalsuite.targets.cpu import Cpu; Cpu(threads=1).start(); print('torch' in sys.modules)\n"
        "import torch; print(torch.get_num_threads()); Cpu(threads=2).start(); print(torch.get_num_threads())"
    )
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert answer.stdout.split() == ["False", "1", "2"]


def test_prepare_turns_gradients_off() -> None:
    import torch

    with torch.set_grad_enabled(True):
        Cpu().prepare(torch.nn.Linear(2, 2))
        assert not torch.is_grad_enabled()


def test_description_needs_no_torch() -> None:
    code = (
        "import sys; from evalsuite import plugins\n"
        "for name in ('cpu', 'cuda', 'edge', 'mps'):\n"
        "    target = plugins.find('targets', name)(compile=True, quantize='int8_dynamic')\n"
        "    target.unavailable_reason(); target.pixel_settings(); target.demands()\n"
        "print('torch' in sys.modules)"
    )
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert answer.stdout.strip() == "False"
