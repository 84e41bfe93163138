"""Restoration from end to end: several samples of each input, their classes, and bicubic enlargement beside them."""

from __future__ import annotations

import numpy as np
import pytest

from evalsuite import plugins
from evalsuite.store import Store
from evalsuite.suite.schema import Suite
from tests.pipeline.test_measure import Run

NUM_INPUTS = 40
METRICS = ("posterior_diversity", "class_accuracy", "psnr")


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return Run(restoration_suite(), Store(tmp_path_factory.mktemp("restoration")))


def restoration_suite() -> Suite:
    models = {
        "teacher": {"role": "teacher", "adapter": "zoo", "settings": {"name": "restore-1step"}},
        "cnn": {"role": "student", "adapter": "zoo", "settings": {"name": "restore-cnn"}},
        "bicubic": {"role": "control", "adapter": "identity"},
    }
    return Suite.model_validate(
        {
            "suite": "restoration",
            "version": 1,
            "task": "image_to_image",
            "inputs": {"dataset": "low-resolution", "settings": {"of": "fashion-mnist", "first": NUM_INPUTS}},
            "sampling": {"num_samples": 2 * NUM_INPUTS},
            "models": models,
            "targets": {"cpu": {"device": "cpu", "settings": {"batch_size": 40}}},
            "metrics": [{"name": name, "metric": name} for name in METRICS],
        }
    )


def test_bicubic_enlargement_is_the_input(run: Run) -> None:
    inputs = plugins.find("datasets", "low-resolution")(of="fashion-mnist").images(np.arange(NUM_INPUTS))
    found = run.samples.sets["bicubic@cpu/all"].images(np.arange(2 * NUM_INPUTS))
    np.testing.assert_array_equal(found, np.tile(inputs, (2, 1, 1, 1)))


def test_diversity_is_a_mean_over_inputs(run: Run) -> None:
    diverse = run.of("teacher", "posterior_diversity")
    first, second = np.split(run.samples.sets["teacher@cpu/all"].images(np.arange(2 * NUM_INPUTS)) / 255, 2)
    assert diverse.value == pytest.approx(((first - second) ** 2).mean(), rel=1e-9)
    assert (diverse.n, diverse.protocol["clusters"]) == (NUM_INPUTS, "condition")
    assert diverse.interval is not None
    assert diverse.interval.low > 0
    assert run.of("cnn", "posterior_diversity").value == 0


def test_the_class_is_that_of_the_input(run: Run) -> None:
    labels = plugins.find("datasets", "fashion-mnist")().labels()[:NUM_INPUTS]
    logits = run.features.of("fashion-cnn", "cnn@cpu/all").logits
    assert logits is not None
    right = logits.argmax(axis=1) == np.tile(labels, 2)
    assert run.of("cnn", "class_accuracy").value == pytest.approx(right.mean())
    assert run.of("bicubic", "class_accuracy").value < run.of("cnn", "class_accuracy").value
