"""A model against itself: ``python -m tests.studies.alike --name fashion-1step --sets 800 --work-dir WORK``

Samples a model of the zoo again and again with independent seeds, and counts how often a gate at 1 % takes two such
sets for different, and how often the interval of their difference leaves out 0. Finished samples are kept, so that a
study that was stopped goes on.
"""

from __future__ import annotations

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
from evalsuite.records import FeatureSet, Measurement, NoiseSpec
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


def sampled(
    model: LoadedModel, extractor: LoadedExtractor, num_samples: int, seed: int, noise: NoiseSpec = NoiseSpec()
) -> FeatureSet:
    """Features of a model's samples under the seeds of a suite with this seed."""
    ids = np.arange(num_samples)
    labels = pairing.labels_of(ids, NUM_CLASSES)

    def generated() -> Iterator[np.ndarray]:
        for start in range(0, num_samples, BATCH_SIZE):
            part = ids[start : start + BATCH_SIZE]
            yield model.generate(Batch(part, pairing.seeds_of(part, seed), labels[part], noise=noise), NoProbe())

    return feature_set(extractor, generated(), labels)


def kept(path: Path, features: FeatureSet) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file({"features": features.features, "logits": features.logits}, path.with_suffix(".part"))
    path.with_suffix(".part").replace(path)


def samples_of(
    name: str, num_samples: int, count: int, work_dir: Path, threads: int, noise_scale: float = 1.0
) -> list[FeatureSet]:
    """So many independent sets of samples of a model, from the work folder where they are there.

    Sets of the same number have the same seeds, whatever their noise is multiplied by.
    """
    labels = pairing.labels_of(np.arange(num_samples), NUM_CLASSES)
    folder = f"{name}-{num_samples}" + ("" if noise_scale == 1 else f"-noise-{noise_scale:g}")
    paths = [work_dir / folder / f"{k:04d}.safetensors" for k in range(count)]
    if not all(path.exists() for path in paths):
        adapter = plugins.find("models", "zoo")(name=name)
        target = plugins.find("targets", "cpu")(threads=threads)
        with adapter.open(target) as model, plugins.find("features", "fashion-cnn")().open() as extractor:
            for k, path in enumerate(track(paths, description=name)):
                if not path.exists():
                    kept(path, sampled(model, extractor, num_samples, SEEDS + k, NoiseSpec(scale=noise_scale)))
    arrays = [load_file(path) for path in paths]
    ids = np.arange(num_samples)
    return [FeatureSet("fashion-cnn", "", "none", ids, a["features"], a["logits"], labels) for a in arrays]


def reference() -> FeatureSet:
    data = FashionMnist()
    with plugins.find("features", "fashion-cnn")().open() as extractor:
        parts = (data.images(rows) for rows in np.array_split(np.arange(data.size()), 20))
        return feature_set(extractor, parts, data.labels())


def compared(sets: list[FeatureSet], real: FeatureSet, others: int) -> dict[str, tuple[float, float]]:
    """By metric, the shares of comparisons with an interval without 0, and with a false alarm.

    Every set is compared with the ``others`` that follow it, around the end: that wastes less of what was sampled, and
    takes both directions, so that chance weighs less than in disjoint pairs.
    """
    groups = pairing.groups_of(np.arange(len(sets[0].features)), NUM_CLASSES)
    shares = {}
    for metric in track(METRICS, description="comparisons"):
        compute = plugins.find("metrics", metric)().compute
        values = [compute(FeatureInputs(side, real, groups))[""] for side in sets]
        students, teachers = ([measured(metric, value, role) for value in values] for role in ("student", "teacher"))
        outcomes = [
            different(student, teachers[(row + step) % len(sets)])
            for row, student in enumerate(students)
            for step in range(1, others + 1)
        ]
        outside, alarms = np.mean(outcomes, axis=0)
        shares[metric] = float(outside), float(alarms)
    return shares


def different(student: Measurement, teacher: Measurement) -> tuple[bool, bool]:
    """Whether the interval of the difference leaves out 0, and whether a gate takes the student for worse."""
    found = difference(student, teacher, common=Common.NOTHING)
    assert found.interval is not None, found.incomparable
    assert found.p_value is not None
    outside = not found.interval.low <= 0 <= found.interval.high
    return outside, found.p_value / 2 <= ALPHA and found.better is False


def main(
    work_dir: Annotated[Path, typer.Option(help="Where samples are kept.")],
    name: Annotated[str, typer.Option(help="A model of the zoo.")] = "fashion-1step",
    sets: Annotated[int, typer.Option(min=3, help="Sets of samples, each under seeds of its own.")] = 800,
    others: Annotated[int, typer.Option(min=1, help="With how many other sets each is compared.")] = 20,
    num_samples: Annotated[int, typer.Option(help="Of each set; five for each of 64 features at least.")] = 400,
    threads: int = 2,
) -> None:
    """Print, for each metric, the shares of comparisons that an interval and a gate take for different."""
    shares = compared(samples_of(name, num_samples, sets, work_dir, threads), reference(), min(others, sets - 1))
    typer.echo(
        f"| {name}, {sets} sets, n = {num_samples} | interval without 0 | false alarms at 1 % |\n|---|---:|---:|"
    )
    for metric, (outside, alarms) in shares.items():
        typer.echo(f"| `{metric}` | {outside:.1%} | {alarms:.1%} |")


if __name__ == "__main__":
    typer.run(main)
