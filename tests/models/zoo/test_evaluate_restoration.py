"""What cards are written from: samples as a suite would ask for them, and means over inputs."""

from __future__ import annotations

import numpy as np
import pytest

from evalsuite.models.zoo import Zoo
from evalsuite.models.zoo.evaluate import class_batch, generate
from evalsuite.models.zoo.evaluate_restoration import INPUTS, accuracy_gain, mean_over_inputs, picture, restored, spread
from evalsuite.plugins import find

IDENTITY = find("models", "identity")()


@pytest.fixture(scope="module")
def inputs():
    return find("datasets", "low-resolution")(**INPUTS, first=40)


def test_sample_i_is_made_from_input_i_mod_p(inputs):
    np.testing.assert_array_equal(
        restored(IDENTITY, inputs, np.arange(38, 43), "test"), inputs.images(np.array([38, 39, 0, 1, 2]))
    )


def test_classes_are_asked_for_in_turn():
    images, seconds = generate(Zoo(name="fashion-narrow"), class_batch, np.arange(12), "test")
    assert images.shape == (12, 1, 28, 28)
    assert seconds > 0
    assert class_batch(np.arange(12)).labels.tolist() == [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1]


def test_values_are_averaged_by_input():
    estimate = mean_over_inputs(np.array([1.0, 2.0, 3.0, 3.0, 4.0, 5.0]), num_seeds=2)
    assert (estimate.value, estimate.n) == (3000.0, 3)
    assert estimate.per_sample.tolist() == [2000.0, 3000.0, 4000.0]


def test_enlargement_has_an_error_and_no_diversity(inputs):
    found = spread(IDENTITY, inputs, 2, "test")
    ids = np.arange(40)
    error = ((inputs.images(ids) / 255 - inputs.truth(ids) / 255) ** 2).mean()
    assert found["diversity"] == [0, 0, 0]
    assert found["error"][0] == pytest.approx(1000 * error)


def test_the_gain_in_accuracy_is_paired(inputs):
    gain, low, high = accuracy_gain(Zoo(name="restore-cnn"), IDENTITY, inputs)
    assert low < gain < high
    assert low > 0
    assert accuracy_gain(IDENTITY, IDENTITY, inputs)[0] == 0


def test_the_picture_has_a_column_for_each_class(inputs):
    names = ("bicubic enlargement", "restore-cnn", "restore-teacher at 1 steps", "restore-1step", "restore-4step")
    drawn = picture(dict.fromkeys((*names, "restore-teacher"), IDENTITY), inputs)
    assert drawn.size == (10 * 60, 10 * 60)
