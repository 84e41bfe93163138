"""A small regression network for restoration: the expected image given its input, in one deterministic evaluation."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import torch.nn.functional as F
from torch import Tensor, nn


@dataclass(frozen=True)
class RegressionConfig:
    """Shape of the network; stored in the checkpoint's metadata.

    Attributes:
        width: channels.
        blocks: residual blocks of two convolutions.
        image_size: height and width in pixels; must be divisible by 2.
        image_channels: channels of the image.
    """

    width: int = 48
    blocks: int = 4
    image_size: int = 28
    image_channels: int = 1

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


class Block(nn.Module):
    """Convolution - SiLU - convolution, with a skip and no normalisation (Lim et al. 2017, EDSR)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(width, width, 3, padding=1)
        self.conv2 = nn.Conv2d(width, width, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = x + self.conv2(F.silu(self.conv1(x)))
        return out


class Regression(nn.Module):
    """Predicts what the input lacks; on pixel-unshuffled images, as the UNet of the zoo."""

    def __init__(self, config: RegressionConfig) -> None:
        super().__init__()
        self.config = config
        self.stem = nn.Conv2d(4 * config.image_channels, config.width, 3, padding=1)
        self.body = nn.Sequential(*(Block(config.width) for _ in range(config.blocks)))
        self.out = nn.Conv2d(config.width, 4 * config.image_channels, 3, padding=1)

    def forward(self, cond: Tensor) -> Tensor:
        """Restore.

        Args:
            cond: float ``[B, C, H, W]`` in [-1, 1].

        Returns:
            float ``[B, C, H, W]``, not clipped.
        """
        missing: Tensor = F.pixel_shuffle(self.out(self.body(self.stem(F.pixel_unshuffle(cond, 2)))), 2)
        return cond + missing
