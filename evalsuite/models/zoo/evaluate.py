"""Measure the class-conditional zoo and write its cards: ``python -m evalsuite.models.zoo.evaluate --data-dir DIR``.

Fréchet distance in the features of ``fashion-cnn`` over 5000 samples against the test split, for every model, for the
teacher at its students' numbers of steps, and for a control (real test images with noise); class accuracy; seconds per
image; and the distance to the nearest training image, against that of held-out images.
"""

from __future__ import annotations

import json
import platform
import time
from collections.abc import Callable, Iterator
from typing import Annotated, Any

import numpy as np
import torch
import typer
from numpy.typing import NDArray
from rich.progress import track

from evalsuite.metrics.contract import Estimate, FeatureInputs
from evalsuite.models.contract import Batch, ModelAdapter, NoProbe
from evalsuite.models.zoo import Zoo, cards, checkpoint
from evalsuite.models.zoo.train import DataDir, load_train_split
from evalsuite.pairing import groups_of, labels_of, seeds_of
from evalsuite.plugins import find
from evalsuite.records import FeatureSet
from evalsuite.stats.single import interval_of

NUM_CLASSES = 10
NOISE = 0.1
NEIGHBOUR_SAMPLES = 1000
TEACHER_STEPS = (1, 2, 4)

app = typer.Typer(add_completion=False)


@app.command()
def evaluate(
    data_dir: DataDir,
    num_samples: Annotated[int, typer.Option(help="Samples of each model.")] = 5000,
    threads: Annotated[int, typer.Option(help="CPU threads.")] = 1,
) -> None:
    """Write ``numbers.json`` and one card a model beside the weights."""
    torch.set_num_threads(threads)
    reference = find("datasets", "fashion-mnist")()
    everything = np.arange(reference.size())
    test_images, test_labels = reference.images(everything), reference.labels()
    reference_features = extract(test_images, test_labels)
    train_images, _ = load_train_split(data_dir)
    ids = np.arange(num_samples)

    adapters = {name: Zoo(name=name) for name in checkpoint.names("class")}
    for steps in TEACHER_STEPS:
        adapters[f"fashion-teacher at {steps} steps"] = Zoo(name="fashion-teacher", num_steps=steps)
    models: dict[str, Any] = {}
    for name, adapter in adapters.items():
        images, seconds = generate(adapter, class_batch, ids, name)
        models[name] = {
            **quality(images, labels_of(ids, NUM_CLASSES), reference_features),
            "seconds_per_image": seconds,
            "nfe": adapter.capabilities().nfe,
            "nearest_training_image": quantiles(nearest(images[:NEIGHBOUR_SAMPLES], train_images)),
        }
    control = with_noise(test_images[:num_samples], np.random.default_rng(0))
    numbers = {
        "num_samples": num_samples,
        "threads": threads,
        "machine": platform.machine(),
        "torch": torch.__version__,
        "models": models,
        "control": quality(control, test_labels[:num_samples], reference_features),
        "held_out": quantiles(nearest(test_images[:NEIGHBOUR_SAMPLES], train_images)),
        "classifier_accuracy": accuracy(reference_features),
    }
    (checkpoint.WEIGHTS_DIR / "numbers.json").write_text(json.dumps(numbers, indent=1) + "\n")
    cards.write(numbers, checkpoint.WEIGHTS_DIR)


def batches(ids: NDArray[np.int64]) -> Iterator[NDArray[np.int64]]:
    yield from np.split(ids, range(cards.BATCH_SIZE, len(ids), cards.BATCH_SIZE))


def class_batch(ids: NDArray[np.int64]) -> Batch:
    """What a suite of classes with seed 0 asks for."""
    return Batch(ids, seeds_of(ids, 0), labels_of(ids, NUM_CLASSES))


def generate(
    adapter: ModelAdapter, batch_of: Callable[[NDArray[np.int64]], Batch], ids: NDArray[np.int64], name: str
) -> tuple[NDArray[np.uint8], float]:
    """Images uint8 ``[N, 1, 28, 28]``, and seconds per image."""
    with adapter.open(find("targets", "cpu")()) as model:
        start = time.perf_counter()
        images = [model.generate(batch_of(part), NoProbe()) for part in track(list(batches(ids)), description=name)]
        return np.concatenate(images), (time.perf_counter() - start) / len(ids)


def with_noise(images: NDArray[np.uint8], generator: np.random.Generator) -> NDArray[np.uint8]:
    """Gaussian noise of standard deviation 0.1 on pixels scaled to [-1, 1]."""
    noisy = images + 127.5 * generator.normal(0.0, NOISE, images.shape)
    return np.clip(np.rint(noisy), 0, 255).astype(np.uint8)


def extract(images: NDArray[np.uint8], labels: NDArray[np.int64]) -> FeatureSet:
    extractor = find("features", "fashion-cnn")()
    with extractor.open() as loaded:
        parts = [loaded.extract(images[rows]) for rows in batches(np.arange(len(images)))]
    features, logits = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
    ids = np.arange(len(images))
    return FeatureSet("fashion-cnn", extractor.fingerprint(), extractor.preprocessing, ids, features, logits, labels)


def quality(images: NDArray[np.uint8], labels: NDArray[np.int64], reference: FeatureSet) -> dict[str, Any]:
    """Value and 95 % interval of each metric of features."""
    generated = extract(images, labels)
    inputs = FeatureInputs(generated, reference, groups_of(generated.sample_ids, NUM_CLASSES))
    names = ("fid", "fid_debiased", "precision", "recall", "class_accuracy")
    return {name: with_interval(find("metrics", name)().compute(inputs)[""]) for name in names}


def with_interval(estimate: Estimate) -> list[float]:
    """Value, low and high."""
    interval = interval_of(estimate)
    assert interval is not None, "there are enough samples for an interval"
    return [estimate.value, interval.low, interval.high]


def accuracy(features: FeatureSet) -> float:
    """How often the classifier is right about real images."""
    return float((answers_of(features) == features.labels).mean())


def answers_of(features: FeatureSet) -> NDArray[np.int64]:
    """The class that the classifier finds in each image, int64 ``[N]``."""
    assert features.logits is not None
    answers: NDArray[np.int64] = features.logits.argmax(axis=1)
    return answers


def nearest(images: NDArray[np.uint8], train: torch.Tensor) -> NDArray[np.float32]:
    """Euclidean distance, in pixels scaled to [-1, 1], of each image to its nearest training image."""
    a = torch.from_numpy(images).float().flatten(1) / 127.5 - 1
    return torch.cdist(a, train.flatten(1)).min(dim=1).values.numpy()


def quantiles(distances: NDArray[np.float32]) -> dict[str, float]:
    return {f"p{q}": float(np.percentile(distances, q)) for q in (1, 10, 50, 90)}


if __name__ == "__main__":
    app()
