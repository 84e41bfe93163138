"""What input does EfficientNet-Lite0 expect? ``python -m tests.studies.efficientnet_inputs``

Two witnesses on photographs that come with scikit-image. The weights hold, for each channel of the stem, the variance
that it had in training, and under the right range the photographs give about the same; and the right class is likely.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
import skimage.data
import torch
import typer
from torchvision.models import ResNet18_Weights

from evalsuite import weights
from evalsuite.features._efficientnet_network import SIZE, EfficientnetNetwork
from evalsuite.features._resizing import resized
from evalsuite.features.efficientnet_lite0 import middle_square, weights_file

CLASSES: list[str] = ResNet18_Weights.DEFAULT.meta["categories"]
SHOWN = {
    "chelsea": {"tabby", "tiger cat", "Egyptian cat"},
    "coffee": {"espresso", "cup", "coffee mug"},
    "rocket": {"missile", "projectile", "space shuttle"},
    "camera": {"tripod"},
    "motorcycle": {"moped", "motor scooter"},
}
"""By photograph, the classes that are right."""

RANGES = {
    "(x - 127) / 128": (127.0, 128.0),
    "[-1, 1]": (127.5, 127.5),
    "[0, 1]": (0.0, 255.0),
    "ImageNet": (255 * np.array([0.485, 0.456, 0.406]), 255 * np.array([0.229, 0.224, 0.225])),
    "[0, 255]": (0.0, 1.0),
}
"""Mean and deviation of each; those of ImageNet are of its channels."""


def whole(picture: np.ndarray) -> np.ndarray:
    return picture


def inner_square(picture: np.ndarray) -> np.ndarray:
    """7/8 of the middle square, as in the evaluation that its authors published."""
    square = middle_square(picture)
    margin = square.shape[-1] // 16
    return square[..., margin:-margin, margin:-margin]


CUTS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "middle square": middle_square,
    "7/8 of it": inner_square,
    "whole, squeezed": whole,
}


class Outcome(NamedTuple):
    """One way to make the input.

    Attributes:
        name: range, order of channels, cut.
        spread: variance of a channel of the stem over that in training, in the middle of all channels that are alive.
        likely: probability of the right classes by photograph.
    """

    name: tuple[str, str, str]
    spread: float
    likely: dict[str, float]


def photographs() -> dict[str, np.ndarray]:
    """uint8 ``[3, H, W]`` by name."""
    found = {name: getattr(skimage.data, name)() for name in ("chelsea", "coffee", "rocket", "camera")}
    found["motorcycle"] = skimage.data.stereo_motorcycle()[0]
    return {name: np.broadcast_to(np.atleast_3d(x), (*x.shape[:2], 3)).transpose(2, 0, 1) for name, x in found.items()}


def outcomes() -> Iterator[Outcome]:
    network = EfficientnetNetwork()
    network.load_state_dict(weights.load(weights_file()))
    network.eval()
    ways = [(scale, order, "middle square") for scale in RANGES for order in ("RGB", "BGR")]
    ways += [("(x - 127) / 128", "RGB", cut) for cut in CUTS if cut != "middle square"]
    pictures = photographs()
    for scale, order, cut in ways:
        mean, deviation = (np.reshape(part, (-1, 1, 1)).astype(np.float32) for part in RANGES[scale])
        sized = [resized(CUTS[cut](picture)[None], SIZE, "clean")[0].numpy() for picture in pictures.values()]
        inputs = (np.stack(sized) - mean) / deviation
        pixels = torch.from_numpy(inputs[:, :: 1 if order == "RGB" else -1].copy())
        with torch.inference_mode():
            spread = stem_spread(network, pixels)
            probabilities = network(pixels)[1].softmax(1).numpy()
        likely = {
            name: float(sum(row[CLASSES.index(label)] for label in SHOWN[name]))
            for name, row in zip(pictures, probabilities, strict=True)
        }
        yield Outcome((scale, order, cut), spread, likely)


def stem_spread(network: EfficientnetNetwork, pixels: torch.Tensor) -> float:
    trained = network._bn0.running_var
    alive = trained > 1e-3
    found = network._conv_stem(pixels).var((0, 2, 3))
    return float((found / trained)[alive].median())


def main() -> None:
    """Print the table of docs/extractors.md."""
    typer.echo(f"| range | channels | of the image | variance | {' | '.join(SHOWN)} |\n|---|---|---|{'---:|' * 6}")
    for way, spread, likely in outcomes():
        typer.echo(f"| {' | '.join(way)} | {spread:.2f} | {' | '.join(f'{p:.2f}' for p in likely.values())} |")


if __name__ == "__main__":
    typer.run(main)
