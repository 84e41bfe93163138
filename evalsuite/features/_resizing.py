"""How images come to the size of a network: the conventions of three tools, each under its own name.

The same network gives Fréchet distances that differ by some per cent between them, so the name is part of the protocol.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image

if TYPE_CHECKING:
    from torch import Tensor

Convention = Literal["clean", "tf1", "antialias"]


def resized(images: NDArray[np.uint8], side: int, convention: Convention) -> Tensor:
    """Images of another size, not rounded.

    Args:
        images: uint8 ``[B, C, H, W]``.
        side: height and width of the result.
        convention: ``clean`` (clean-fid: Pillow's bicubic filter on float32, Parmar et al. 2022, arXiv:2104.11222),
            ``tf1`` (torch-fidelity: TensorFlow 1's bilinear interpolation, corner to corner, not antialiased), or
            ``antialias`` (torchmetrics: PyTorch's antialiased bilinear filter).

    Returns:
        float32 tensor ``[B, C, side, side]`` in [0, 255].
    """
    import torch
    import torch.nn.functional as F

    if convention == "clean":
        return torch.from_numpy(_by_pillow(images, side))
    pixels = torch.from_numpy(np.ascontiguousarray(images)).float()
    if convention == "antialias":
        return F.interpolate(pixels, size=(side, side), mode="bilinear", align_corners=False, antialias=True)
    rows, columns = (torch.from_numpy(_tensorflow_weights(length, side)) for length in images.shape[2:])
    return rows @ pixels @ columns.T


def _by_pillow(images: NDArray[np.uint8], side: int) -> NDArray[np.float32]:
    """Channel by channel, as 32-bit floating point; what the filter overshoots is cut off."""
    height, width = images.shape[2:]
    channels = images.reshape(-1, height, width).astype(np.float32)
    found = [np.asarray(Image.fromarray(one).resize((side, side), Image.Resampling.BICUBIC)) for one in channels]
    return np.stack(found).clip(0, 255).reshape(*images.shape[:2], side, side)


@cache
def _tensorflow_weights(length: int, side: int) -> NDArray[np.float32]:
    """Weights ``[side, length]`` of each old pixel in each new one: pixel i is looked up at i * length / side."""
    positions = np.arange(side, dtype=np.float32) * np.float32(length / side)
    lower = np.floor(positions).astype(np.int64)
    upper = np.minimum(lower + 1, length - 1)
    share = positions - lower
    weights = np.zeros((side, length), np.float32)
    np.add.at(weights, (np.arange(side), lower), 1 - share)
    np.add.at(weights, (np.arange(side), upper), share)
    return weights
