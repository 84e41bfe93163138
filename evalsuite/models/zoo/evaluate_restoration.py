"""Measure the restoration models and write their cards: ``python -m evalsuite.models.zoo.evaluate_restoration``.

PSNR and SSIM against the images that the inputs were made from, Fréchet distance against the test split, class
accuracy, and diversity over several seeds for each input: of every model, of the teacher at its students' numbers of
steps, and of bicubic enlargement; and what the truth itself would score.
"""

from __future__ import annotations

import json
import platform
from collections.abc import Mapping
from typing import Annotated, Any

import numpy as np
import torch
import typer
from numpy.typing import NDArray
from PIL import Image

from evalsuite.metrics.contract import Estimate, ImageInputs, PairInputs
from evalsuite.models.contract import Batch, ModelAdapter
from evalsuite.models.zoo import Zoo, checkpoint, restoration_cards
from evalsuite.models.zoo.evaluate import TEACHER_STEPS, answers_of, batches, extract, generate, quality, with_interval
from evalsuite.pairing import seeds_of
from evalsuite.plugins import find
from evalsuite.records import Family, FeatureSet
from evalsuite.stats.proportions import discordant, tango

INPUTS = {"of": "fashion-mnist", "factor": 4}

app = typer.Typer(add_completion=False)


@app.command()
def evaluate(
    num_inputs: Annotated[int, typer.Option(help="Inputs, a sample for each.")] = 5000,
    num_diverse: Annotated[int, typer.Option(help="Inputs that get several samples.")] = 400,
    num_seeds: Annotated[int, typer.Option(help="Samples of each of these.")] = 5,
    threads: Annotated[int, typer.Option(help="CPU threads.")] = 1,
) -> None:
    """Write ``restoration.json`` and one card a model beside the weights."""
    torch.set_num_threads(threads)
    everything = find("datasets", "fashion-mnist")()
    reference = extract(everything.images(np.arange(everything.size())), everything.labels())
    inputs = find("datasets", "low-resolution")(**INPUTS, first=num_inputs)
    repeated = find("datasets", "low-resolution")(**INPUTS, first=num_diverse)

    adapters: dict[str, ModelAdapter] = {name: Zoo(name=name) for name in checkpoint.names("image")}
    for steps in TEACHER_STEPS:
        adapters[f"restore-teacher at {steps} steps"] = Zoo(name="restore-teacher", num_steps=steps)
    adapters["bicubic enlargement"] = find("models", "identity")()
    models: dict[str, Any] = {}
    for name, adapter in adapters.items():
        models[name] = {
            **likeness(adapter, inputs, reference, name),
            **spread(adapter, repeated, num_seeds, name),
            "nfe": adapter.capabilities().nfe,
        }
    models["the truth"] = quality(inputs.truth(np.arange(num_inputs)), inputs.labels(), reference)
    numbers = {
        "num_inputs": num_inputs,
        "num_diverse": num_diverse,
        "num_seeds": num_seeds,
        "machine": platform.machine(),
        "torch": torch.__version__,
        "models": models,
        "accuracy_gain": accuracy_gain(adapters["restore-1step"], adapters["restore-teacher at 1 steps"], inputs),
    }
    (checkpoint.WEIGHTS_DIR / "restoration.json").write_text(json.dumps(numbers, indent=1) + "\n")
    restoration_cards.write(numbers, checkpoint.WEIGHTS_DIR)
    picture(adapters, inputs).save(checkpoint.WEIGHTS_DIR / "restoration.png", optimize=True)


def restored(adapter: ModelAdapter, inputs: Any, ids: NDArray[np.int64], name: str) -> NDArray[np.uint8]:
    """What a suite with seed 0 gets: sample i is made from input i mod P."""

    def batch_of(part: NDArray[np.int64]) -> Batch:
        return Batch(part, seeds_of(part, 0), images=inputs.images(part % inputs.size()))

    return generate(adapter, batch_of, ids, name)[0]


def likeness(adapter: ModelAdapter, inputs: Any, reference: FeatureSet, name: str) -> dict[str, Any]:
    """To the truth, image by image, and to real images, as a set."""
    ids = np.arange(inputs.size())
    images = restored(adapter, inputs, ids, name)
    pairs = PairInputs(ids, images, inputs.truth(ids))
    by_pair = {metric: with_interval(find("metrics", metric)().compute(pairs)[""]) for metric in ("psnr", "ssim")}
    return {**by_pair, **quality(images, inputs.labels(), reference)}


def spread(adapter: ModelAdapter, inputs: Any, num_seeds: int, name: str) -> dict[str, Any]:
    """Of samples from one input, and of samples around the truth, in thousandths; both are means over inputs."""
    ids = np.arange(inputs.size() * num_seeds)
    started_from = ids % inputs.size()
    images = restored(adapter, inputs, ids, f"{name}, seeds")
    found = find("metrics", "posterior_diversity")().compute(ImageInputs(ids, images, started_from=started_from))[""]
    squares = [(images[rows] / 255.0 - inputs.truth(started_from[rows]) / 255.0) ** 2 for rows in batches(ids)]
    errors = np.concatenate([chunk.mean(axis=(1, 2, 3)) for chunk in squares])
    per_sample = {"diversity": found.per_sample, "error": errors}
    return {key: with_interval(mean_over_inputs(values, num_seeds)) for key, values in per_sample.items()}


def mean_over_inputs(per_sample: Any, num_seeds: int) -> Estimate:
    """Of means over the samples of each input, which are independent where samples are not; in thousandths."""
    means = 1000 * per_sample.reshape(num_seeds, -1).mean(axis=0)
    return Estimate(float(means.mean()), Family.MEAN, len(means), per_sample=means)


def accuracy_gain(first: ModelAdapter, second: ModelAdapter, inputs: Any) -> list[float]:
    """By how much the first keeps the class more often than the second, paired by input: difference, low, high."""
    ids = np.arange(inputs.size())
    found = [extract(restored(model, inputs, ids, "class accuracy"), inputs.labels()) for model in (first, second)]
    right = [answers_of(features) == features.labels for features in found]
    only_first, only_second = discordant(*(shares.astype(np.float64) for shares in right))
    interval = tango(only_first, only_second, len(ids))
    return [(only_first - only_second) / len(ids), interval.low, interval.high]


def picture(adapters: Mapping[str, ModelAdapter], inputs: Any) -> Image.Image:
    """A column for each class, from the input through the models to the truth; diffusion models with two seeds."""
    ids = np.array([np.flatnonzero(inputs.labels() == label)[0] for label in range(len(inputs.class_names()))])
    seeds = {"bicubic enlargement": 1, "restore-cnn": 1, "restore-teacher at 1 steps": 1}
    rows = [
        restored(adapters[name], inputs, ids + draw * inputs.size(), f"{name}, picture")
        for name in (*seeds, "restore-1step", "restore-4step", "restore-teacher")
        for draw in range(seeds.get(name, 2))
    ]
    grid = np.stack([*rows, inputs.truth(ids)])[:, :, 0].repeat(2, axis=2).repeat(2, axis=3)
    framed = np.pad(grid, ((0, 0), (0, 0), (2, 2), (2, 2)), constant_values=255)
    return Image.fromarray(np.concatenate(np.concatenate(framed, axis=1), axis=1))


if __name__ == "__main__":
    app()
