from dataclasses import replace

import numpy as np
import pytest

from evalsuite.errors import Failed, Skipped
from evalsuite.metrics.clip_score import ClipScore
from evalsuite.records import TextFeatures
from tests.metrics.inputs import clouds, feature_inputs


def score(images, texts, cut=0):
    inputs = feature_inputs(np.array(images, float), np.zeros((2, np.shape(images)[1])))
    embedded = TextFeatures(np.array(texts, np.float32), np.arange(len(texts)) < cut)
    return ClipScore().compute(replace(inputs, texts=embedded))[""]


@pytest.mark.parametrize(
    ("image", "text", "expected"),
    [([1, 0], [3, 0], 100), ([1, 0], [0, 2], 0), ([1, 0], [-1, 0], 0), ([1, 1], [2, 0], 100 / np.sqrt(2))],
)
def test_closed_forms(image, text, expected):
    assert score([image], [text]).value == pytest.approx(expected, abs=1e-5)


def test_it_is_the_cosine_of_each_image_with_its_own_prompt():
    images, texts = clouds(40, m=40)
    found = score(images, texts)
    cosines = (images * texts).sum(1) / np.linalg.norm(images, axis=1) / np.linalg.norm(texts, axis=1)
    np.testing.assert_allclose(found.per_sample, 100 * cosines.clip(0), atol=1e-4)


def test_without_prompts_there_is_none():
    with pytest.raises(Skipped, match="needs the prompt of each sample"):
        ClipScore().compute(feature_inputs(*clouds(10)))
    with pytest.raises(Failed, match=r"\(3, 4\) and \(2, 4\)"):
        score(np.ones((3, 4)), np.ones((2, 4)))
    with pytest.raises(Failed, match="NaN or infinite embeddings of prompts"):
        score(np.ones((1, 2)), [[np.nan, 1]])


def test_prompts_that_were_not_read_whole_are_counted():
    assert score(np.ones((4, 2)), np.ones((4, 2))).warning == ""
    assert score(np.ones((4, 2)), np.ones((4, 2)), cut=3).warning.endswith("read for 3 of 4 samples")
