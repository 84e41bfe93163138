"""The zoo's denoiser: a small class-conditional UNet under EDM preconditioning.

The UNet follows Ho et al. 2020 (residual blocks, one attention level) on pixel-unshuffled images; the preconditioning
is Karras et al. 2022, "Elucidating the Design Space of Diffusion-Based Generative Models", table 1.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

SIGMA_DATA = 0.7


@dataclass(frozen=True)
class UNetConfig:
    """Shape of one denoiser; stored in the checkpoint's metadata.

    Attributes:
        width: channels at the finest level; the next level has twice as many.
        num_classes: labels run from 0 to ``num_classes - 1``; ``num_classes`` itself is the null label.
        image_size: height and width in pixels; must be divisible by 4.
        image_channels: channels of the image that is denoised.
        cond_channels: channels of a conditioning image that is concatenated to the input; 0 for none.
    """

    width: int = 64
    num_classes: int = 10
    image_size: int = 28
    image_channels: int = 1
    cond_channels: int = 0

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


def groups_for(channels: int) -> int:
    """Number of GroupNorm groups: 8 channels or more in each."""
    return min(16, channels // 8)


def zeroed(layer: nn.Conv2d) -> nn.Conv2d:
    """The layer with all weights 0, so that a new block begins as its skip connection."""
    for parameter in layer.parameters():
        nn.init.zeros_(parameter)
    return layer


class ResidualBlock(nn.Module):
    """GroupNorm - SiLU - conv twice, modulated by the embedding (scale and shift), with a skip."""

    def __init__(self, in_channels: int, out_channels: int, embedding_dim: int) -> None:
        super().__init__()
        self.norm1 = nn.GroupNorm(groups_for(in_channels), in_channels)
        self.conv1 = nn.Conv2d(in_channels, out_channels, 3, padding=1)
        self.affine = nn.Linear(embedding_dim, 2 * out_channels)
        self.norm2 = nn.GroupNorm(groups_for(out_channels), out_channels)
        self.conv2 = zeroed(nn.Conv2d(out_channels, out_channels, 3, padding=1))
        self.skip = nn.Identity() if in_channels == out_channels else nn.Conv2d(in_channels, out_channels, 1)

    def forward(self, x: Tensor, embedding: Tensor) -> Tensor:
        h = self.conv1(F.silu(self.norm1(x)))
        scale, shift = self.affine(embedding)[:, :, None, None].chunk(2, dim=1)
        h = self.conv2(F.silu(self.norm2(h) * (1 + scale) + shift))
        out: Tensor = self.skip(x) + h
        return out


class SelfAttention(nn.Module):
    """Multi-head self-attention over the pixels, with a skip."""

    def __init__(self, channels: int, head_dim: int = 32) -> None:
        super().__init__()
        self.num_heads = max(1, channels // head_dim)
        self.norm = nn.GroupNorm(groups_for(channels), channels)
        self.qkv = nn.Conv2d(channels, 3 * channels, 1)
        self.out = zeroed(nn.Conv2d(channels, channels, 1))

    def forward(self, x: Tensor) -> Tensor:
        b, c, h, w = x.shape
        qkv = self.qkv(self.norm(x)).reshape(b, 3, self.num_heads, c // self.num_heads, h * w)
        q, k, v = qkv.transpose(-1, -2).unbind(dim=1)
        attended = F.scaled_dot_product_attention(q, k, v)
        out: Tensor = x + self.out(attended.transpose(-1, -2).reshape(b, c, h, w))
        return out


class FourierEmbedding(nn.Module):
    """Sinusoidal features of a scalar, ``[B] -> [B, dim]``."""

    frequencies: Tensor

    def __init__(self, dim: int) -> None:
        super().__init__()
        frequencies = torch.exp(torch.linspace(0, math.log(100.0), dim // 2))
        self.register_buffer("frequencies", frequencies, persistent=False)

    def forward(self, t: Tensor) -> Tensor:
        angles = t[:, None].float() * self.frequencies[None].float()
        return torch.cat([angles.cos(), angles.sin()], dim=1)


class UNet(nn.Module):
    """The raw network ``F(x, c_noise, label)`` of EDM; two resolutions after a pixel-unshuffle by 2."""

    def __init__(self, config: UNetConfig) -> None:
        super().__init__()
        self.config = config
        fine, coarse = config.width, 2 * config.width
        dim = 4 * config.width
        self.noise_embedding = FourierEmbedding(config.width)
        self.noise_mlp = nn.Sequential(nn.Linear(config.width, dim), nn.SiLU(), nn.Linear(dim, dim))
        self.label_embedding = nn.Embedding(config.num_classes + 1, dim)
        self.stem = nn.Conv2d(4 * (config.image_channels + config.cond_channels), fine, 3, padding=1)
        self.fine_down = nn.ModuleList(ResidualBlock(fine, fine, dim) for _ in range(2))
        self.downsample = nn.Conv2d(fine, coarse, 3, stride=2, padding=1)
        self.coarse_down = nn.ModuleList(ResidualBlock(coarse, coarse, dim) for _ in range(2))
        self.attention = SelfAttention(coarse)
        self.middle = ResidualBlock(coarse, coarse, dim)
        self.upsample = nn.Conv2d(coarse, 4 * fine, 1)
        self.fine_up = nn.ModuleList(ResidualBlock(2 * fine, fine, dim) for _ in range(2))
        self.out_norm = nn.GroupNorm(groups_for(fine), fine)
        self.out = zeroed(nn.Conv2d(fine, 4 * config.image_channels, 3, padding=1))

    def forward(self, x: Tensor, c_noise: Tensor, labels: Tensor) -> Tensor:
        dtype = self.stem.weight.dtype
        noise_level = self.noise_mlp(self.noise_embedding(c_noise).to(dtype))
        embedding = F.silu(noise_level + self._embedded(labels))
        h = self.stem(F.pixel_unshuffle(x.to(dtype), 2))
        skips = [h]
        for block in self.fine_down:
            h = block(h, embedding)
        skips.append(h)
        h = self.downsample(h)
        for block in self.coarse_down:
            h = block(h, embedding)
        h = self.middle(self.attention(h), embedding)
        h = F.pixel_shuffle(self.upsample(h), 2)
        for block in self.fine_up:
            h = block(torch.cat([h, skips.pop()], dim=1), embedding)
        return F.pixel_shuffle(self.out(F.silu(self.out_norm(h))), 2)

    def _embedded(self, labels: Tensor) -> Tensor:
        weight = self.label_embedding.weight
        embedded: Tensor = labels.to(weight.dtype) @ weight if labels.dim() == 2 else self.label_embedding(labels)
        return embedded


class Denoiser(nn.Module):
    """``D(x; sigma, label)``: the expected clean image given a noisy one (Karras et al. 2022, eq. 7)."""

    def __init__(self, config: UNetConfig) -> None:
        super().__init__()
        self.config = config
        self.unet = UNet(config)

    def forward(self, x: Tensor, sigma: Tensor, labels: Tensor, cond: Tensor | None = None) -> Tensor:
        """Denoise.

        Args:
            x: float32 ``[B, C, H, W]``, clean image in [-1, 1] plus noise of standard deviation ``sigma``; the
                network may compute in another dtype, the preconditioning does not.
            sigma: float ``[B]``, above 0.
            labels: int64 ``[B]``; ``num_classes`` is the null label. Or the weights with which the embeddings of all
                labels are mixed, float ``[B, num_classes + 1]``.
            cond: float ``[B, cond_channels, H, W]`` in [-1, 1] for models with a conditioning image.

        Returns:
            float32 ``[B, C, H, W]``, not clipped.
        """
        s = sigma[:, None, None, None]
        norm = (s**2 + SIGMA_DATA**2).sqrt()
        c_skip = SIGMA_DATA**2 / norm**2
        c_out = s * SIGMA_DATA / norm
        scaled = x / norm
        if cond is not None:
            scaled = torch.cat([scaled, cond], dim=1)
        denoised: Tensor = c_skip * x + c_out * self.unet(scaled, sigma.log() / 4, labels).to(x.dtype)
        return denoised
