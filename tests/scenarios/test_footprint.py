"""Parameters and operations of the bundled models against independent counts."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
import torch

from evalsuite.models.contract import Batch, Capabilities, NoProbe
from evalsuite.models.zoo import Zoo, checkpoint
from evalsuite.scenarios.footprint import Footprint
from evalsuite.targets.cpu import Cpu
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
        found = Footprint().measure(Opened(adapter, model), batches(1), seed=0)
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
