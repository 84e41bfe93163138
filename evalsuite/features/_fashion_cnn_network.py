"""The network of the ``fashion-cnn`` extractor: a small convolutional classifier, 64 features before its last layer."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

FEATURE_DIM = 64
NUM_CLASSES = 10


def conv_block(in_channels: int, out_channels: int, stride: int = 1) -> nn.Sequential:
    """3x3 convolution, batch normalisation, SiLU."""
    convolution = nn.Conv2d(in_channels, out_channels, 3, stride=stride, padding=1, bias=False)
    return nn.Sequential(convolution, nn.BatchNorm2d(out_channels), nn.SiLU())


class FashionCnnNetwork(nn.Module):
    """Six convolutions, average pooling, 64 features, 10 logits."""

    def __init__(self) -> None:
        super().__init__()
        self.trunk = nn.Sequential(
            conv_block(1, 32),
            conv_block(32, 32, stride=2),
            conv_block(32, 64),
            conv_block(64, 64, stride=2),
            conv_block(64, 128),
            conv_block(128, 128),
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
        )
        self.features = nn.Linear(128, FEATURE_DIM)
        self.head = nn.Linear(FEATURE_DIM, NUM_CLASSES)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Classify.

        Args:
            images: float ``[B, 1, 28, 28]`` in [-1, 1].

        Returns:
            features float ``[B, 64]`` (before the activation, so that they are not half zeros), logits ``[B, 10]``.
        """
        features = self.features(self.trunk(images))
        return features, self.head(F.dropout(F.silu(features), 0.2, self.training))


def as_input(images: Tensor) -> Tensor:
    """uint8 ``[B, 1, 28, 28]`` to float32 in [-1, 1]."""
    return images.to(torch.float32) / 127.5 - 1
