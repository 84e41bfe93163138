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


@pytest.mark.parametrize("settings", [{"dtype": "int8"}, {"threads": 0}, {"batch_size": 0}, {"cores": 2}])
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
    for other in (Cpu(dtype="bfloat16"), Cpu(threads=1), Cpu(batch_size=2)):
        assert other.pixel_settings() != base


@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "float16"])
def test_prepare_moves_a_module_to_its_dtype_in_eval_mode(dtype: str) -> None:
    import torch

    target = Cpu.model_validate({"dtype": dtype})
    module = target.prepare(torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.Dropout()))
    target.synchronize()
    assert module[0].weight.dtype == getattr(torch, dtype)
    assert not module.training
    assert target.peak_device_bytes() is None


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
        "for name in ('cpu', 'cuda'):\n"
        "    target = plugins.find('targets', name)(); target.unavailable_reason(); target.pixel_settings()\n"
        "print('torch' in sys.modules)"
    )
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert answer.stdout.strip() == "False"
