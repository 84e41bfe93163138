"""Parameters and operations of the bundled models against independent counts."""

from __future__ import annotations

import runpy
from dataclasses import dataclass, field, replace
from typing import Any

import diffusers
import numpy as np
import pytest
import torch

from evalsuite.models.contract import Batch, Capabilities, NoProbe
from evalsuite.models.diffusers import Diffusers
from evalsuite.models.onnx import Onnx
from evalsuite.models.torch_export import TorchExport
from evalsuite.models.zoo import Zoo, checkpoint
from evalsuite.scenarios.footprint import Footprint
from evalsuite.targets.cpu import Cpu
from tests.conftest import ROOT
from tests.models.graphs import as_onnx, as_pt2
from tests.scenarios.subjects import batches


@dataclass
class Opened:
    """A model of an adapter, in this process."""

    adapter: Any
    model: Any
    target: Any = field(default_factory=Cpu)

    def generate(self, batch: Batch, probe: Any = None) -> Any:
        return self.model.generate(batch, NoProbe())


def footprint(adapter: Any) -> dict[str, float]:
    with adapter.open(Cpu()) as model:
        prompts = ["a red shoe"] if adapter.capabilities().condition == "text" else None
        (batch,) = batches(1)
        found = Footprint().measure(Opened(adapter, model), [replace(batch, prompts=prompts)], seed=0)
    assert all(len(values) == 1 for values in found.values())
    return {name: values[0] for name, values in found.items()}


def operations_of_one_evaluation(name: str) -> int:
    """Twice the multiplications of every layer for one image, from the sizes of what goes through them."""
    net, counted = checkpoint.load(name), []

    def count(layer, inputs, output):
        x = inputs[0]
        if isinstance(layer, torch.nn.Conv2d):
            kernel = layer.weight[0].numel()
            counted.append(2 * kernel * output[0].numel())
        elif isinstance(layer, torch.nn.Linear):
            counted.append(2 * layer.in_features * layer.out_features)
        else:  # each pixel with each other, once for the weights and once for the sum
            _, channels, height, width = x.shape
            counted.append(2 * 2 * channels * (height * width) ** 2)

    for layer in net.modules():
        if isinstance(layer, torch.nn.Conv2d | torch.nn.Linear) or type(layer).__name__ == "SelfAttention":
            layer.register_forward_hook(count)
    net(torch.zeros(1, 1, 28, 28), torch.ones(1), torch.zeros(1, dtype=torch.int64))
    return sum(counted)


@pytest.mark.parametrize(
    ("adapter", "evaluations"),
    [(Zoo(name="fashion-1step"), 1), (Zoo(name="fashion-teacher", num_steps=3, guidance_scale=1.5), 6)],
)
def test_operations_are_those_of_all_evaluations(adapter, evaluations):
    found = footprint(adapter)
    assert found["nfe"] == evaluations
    assert found["flops"] == evaluations * operations_of_one_evaluation(adapter.name)


def test_parameters_and_bytes_are_those_of_the_file():
    found = footprint(Zoo(name="fashion-narrow"))
    weights = checkpoint.path_of("fashion-narrow")
    assert found["bytes"] == weights.stat().st_size
    assert found["parameters"] == sum(tensor.numel() for tensor in checkpoint.load("fashion-narrow").parameters())
    assert found[""] == 1


class OneConvolution(torch.nn.Module):
    """10 parameters; each of the 64 pixels is 9 products and their sum."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = torch.nn.Conv2d(1, 1, 3, padding=1)

    def forward(self, noise):
        return self.layer(noise)


NOISE = (torch.zeros(2, 1, 8, 8),)


def test_an_exported_program(tmp_path):
    path = as_pt2(OneConvolution(), NOISE, tmp_path / "net.pt2")
    found = footprint(TorchExport(path=path, image_shape=(1, 8, 8), nfe=1))
    assert found == {"": 1, "parameters": 10, "flops": 64 * 9 * 2, "bytes": path.stat().st_size, "nfe": 1}


def test_an_onnx_file_has_parameters_and_no_operations_that_pytorch_sees(tmp_path):
    path = as_onnx(OneConvolution(), NOISE, tmp_path / "net.onnx")
    found = footprint(Onnx(path=path, image_shape=(1, 8, 8)))
    assert found["parameters"] == 10
    assert found["bytes"] == path.stat().st_size
    assert {"flops", "nfe"}.isdisjoint(found)


def test_a_pipeline_of_several_networks(tmp_path):
    """Two steps with guidance see the denoiser four times, and the other networks as often as five steps do."""
    folder = runpy.run_path(str(ROOT / "suites" / "tiny_pipelines.py"))["make"]("stable-diffusion", tmp_path)
    plain = footprint(Diffusers(path=folder, num_steps=2))
    longer = footprint(Diffusers(path=folder, num_steps=5))
    pipeline = diffusers.DiffusionPipeline.from_pretrained(folder, use_safetensors=True)
    networks = (pipeline.unet, pipeline.vae, pipeline.text_encoder)
    counted = sum(parameter.numel() for network in networks for parameter in network.parameters())
    assert plain["parameters"] == longer["parameters"] >= counted
    assert (plain["nfe"], longer["nfe"]) == (4, 10)
    each, rest = np.linalg.solve([[4, 1], [10, 1]], [plain["flops"], longer["flops"]])
    assert each > 0
    assert rest > 0


class Foreign:
    """A model that runs elsewhere, or hides what it is."""

    def provenance(self) -> dict[str, Any]:
        return {"source": "https://example.org"}

    def capabilities(self) -> Any:
        return Capabilities(nfe=None)

    def generate(self, batch: Batch, probe: Any) -> Any:
        raise AssertionError("it is not asked for images")


def test_what_cannot_be_counted_is_left_out_and_no_image_is_asked_for():
    foreign = Foreign()
    assert Footprint().measure(Opened(foreign, foreign), batches(1), seed=0) == {"": [1.0]}


class Arrays(Foreign):
    """A model that computes without PyTorch, and knows its parameters."""

    def num_parameters(self) -> int:
        return 12

    def generate(self, batch: Batch, probe: Any) -> Any:
        return np.zeros((1, 1, 2, 2), np.uint8)


def test_operations_that_pytorch_does_not_see_are_not_counted_as_none():
    found = Footprint().measure(Opened(Arrays(), Arrays()), batches(1), seed=0)
    assert found == {"": [1.0], "parameters": [12.0]}


def test_a_compiled_network_is_counted_as_it_is_written():
    adapter = Zoo(name="fashion-1step")
    with adapter.open(Cpu()) as model:
        plain = Footprint().measure(Opened(adapter, model), batches(1), seed=0)
        model.net.forward = torch.compile(model.net.forward, backend="eager")
        compiled = Footprint().measure(Opened(adapter, model), batches(1), seed=0)
    assert compiled["flops"] == plain["flops"] > [0]


def test_it_is_counted_once_for_a_checkpoint():
    scenario = Footprint()
    assert (scenario.kind, scenario.images_per_call(64)) == ("checkpoint", 1)
    assert scenario.pace("strict").rounds == 1
    assert scenario.flaw([{"": [1.0]}]) == ""
