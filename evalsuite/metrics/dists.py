"""DISTS: how different two images look to people, where one texture may stand for another of its kind."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from evalsuite import weights
from evalsuite.metrics._features import Floats
from evalsuite.metrics._pairs import DATA_RANGE, per_pair, require_pictures
from evalsuite.metrics.contract import Estimate, Inputs, PairInputs
from evalsuite.records import Family
from evalsuite.settings import Settings

if TYPE_CHECKING:
    from torch import Tensor

BACKBONE = "vgg16"
LEARNED = Path(__file__).parent / "data" / "dists" / "weights.safetensors"
"""What the authors fitted to people's judgements, under their licence (MIT): ``alpha`` for texture and ``beta`` for
structure, float32 ``[1475]`` each, one weight for each channel of the image and of the five stages."""

LEAST_SIZE = 17
"""Below this, the last stage has one position, and the structure of one position is nothing."""

STAGES = ((0, 2), (5, 7), (10, 12, 14), (17, 19, 21), (24, 26, 28))
"""Positions of the convolutions in VGG16, stage by stage; a pool stands between stages."""

MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
"""Of each channel, scaled to [0, 1], in the training of the backbone."""

C1 = C2 = 1e-6
"""Keep the quotients finite where both images have nothing in a channel."""


class Dists(Settings):
    """Mean over images of the distance in structure and texture; 0 for equal images, below 2.

    Like LPIPS it looks at two images through VGG16, but compares each channel's mean over the picture (texture) and how
    the two vary together over the picture (structure), so that another sample of the same grass is near.
    """

    unit: ClassVar[str] = ""
    higher_is_better: ClassVar[bool | None] = False
    inputs: ClassVar[Inputs] = Inputs.PAIRS
    paper: ClassVar[str] = (
        "Ding et al. 2020, Image Quality Assessment: Unifying Structure and Texture Similarity (arXiv:2004.07728)"
    )

    def compute(self, inputs: PairInputs) -> Mapping[str, Estimate | str]:
        """One value; ``per_sample`` is each image's.

        Images are scaled to [0, 1] and keep their size; gray images count as colour images of three equal channels.

        Raises:
            Skipped: there are no pairs, or they are below 17x17.
            Unavailable: the weights of VGG16 are missing; says how to get them.
            Failed: the two sides have different shapes, or another number of channels.
        """
        require_pictures(inputs, "dists", LEAST_SIZE)
        network = _network(weights.find(BACKBONE))

        def distance(a: Floats, b: Floats) -> Floats:
            import torch

            sides = [torch.from_numpy(side.astype(np.float32) / DATA_RANGE).expand(-1, 3, -1, -1) for side in (a, b)]
            with torch.inference_mode():
                found: Floats = _distance(network, *sides).numpy()
            return found

        values = per_pair(inputs, distance)
        return {
            "": Estimate(
                value=float(values.mean()),
                family=Family.MEAN,
                n=len(values),
                per_sample=values,
                protocol={
                    "estimator": "mean over images",
                    "data_range": DATA_RANGE,
                    "network": BACKBONE,
                    "weights": weights.PUBLIC[BACKBONE].sha256[:16],
                },
            )
        }


@cache
def _network(backbone: Path) -> dict[str, Tensor]:
    """The convolutions of VGG16, and ``alpha`` and ``beta``, scaled so that all of them add up to 1."""
    from safetensors.torch import load_file

    convolutions = {name: tensor for name, tensor in weights.load(backbone).items() if name.startswith("features.")}
    learned = {name: tensor.double() for name, tensor in load_file(LEARNED).items()}
    total = learned["alpha"].sum() + learned["beta"].sum()
    return convolutions | {name: tensor / total for name, tensor in learned.items()}


def _distance(network: Mapping[str, Tensor], a: Tensor, b: Tensor) -> Tensor:
    """float64 ``[B]`` from two float32 ``[B, 3, H, W]`` in [0, 1].

    The paper's similarity of means, (2 x y + c) / (x² + y² + c), is one minus (x - y)² / (x² + y² + c), and that of
    structure, (2 cov(x, y) + c) / (var x + var y + c), is one minus var(x - y) / (var x + var y + c). Written so,
    nothing cancels, and equal images are at 0 exactly.
    """
    import torch

    texture, structure = [], []
    for x, y in zip(_stages(network, a), _stages(network, b), strict=True):
        x_mean, y_mean = x.mean((2, 3)), y.mean((2, 3))
        x_variance, y_variance, variance = (z.var((2, 3), correction=0) for z in (x, y, x - y))
        texture.append((x_mean - y_mean) ** 2 / (x_mean**2 + y_mean**2 + C1))
        structure.append(variance / (x_variance + y_variance + C2))
    return torch.cat(texture, 1).double() @ network["alpha"] + torch.cat(structure, 1).double() @ network["beta"]


def _stages(network: Mapping[str, Tensor], pixels: Tensor) -> Iterator[Tensor]:
    """The picture itself, and what each of the five stages makes of it: float32 ``[B, channels, height, width]``."""
    import torch
    import torch.nn.functional as F

    yield pixels
    mean, deviation = (torch.tensor(values).reshape(1, 3, 1, 1) for values in (MEAN, DEVIATION))
    x = (pixels - mean) / deviation
    for stage, positions in enumerate(STAGES):
        if stage > 0:
            x = _pooled(x)
        for position in positions:
            weight, bias = (network[f"features.{position}.{kind}"] for kind in ("weight", "bias"))
            x = F.conv2d(x, weight, bias, padding=1).relu_()
        yield x


def _pooled(x: Tensor) -> Tensor:
    """Half the side: the root of a weighted mean of squares under a Hann window which keeps aliases out."""
    import torch
    import torch.nn.functional as F

    row = torch.tensor([0.25, 0.5, 0.25])
    window = torch.outer(row, row).expand(x.shape[1], 1, 3, 3)
    return (F.conv2d(x**2, window, stride=2, padding=1, groups=x.shape[1]) + 1e-12).sqrt_()
