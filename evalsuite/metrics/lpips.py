"""LPIPS: how different two images look to people, by the layers of a network."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from functools import cache
from typing import Any, ClassVar, Literal

import numpy as np

from evalsuite import weights
from evalsuite.errors import Failed, Unavailable
from evalsuite.metrics._features import Floats
from evalsuite.metrics._pairs import per_pair, require_pictures
from evalsuite.metrics.contract import Estimate, Inputs, PairInputs
from evalsuite.records import Family
from evalsuite.settings import Settings

BACKBONES = {"alex": "alexnet", "vgg": "vgg16"}
LEAST_SIZE = 32
"""Below this, nothing is left of an image behind the pools of AlexNet."""


class Lpips(Settings):
    """Mean over images of the learned perceptual distance (version 0.1); 0 for equal images, about 0.7 for unrelated.

    Between a student and its teacher it tells whether the same seed gives the same image, not which image is better.

    Attributes:
        network: ``alex``, which agrees best with people, or ``vgg``.
    """

    package_extra: ClassVar[str] = "lpips"
    unit: ClassVar[str] = ""
    higher_is_better: ClassVar[bool | None] = False
    inputs: ClassVar[Inputs] = Inputs.PAIRS
    paper: ClassVar[str] = "Zhang et al. 2018, The Unreasonable Effectiveness of Deep Features (arXiv:1801.03924)"

    network: Literal["alex", "vgg"] = "alex"

    def compute(self, inputs: PairInputs) -> Mapping[str, Estimate | str]:
        """One value; ``per_sample`` is each image's. Gray images count as colour images of three equal channels.

        Raises:
            Skipped: there are no pairs, or they are below 32x32.
            Unavailable: the package or the weights are missing; says how to get them.
            Failed: the two sides have different shapes, or another number of channels.
        """
        require_pictures(inputs, "lpips", LEAST_SIZE)
        backbone = BACKBONES[self.network]
        model = _model(self.network, str(weights.find(backbone)))

        def distance(a: Floats, b: Floats) -> Floats:
            import torch

            sides = [torch.from_numpy(side.astype(np.float32) / 127.5 - 1).expand(-1, 3, -1, -1) for side in (a, b)]
            with torch.inference_mode():
                found: Floats = model(*sides).reshape(-1).double().numpy()
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
                    "network": self.network,
                    "version": "0.1",
                    "weights": weights.PUBLIC[backbone].sha256[:16],
                },
            )
        }


@cache
def _model(network: str, path: str) -> Any:
    """The package's network with the backbone from a file, in place of the download that it would start itself.

    Raises:
        Unavailable: the package is not installed.
        Failed: the file does not fit.
    """
    try:
        import lpips
    except ImportError as error:
        raise Unavailable("lpips is not installed; pip install 'evalsuite[lpips]' does it") from error
    from pathlib import Path

    tensors = weights.load(Path(path))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of torchvision, about how the package asks for an untrained network
        model = lpips.LPIPS(net=network, pnet_rand=True, verbose=False)
    for layers in model.net.children():
        for position, layer in layers.named_children():
            for name, parameter in layer.named_parameters():
                try:
                    parameter.data.copy_(tensors[f"features.{position}.{name}"])
                except (KeyError, RuntimeError) as error:
                    raise Failed(f"{path}: does not fit the network {network}: {error}") from error
    return model.eval().requires_grad_(False)
