"""Eight-bit weights: the scheme in numbers, which layers get it, and what a bundled model loses."""

from __future__ import annotations

import subprocess
import sys
from typing import Any, Literal

import numpy as np
import pytest
import torch
import torchao
from numpy.typing import NDArray
from torch import nn

from evalsuite.models.contract import Batch, NoProbe
from evalsuite.models.zoo import Zoo
from evalsuite.targets._int8_network import quantize
from evalsuite.targets.cpu import Cpu

Scheme = Literal["int8_weight_only", "int8_dynamic"]
SCHEMES: tuple[Scheme, ...] = ("int8_weight_only", "int8_dynamic")
CONVOLUTIONS = {1: nn.Conv1d, 2: nn.Conv2d, 3: nn.Conv3d}


@pytest.fixture(autouse=True)
def _seeded() -> None:
    torch.manual_seed(0)


def step(weight: torch.Tensor) -> torch.Tensor:
    """The distance of two neighbours of the 255 of each output channel, ``[out, 1, ...]`` (Krishnamoorthi 2018)."""
    largest = weight.detach().abs().flatten(1).amax(dim=1) * 2 / 255
    return largest.reshape(-1, *[1] * (weight.dim() - 1))


@pytest.mark.parametrize("dims", CONVOLUTIONS)
@pytest.mark.parametrize("options", [{}, {"groups": 2, "stride": 2, "padding": 1, "padding_mode": "circular"}])
def test_a_convolution_computes_with_its_rounded_weights(dims: int, options: dict[str, Any]) -> None:
    layer, twin = (CONVOLUTIONS[dims](4, 6, 3, **options) for _ in range(2))
    before = layer.weight.detach().clone()
    images = torch.randn(2, 4, *[8] * dims)
    with torch.inference_mode():
        quantize(layer, "int8_weight_only")
        rounded = layer.weight.dequantize()
        twin.load_state_dict({"weight": rounded, "bias": layer.bias})
        torch.testing.assert_close(layer(images), twin(images))
    levels = rounded / step(before)
    torch.testing.assert_close(levels, levels.round(), rtol=0, atol=1e-3)
    assert ((rounded - before).abs() <= 0.501 * step(before)).all()
    assert layer.weight.dtype == torch.float32


def test_a_linear_layer_keeps_rounded_weights_and_dynamically_rounds_its_input_too() -> None:
    plain, weight_only, dynamic = (nn.Linear(32, 16, bias=False) for _ in range(3))
    for layer in (weight_only, dynamic):
        layer.load_state_dict(plain.state_dict())
    quantize(weight_only, "int8_weight_only")
    quantize(dynamic, "int8_dynamic")
    rows = torch.randn(5, 32)
    with torch.inference_mode():
        rounded = weight_only.weight.dequantize()
        assert ((rounded - plain.weight).abs() <= 0.501 * step(plain.weight)).all()
        torch.testing.assert_close(weight_only(rows), rows @ rounded.T)
        bound = 0.501 * step(rows) * rounded.abs().sum(dim=1)  # half a step at every number of the input
        error = (dynamic(rows) - rows @ rounded.T).abs()
        assert error.max() > 0
        assert (error <= bound).all()


@pytest.mark.parametrize("scheme", SCHEMES)
def test_layers_that_are_to_stay_and_other_layers_are_left_alone(scheme: Scheme) -> None:
    network = nn.Sequential(nn.Conv2d(4, 4, 3), nn.Conv2d(4, 4, 3), nn.Linear(4, 4), nn.GroupNorm(2, 4))
    quantize(network, scheme, leave={"1.weight"})
    int8 = [
        name for name, parameter in network.named_parameters() if isinstance(parameter, torchao.quantization.Int8Tensor)
    ]
    assert int8 == ["0.weight", "2.weight"]


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_bundled_model_takes_a_quarter_of_the_memory_and_loses_little(scheme: Scheme, dtype: Any) -> None:
    whole, small = Cpu(threads=1), Cpu(threads=1, dtype=dtype, quantize=scheme)
    error = images(whole).astype(float) - images(small)
    assert 40 < 10 * np.log10(255**2 / np.square(error).mean()) < 55
    assert small.weights()["int8_layers"] == 31
    assert small.weights()["float_layers"] == 0
    assert small.weights()["parameters"] == whole.weights()["parameters"] == 1_866_180
    assert 3.8 < whole.weights()["weight_bytes"] / small.weights()["weight_bytes"] < 4.0


def images(target: Cpu) -> NDArray[np.uint8]:
    ids = np.arange(4)
    with Zoo(name="fashion-1step").open(target) as model:
        return model.generate(Batch(ids, ids, ids), NoProbe())


def test_settings_of_the_process_stay_as_they_were() -> None:
    """torchao's recommended ones would turn TensorFloat-32 on."""
    code = (
        "import torch; from torch import nn; from evalsuite.targets._int8_network import quantize\n"
        "quantize(nn.Linear(4, 4), 'int8_dynamic')\n"
        "print(torch.get_float32_matmul_precision(), torch.backends.cuda.matmul.allow_tf32)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120)
    assert done.stdout.split() == ["highest", "False"]


def test_no_model_is_charged_for_the_library() -> None:
    code = "import sys; from evalsuite.targets.cpu import Cpu; Cpu(quantize='int8_dynamic').start()"
    code += "; print('torchao' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120)
    assert done.stdout.strip() == "True"


def test_without_the_package_the_target_is_unavailable_and_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    target = Cpu(quantize="int8_dynamic")
    assert target.unavailable_reason() is None
    monkeypatch.setattr("evalsuite.targets._torch_target._torchao_version", lambda: None)
    assert Cpu().unavailable_reason() is None
    assert target.unavailable_reason() == (
        "quantize: int8_dynamic needs the package torchao; install it with: pip install 'evalsuite[quantize]'"
    )


def test_images_and_timings_are_told_apart_and_the_library_is_named() -> None:
    for settings in (Cpu(quantize="int8_dynamic").pixel_settings(), Cpu(quantize="int8_dynamic").environment()):
        assert settings["quantize"] == "int8_dynamic"
        assert settings["torchao"] == torchao.__version__
    assert "quantize" not in Cpu().pixel_settings() | Cpu().environment()
