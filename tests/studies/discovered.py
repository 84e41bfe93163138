"""How often a class that a student blurs is discovered, and how often something where nothing is: ``python -m
tests.studies.discovered --repetitions 100``

Teacher and student are two draws, with no image in common, from the test split of Fashion-MNIST: they are alike, and
share no noise, which is the hardest case. Then the student's images of one class, another one in each repetition, are
blurred.
"""

from __future__ import annotations

from typing import Annotated

import numpy as np
import typer
from scipy.ndimage import gaussian_filter

from evalsuite import plugins
from evalsuite.datasets.fashion_mnist import FashionMnist
from evalsuite.slices.contract import Material
from evalsuite.slices.discovered import Discovered

CLASSES = 10
SIGMAS = (0.0, 0.5, 0.7, 1.0, 1.5)
"""Of the blur, in pixels; 0 for a student like its teacher."""


def features(images: np.ndarray, sigma: float) -> np.ndarray:
    """Of images uint8 ``[N, 1, 28, 28]``, blurred."""
    blurred = np.clip(np.rint(gaussian_filter(images.astype(float), (0, 0, sigma, sigma))), 0, 255).astype(np.uint8)
    with plugins.find("features", "fashion-cnn")().open() as extractor:
        parts = np.array_split(blurred, max(1, len(blurred) // 500))
        return np.concatenate([extractor.extract(part).features for part in parts])


def found(seed: int, samples: int, labels: np.ndarray, plain: np.ndarray, blurred: np.ndarray) -> tuple[bool, bool]:
    """Whether anything is found of one student, and whether it is the class that it blurs."""
    random, blurs = np.random.default_rng([seed, samples]), seed % CLASSES
    each = samples // CLASSES
    drawn = np.stack([random.permutation(np.flatnonzero(labels == c))[: 2 * each] for c in range(CLASSES)], axis=1)
    teacher, student = drawn[:each].ravel(), drawn[each:].ravel()
    made = np.where((labels[student] == blurs)[:, None], blurred[student], plain[student])
    material = Material(
        sample_ids=np.arange(len(teacher)),
        teacher=plain[teacher],
        pairs={"student": (made, plain[teacher])},
        units=np.arange(len(teacher)),
        names=[str(label) for label in labels[teacher]],
    )
    derivation = Discovered(seed=seed).derive(material)
    named = [np.bincount(labels[teacher[one.positions]]).argmax() for one in derivation.slices]
    return bool(named), blurs in named


def main(
    repetitions: Annotated[int, typer.Option(min=1, help="Of each row.")] = 100,
    samples: Annotated[int, typer.Option(min=200, max=5000, help="Of each model.")] = 1000,
    pool: Annotated[int, typer.Option(min=400, max=10_000, help="Real images to draw from.")] = 10_000,
) -> None:
    """Print the table."""
    dataset = FashionMnist(split="test")
    ids = np.arange(pool)
    images, labels = dataset.images(ids), dataset.labels()[ids]
    plain = features(images, 0.0)
    typer.echo(f"| {samples} samples | anything found | the blurred class found |\n|---|---:|---:|")
    for sigma in SIGMAS:
        blurred = features(images, sigma)
        anything, right = np.mean([found(seed, samples, labels, plain, blurred) for seed in range(repetitions)], axis=0)
        row = "alike" if sigma == 0 else f"blurred by {sigma:g} pixels"
        typer.echo(f"| {row} | {anything:.0%} | {'' if sigma == 0 else f'{right:.0%}'} |")


if __name__ == "__main__":
    typer.run(main)
