"""A model against itself: ``python -m tests.studies.alike --name fashion-1step --pairs 400 --work-dir WORK``

Samples a model of the zoo twice with independent seeds, again and again, and counts how often a gate at 1 % takes the
two for different, and how often the interval of their difference leaves out 0. Finished samples are kept, so that a
study that was stopped goes on.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from rich.progress import track
from safetensors.numpy import load_file, save_file

from evalsuite import pairing, plugins
from evalsuite.compare.contrast import Common
from evalsuite.compare.difference import difference
from evalsuite.datasets.fashion_mnist import FashionMnist
from evalsuite.features.contract import LoadedExtractor
from evalsuite.metrics.contract import FeatureInputs
from evalsuite.models.contract import Batch, LoadedModel, NoProbe
from evalsuite.records import FeatureSet
from tests.studies.coverage import measured

METRICS = ("fid", "kid", "precision", "recall", "class_accuracy", "inception_score")
NUM_CLASSES = 10
BATCH_SIZE = 100
ALPHA = 0.01
SEEDS = 50_000
"""Seeds of a suite from here on, which no training and no suite uses."""


def feature_set(images: LoadedExtractor, parts: Iterator[np.ndarray], labels: np.ndarray) -> FeatureSet:
    extracted = [images.extract(part) for part in parts]
    features, logits = (np.concatenate(arrays) for arrays in zip(*extracted, strict=True))
    return FeatureSet("fashion-cnn", "", "none", np.arange(len(features)), features, logits, labels)


def sampled(model: LoadedModel, extractor: LoadedExtractor, num_samples: int, seed: int) -> FeatureSet:
    """Features of a model's samples under the seeds of a suite with this seed."""
    ids = np.arange(num_samples)
    labels = pairing.labels_of(ids, NUM_CLASSES)

    def generated() -> Iterator[np.ndarray]:
        for start in range(0, num_samples, BATCH_SIZE):
            part = ids[start : start + BATCH_SIZE]
            yield model.generate(Batch(part, pairing.seeds_of(part, seed), labels[part]), NoProbe())

    return feature_set(extractor, generated(), labels)


def kept(path: Path, features: FeatureSet) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file({"features": features.features, "logits": features.logits}, path.with_suffix(".part"))
    path.with_suffix(".part").replace(path)


def samples_of(name: str, num_samples: int, count: int, work_dir: Path, threads: int) -> list[FeatureSet]:
    """So many independent sets of samples of a model, from the work folder where they are there."""
    labels = pairing.labels_of(np.arange(num_samples), NUM_CLASSES)
    paths = [work_dir / f"{name}-{num_samples}" / f"{k:04d}.safetensors" for k in range(count)]
    if not all(path.exists() for path in paths):
        adapter = plugins.find("models", "zoo")(name=name)
        target = plugins.find("targets", "cpu")(threads=threads)
        with adapter.open(target) as model, plugins.find("features", "fashion-cnn")().open() as extractor:
            for k, path in enumerate(track(paths, description=name)):
                if not path.exists():
                    kept(path, sampled(model, extractor, num_samples, SEEDS + k))
    arrays = [load_file(path) for path in paths]
    ids = np.arange(num_samples)
    return [FeatureSet("fashion-cnn", "", "none", ids, a["features"], a["logits"], labels) for a in arrays]


def reference() -> FeatureSet:
    data = FashionMnist()
    with plugins.find("features", "fashion-cnn")().open() as extractor:
        parts = (data.images(rows) for rows in np.array_split(np.arange(data.size()), 20))
        return feature_set(extractor, parts, data.labels())


def main(
    work_dir: Annotated[Path, typer.Option(help="Where samples are kept.")],
    name: Annotated[str, typer.Option(help="A model of the zoo.")] = "fashion-1step",
    pairs: Annotated[int, typer.Option(min=2)] = 400,
    num_samples: Annotated[int, typer.Option(help="Of each side; five for each of 64 features at least.")] = 400,
    threads: int = 2,
) -> None:
    """Print, for each metric, the shares of pairs that an interval and a gate take for different."""
    sets, real = samples_of(name, num_samples, 2 * pairs, work_dir, threads), reference()
    groups = pairing.groups_of(np.arange(num_samples), NUM_CLASSES)
    outside, alarms = defaultdict(int), defaultdict(int)
    for a, b in track(list(zip(sets[::2], sets[1::2], strict=True)), description="comparisons"):
        for metric in METRICS:
            compute = plugins.find("metrics", metric)().compute
            one, other = (compute(FeatureInputs(side, real, groups))[""] for side in (a, b))
            found = difference(
                measured(metric, one, "student"), measured(metric, other, "teacher"), common=Common.NOTHING
            )
            assert found.interval is not None, found.incomparable
            assert found.p_value is not None
            outside[metric] += not found.interval.low <= 0 <= found.interval.high
            alarms[metric] += found.p_value / 2 <= ALPHA and found.better is False
    typer.echo(
        f"| {name}, {pairs} pairs, n = {num_samples} | interval without 0 | false alarms at 1 % |\n|---|---:|---:|"
    )
    for metric in METRICS:
        typer.echo(f"| `{metric}` | {outside[metric] / pairs:.1%} | {alarms[metric] / pairs:.1%} |")


if __name__ == "__main__":
    typer.run(main)
