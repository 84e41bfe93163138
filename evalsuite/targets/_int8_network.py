"""Layers with eight-bit weights, by torchao, and the convolution that torchao leaves out.

The scheme is that of Krishnamoorthi 2018 (arXiv 1806.08342, section 3): symmetric, weights in [-128, 127], one scale an
output channel, s = 2 max|w| / 255. Dynamic quantisation also brings each row of a linear layer's input to eight bits,
with a scale found when it is seen. It is imported inside functions only, since it imports torch.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Literal

import torch.nn.functional as F
from torch import nn
from torchao.quantization import Int8DynamicActivationInt8WeightConfig, Int8Tensor, Int8WeightOnlyConfig, quantize_
from torchao.quantization.granularity import PerAxis

_CONVOLUTIONS = {nn.Conv1d: F.conv1d, nn.Conv2d: F.conv2d, nn.Conv3d: F.conv3d}


class Int8ConvolutionWeight(Int8Tensor):  # type: ignore[misc]
    """A convolution's weight ``[out, in / groups, *kernel]``, kept in eight bits and computed with in its own type."""


@Int8ConvolutionWeight.implements_torch_function(list(_CONVOLUTIONS.values()))  # type: ignore[untyped-decorator]
def _convolve(function: Any, types: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    images, weight, *rest = args
    return function(images, weight.dequantize(), *rest, **kwargs)


def quantize(
    network: nn.Module, scheme: Literal["int8_weight_only", "int8_dynamic"], leave: Collection[str] = ()
) -> None:
    """Replace the weights of linear layers and convolutions, in place.

    Convolutions are never dynamic: no library that is kept up has an eight-bit one for all devices.

    Args:
        network: on its device, in its type.
        scheme: what becomes of linear layers.
        leave: parameters, by name, that stay as they are.
    """
    config = {"int8_weight_only": Int8WeightOnlyConfig, "int8_dynamic": Int8DynamicActivationInt8WeightConfig}[scheme]
    # Without its settings of Inductor, which would turn TensorFloat-32 on for all that the process computes.
    quantize_(network, config(set_inductor_config=False), lambda layer, name: _is(layer, nn.Linear, name, leave))
    for name, layer in network.named_modules():
        if _is(layer, tuple(_CONVOLUTIONS), name, leave):
            weight = Int8ConvolutionWeight.from_hp(layer.weight, granularity=PerAxis(0))
            layer.weight = nn.Parameter(weight, requires_grad=False)


def _is(layer: nn.Module, kinds: type | tuple[type, ...], name: str, leave: Collection[str]) -> bool:
    return isinstance(layer, kinds) and f"{name}.weight" not in leave
