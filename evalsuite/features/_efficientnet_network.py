"""The network of the ``efficientnet-lite0`` extractor: EfficientNet-B0 without squeeze-and-excite, with ReLU6.

Parameters bear the names of the published file. For inference batch normalisation is folded into the convolutions, and
the channels of a pixel lie side by side.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

SIZE = 224
NUM_FEATURES = 1280
NUM_CLASSES = 1000
STEM_CHANNELS = 32
STAGES = (
    (1, 16, 1, 1, 3),
    (6, 24, 2, 2, 3),
    (6, 40, 2, 2, 5),
    (6, 80, 3, 2, 3),
    (6, 112, 3, 1, 5),
    (6, 192, 4, 2, 5),
    (6, 320, 1, 1, 3),
)
"""Expansion, channels, blocks, stride of the first block, kernel: table 1 of Tan and Le 2019 (arXiv:1905.11946)."""

NORM_OF = {
    "_conv_stem": "_bn0",
    "_expand_conv": "_bn0",
    "_depthwise_conv": "_bn1",
    "_project_conv": "_bn2",
    "_conv_head": "_bn1",
}
"""Which normalisation follows which convolution of the same module."""


class Convolution(nn.Conv2d):
    """Convolution padded as TensorFlow does: where the padding is odd, one more below and to the right."""

    def __init__(self, in_channels: int, out_channels: int, kernel: int, stride: int = 1, groups: int = 1) -> None:
        super().__init__(in_channels, out_channels, kernel, stride, groups=groups, bias=False)
        total = kernel - stride  # of an even side, as all are before a stride of 2
        self.before, self.after = total // 2, total - total // 2

    def forward(self, input: Tensor) -> Tensor:
        return super().forward(F.pad(input, (self.before, self.after) * 2))


class Block(nn.Module):
    """Inverted bottleneck: widened, filtered channel by channel, narrowed; added to its input where shapes agree."""

    def __init__(self, in_channels: int, out_channels: int, expansion: int, stride: int, kernel: int) -> None:
        super().__init__()
        wide = in_channels * expansion
        self.expands = expansion > 1
        self.adds = stride == 1 and in_channels == out_channels
        if self.expands:
            self._expand_conv = Convolution(in_channels, wide, 1)
            self._bn0 = normalisation(wide)
        self._depthwise_conv = Convolution(wide, wide, kernel, stride, groups=wide)
        self._bn1 = normalisation(wide)
        self._project_conv = Convolution(wide, out_channels, 1)
        self._bn2 = normalisation(out_channels)

    def forward(self, x: Tensor) -> Tensor:
        wide = F.relu6(self._bn0(self._expand_conv(x))) if self.expands else x
        filtered = F.relu6(self._bn1(self._depthwise_conv(wide)))
        narrow: Tensor = self._bn2(self._project_conv(filtered))
        return x + narrow if self.adds else narrow


class EfficientnetNetwork(nn.Module):
    """All of it; ``load_state_dict`` takes the published weights, ``folded`` makes it ready for use."""

    def __init__(self) -> None:
        super().__init__()
        self._conv_stem = Convolution(3, STEM_CHANNELS, 3, stride=2)
        self._bn0 = normalisation(STEM_CHANNELS)
        self._blocks = nn.ModuleList()
        channels = STEM_CHANNELS
        for expansion, out_channels, count, stride, kernel in STAGES:
            for i in range(count):
                self._blocks.append(Block(channels, out_channels, expansion, stride if i == 0 else 1, kernel))
                channels = out_channels
        self._conv_head = Convolution(channels, NUM_FEATURES, 1)
        self._bn1 = normalisation(NUM_FEATURES)
        self._fc = nn.Linear(NUM_FEATURES, NUM_CLASSES)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Features float32 ``[B, 1280]``, averaged over the picture, and logits float32 ``[B, 1000]``.

        Args:
            images: float32 ``[B, 3, 224, 224]`` in about [-1, 1].
        """
        x = F.relu6(self._bn0(self._conv_stem(images)))
        for block in self._blocks:
            x = block(x)
        features = F.relu6(self._bn1(self._conv_head(x))).mean(dim=(2, 3))
        return features, self._fc(features)

    def folded(self) -> EfficientnetNetwork:
        """This network for inference, without separate normalisations; it is changed."""
        self.eval().requires_grad_(False)
        for module in list(self.modules()):
            for convolution, norm in NORM_OF.items():
                if hasattr(module, convolution):
                    fused = fuse_conv_bn_eval(getattr(module, convolution), getattr(module, norm))
                    setattr(module, convolution, fused)
                    setattr(module, norm, nn.Identity())
        return self.to(memory_format=torch.channels_last)


def normalisation(channels: int) -> nn.BatchNorm2d:
    return nn.BatchNorm2d(channels, eps=0.001)
