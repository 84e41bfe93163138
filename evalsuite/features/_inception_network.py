"""The network of the ``inception-v3`` extractor: Inception-v3 as TensorFlow ran it in 2015, on which FID is defined.

It differs from torchvision's: average pools leave the padding out, the last block pools by maximum, and there are 1008
classes. Parameters bear the names of the published file. For inference batch normalisation is folded into the
convolutions, and the channels of a pixel lie side by side.
"""

from __future__ import annotations

from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

SIZE = 299
NUM_CLASSES = 1008
LAYERS = (64, 192, 768, 2048)
"""Where features are taken, named by how many there are: after the two early pools, and around the last blocks."""

Side = int | tuple[int, int]


class ConvBlock(nn.Module):
    """Convolution, batch normalisation, ReLU; padded so that an odd kernel of stride 1 keeps the size."""

    def __init__(self, in_channels: int, out_channels: int, kernel: Side, stride: int = 1, padded: bool = True) -> None:
        super().__init__()
        height, width = (kernel, kernel) if isinstance(kernel, int) else kernel
        padding = (height // 2, width // 2) if padded and stride == 1 else (0, 0)
        self.conv = nn.Conv2d(in_channels, out_channels, (height, width), stride=stride, padding=padding, bias=False)
        self.bn = nn.BatchNorm2d(out_channels, eps=0.001)

    def forward(self, x: Tensor) -> Tensor:
        return F.relu_(self.bn(self.conv(x)))


class FoldedBlock(nn.Module):
    """The same function of a trained block, with its normalisation inside the convolution."""

    def __init__(self, block: ConvBlock) -> None:
        super().__init__()
        self.conv = fuse_conv_bn_eval(block.conv, block.bn)

    def forward(self, x: Tensor) -> Tensor:
        conv = self.conv
        if x.device.type != "cpu" or not torch.backends.mkldnn.is_available():  # type: ignore[no-untyped-call]
            return F.relu_(conv(x))
        # On one thread conv2d leaves 1x1 convolutions to a slower routine; asked for by name, oneDNN does them all.
        padding = cast(tuple[int, int], conv.padding)
        return F.relu_(torch.mkldnn_convolution(x, conv.weight, conv.bias, padding, conv.stride, conv.dilation, 1))


class InceptionA(nn.Module):
    """35x35: branches of 1x1, 5x5, two 3x3, and an average pool."""

    def __init__(self, in_channels: int, pool_channels: int) -> None:
        super().__init__()
        self.branch1x1 = ConvBlock(in_channels, 64, 1)
        self.branch5x5_1 = ConvBlock(in_channels, 48, 1)
        self.branch5x5_2 = ConvBlock(48, 64, 5)
        self.branch3x3dbl_1 = ConvBlock(in_channels, 64, 1)
        self.branch3x3dbl_2 = ConvBlock(64, 96, 3)
        self.branch3x3dbl_3 = ConvBlock(96, 96, 3)
        self.branch_pool = ConvBlock(in_channels, pool_channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        large = self.branch5x5_2(self.branch5x5_1(x))
        double = self.branch3x3dbl_3(self.branch3x3dbl_2(self.branch3x3dbl_1(x)))
        return torch.cat([self.branch1x1(x), large, double, self.branch_pool(average_pool(x))], 1)


class InceptionB(nn.Module):
    """35x35 to 17x17."""

    def __init__(self, in_channels: int) -> None:
        super().__init__()
        self.branch3x3 = ConvBlock(in_channels, 384, 3, stride=2)
        self.branch3x3dbl_1 = ConvBlock(in_channels, 64, 1)
        self.branch3x3dbl_2 = ConvBlock(64, 96, 3)
        self.branch3x3dbl_3 = ConvBlock(96, 96, 3, stride=2)

    def forward(self, x: Tensor) -> Tensor:
        double = self.branch3x3dbl_3(self.branch3x3dbl_2(self.branch3x3dbl_1(x)))
        return torch.cat([self.branch3x3(x), double, F.max_pool2d(x, 3, stride=2)], 1)


class InceptionC(nn.Module):
    """17x17: branches of 1x1, 7x7 and two 7x7 in rows and columns, and an average pool."""

    def __init__(self, in_channels: int, channels: int) -> None:
        super().__init__()
        self.branch1x1 = ConvBlock(in_channels, 192, 1)
        self.branch7x7_1 = ConvBlock(in_channels, channels, 1)
        self.branch7x7_2 = ConvBlock(channels, channels, (1, 7))
        self.branch7x7_3 = ConvBlock(channels, 192, (7, 1))
        self.branch7x7dbl_1 = ConvBlock(in_channels, channels, 1)
        self.branch7x7dbl_2 = ConvBlock(channels, channels, (7, 1))
        self.branch7x7dbl_3 = ConvBlock(channels, channels, (1, 7))
        self.branch7x7dbl_4 = ConvBlock(channels, channels, (7, 1))
        self.branch7x7dbl_5 = ConvBlock(channels, 192, (1, 7))
        self.branch_pool = ConvBlock(in_channels, 192, 1)

    def forward(self, x: Tensor) -> Tensor:
        single = self.branch7x7_3(self.branch7x7_2(self.branch7x7_1(x)))
        double = self.branch7x7dbl_3(self.branch7x7dbl_2(self.branch7x7dbl_1(x)))
        double = self.branch7x7dbl_5(self.branch7x7dbl_4(double))
        return torch.cat([self.branch1x1(x), single, double, self.branch_pool(average_pool(x))], 1)


class InceptionD(nn.Module):
    """17x17 to 8x8."""

    def __init__(self, in_channels: int) -> None:
        super().__init__()
        self.branch3x3_1 = ConvBlock(in_channels, 192, 1)
        self.branch3x3_2 = ConvBlock(192, 320, 3, stride=2)
        self.branch7x7x3_1 = ConvBlock(in_channels, 192, 1)
        self.branch7x7x3_2 = ConvBlock(192, 192, (1, 7))
        self.branch7x7x3_3 = ConvBlock(192, 192, (7, 1))
        self.branch7x7x3_4 = ConvBlock(192, 192, 3, stride=2)

    def forward(self, x: Tensor) -> Tensor:
        large = self.branch7x7x3_4(self.branch7x7x3_3(self.branch7x7x3_2(self.branch7x7x3_1(x))))
        return torch.cat([self.branch3x3_2(self.branch3x3_1(x)), large, F.max_pool2d(x, 3, stride=2)], 1)


class InceptionE(nn.Module):
    """8x8: branches of 1x1, 3x3 and two 3x3 that end in a row and a column side by side, and a pool of either kind."""

    def __init__(self, in_channels: int, max_pool: bool) -> None:
        super().__init__()
        self.max_pool = max_pool
        self.branch1x1 = ConvBlock(in_channels, 320, 1)
        self.branch3x3_1 = ConvBlock(in_channels, 384, 1)
        self.branch3x3_2a = ConvBlock(384, 384, (1, 3))
        self.branch3x3_2b = ConvBlock(384, 384, (3, 1))
        self.branch3x3dbl_1 = ConvBlock(in_channels, 448, 1)
        self.branch3x3dbl_2 = ConvBlock(448, 384, 3)
        self.branch3x3dbl_3a = ConvBlock(384, 384, (1, 3))
        self.branch3x3dbl_3b = ConvBlock(384, 384, (3, 1))
        self.branch_pool = ConvBlock(in_channels, 192, 1)

    def forward(self, x: Tensor) -> Tensor:
        single = self.branch3x3_1(x)
        double = self.branch3x3dbl_2(self.branch3x3dbl_1(x))
        pooled = F.max_pool2d(x, 3, stride=1, padding=1) if self.max_pool else average_pool(x)
        rows_and_columns = [self.branch3x3_2a(single), self.branch3x3_2b(single)]
        rows_and_columns += [self.branch3x3dbl_3a(double), self.branch3x3dbl_3b(double)]
        return torch.cat([self.branch1x1(x), *rows_and_columns, self.branch_pool(pooled)], 1)


class InceptionNetwork(nn.Module):
    """All of it; ``load_state_dict`` takes the published weights, ``folded`` makes it ready for use."""

    def __init__(self) -> None:
        super().__init__()
        self.Conv2d_1a_3x3 = ConvBlock(3, 32, 3, stride=2)
        self.Conv2d_2a_3x3 = ConvBlock(32, 32, 3, padded=False)
        self.Conv2d_2b_3x3 = ConvBlock(32, 64, 3)
        self.Conv2d_3b_1x1 = ConvBlock(64, 80, 1)
        self.Conv2d_4a_3x3 = ConvBlock(80, 192, 3, padded=False)
        self.Mixed_5b = InceptionA(192, pool_channels=32)
        self.Mixed_5c = InceptionA(256, pool_channels=64)
        self.Mixed_5d = InceptionA(288, pool_channels=64)
        self.Mixed_6a = InceptionB(288)
        self.Mixed_6b = InceptionC(768, channels=128)
        self.Mixed_6c = InceptionC(768, channels=160)
        self.Mixed_6d = InceptionC(768, channels=160)
        self.Mixed_6e = InceptionC(768, channels=192)
        self.Mixed_7a = InceptionD(768)
        self.Mixed_7b = InceptionE(1280, max_pool=False)
        self.Mixed_7c = InceptionE(2048, max_pool=True)
        self.fc = nn.Linear(2048, NUM_CLASSES)
        self.pool = nn.MaxPool2d(3, stride=2)

    def forward(self, images: Tensor, deepest: int = 2048) -> tuple[dict[int, Tensor], Tensor | None]:
        """Features of the layers, averaged over the picture.

        Args:
            images: float ``[B, 3, 299, 299]`` in [-1, 1], in the dtype of the convolutions.
            deepest: one of LAYERS; nothing behind it is computed.

        Returns:
            float32 ``[B, layer]`` by layer, up to the deepest; with layer 2048 also logits float32 ``[B, 1008]``, else
            None. They lack the bias, as in published Inception Scores.
        """
        found: dict[int, Tensor] = {}
        x = images
        for layer, blocks in self._stages().items():
            if layer > deepest:
                break
            for block in blocks:
                x = block(x)
            found[layer] = spatial_mean(x)
        return found, F.linear(found[2048], self.fc.weight) if 2048 in found else None

    def _stages(self) -> dict[int, tuple[nn.Module, ...]]:
        """The blocks that lead to each layer from the one before."""
        return {
            64: (self.Conv2d_1a_3x3, self.Conv2d_2a_3x3, self.Conv2d_2b_3x3, self.pool),
            192: (self.Conv2d_3b_1x1, self.Conv2d_4a_3x3, self.pool),
            768: (
                *(self.Mixed_5b, self.Mixed_5c, self.Mixed_5d, self.Mixed_6a),
                *(self.Mixed_6b, self.Mixed_6c, self.Mixed_6d, self.Mixed_6e),
            ),
            2048: (self.Mixed_7a, self.Mixed_7b, self.Mixed_7c),
        }

    def folded(self, dtype: torch.dtype) -> InceptionNetwork:
        """This network for inference, its convolutions in ``dtype`` and the logits in float32; it is changed."""
        self.eval().requires_grad_(False)
        fold_blocks(self)
        for child in self.children():
            if child is not self.fc:
                child.to(dtype=dtype).to(memory_format=torch.channels_last)
        return self


def fold_blocks(module: nn.Module) -> None:
    """Replace every ConvBlock below a module."""
    for name, child in list(module.named_children()):
        if isinstance(child, ConvBlock):
            setattr(module, name, FoldedBlock(child))
        else:
            fold_blocks(child)


def average_pool(x: Tensor) -> Tensor:
    """3x3 means of the pixels that exist, as TensorFlow has it."""
    return F.avg_pool2d(x, 3, stride=1, padding=1, count_include_pad=False)


def spatial_mean(x: Tensor) -> Tensor:
    """float32 ``[B, C]`` of ``[B, C, H, W]``, summed in float32 whatever the dtype."""
    return x.float().mean(dim=(2, 3))
