"""Timed images against scored ones."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from evalsuite.profiling.agreement import Scored

IMAGES = np.random.default_rng(0).integers(0, 200, (6, 1, 4, 4), dtype=np.uint8)


def scored(tolerance: float = 0.0, *, reduced: bool = False) -> Scored:
    return Scored(lambda ids: IMAGES[ids], 6, tolerance, reduced)


def changed(by: int, pixels: int = 1) -> NDArray[np.uint8]:
    """Samples 2 and 3, the second of them changed."""
    images = IMAGES[2:4].copy()
    images[1].flat[:pixels] += by
    return images


IDS = np.array([2, 3])


@pytest.mark.parametrize(
    ("images", "tolerance", "reduced", "mismatch"),
    [
        (changed(0), 0.0, False, ""),
        (changed(1), 0.0, False, "sample 3 differs by 1 of 255 in a pixel, and at most 0 is valid"),
        (changed(1), 0.02, False, ""),
        (changed(2), 0.02, False, "sample 3 differs by 2 of 255 in a pixel, and at most 1.02 is valid"),
        (changed(50), 0.0, True, ""),
        (changed(5, pixels=16), 0.0, True, "sample 3 differs by 5 of 255 on average, and at most 4 is valid"),
        (np.zeros((2, 3, 4, 4), np.uint8), 0.0, False, "timed images are uint8 [3, 4, 4], the scored ones [1, 4, 4]"),
    ],
)
def test_images_that_differ_by_more_than_the_tolerance(
    images: NDArray[np.uint8], tolerance: float, reduced: bool, mismatch: str
) -> None:
    assert scored(tolerance, reduced=reduced).mismatch(IDS, images).endswith(mismatch)
    assert bool(scored(tolerance, reduced=reduced).mismatch(IDS, images)) == bool(mismatch)


def test_only_what_was_scored_is_compared() -> None:
    images = np.concatenate([IMAGES[5:], np.zeros((1, 1, 4, 4), np.uint8)])
    assert scored().mismatch(np.array([5, 6]), images) == ""
    assert scored().mismatch(np.array([6, 7]), images) == ""
