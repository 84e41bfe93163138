"""Diversity of restorations: do several samples from one input image differ as much as they should?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import numpy as np

from evalsuite.errors import Skipped
from evalsuite.metrics._features import Floats, require
from evalsuite.metrics._pairs import DATA_RANGE
from evalsuite.metrics.contract import Estimate, ImageInputs, Inputs
from evalsuite.records import Family
from evalsuite.settings import Settings


class PosteriorDiversity(Settings):
    """Mean squared difference of two samples from one input, over pixels in [0, 1]; 0 where all are the same.

    It has a natural scale: if samples are draws from the posterior, so is the ground truth, and two samples are as far
    apart as a sample and the truth. A value well below the mean squared error against the truth is a collapse, for
    which error and PSNR reward a model: the posterior mean has half the error and no diversity.
    """

    unit: ClassVar[str] = ""
    higher_is_better: ClassVar[bool | None] = True
    inputs: ClassVar[Inputs] = Inputs.IMAGES
    paper: ClassVar[str] = (
        "Zhu et al. 2017, Toward Multimodal Image-to-Image Translation (arXiv:1711.11586), sec. 5, for the pairs; "
        "Blau and Michaeli 2018, The Perception-Distortion Tradeoff (arXiv:1711.06077), for the factor of two"
    )

    def compute(self, inputs: ImageInputs) -> Mapping[str, Estimate | str]:
        """One value; ``per_sample`` is each sample's mean over the others from its input.

        Raises:
            Skipped: samples start from no image, or an image has a single sample.
        """
        if inputs.started_from is None:
            raise Skipped("needs samples that start from images; for other models, see diversity")
        _, members, counts = np.unique(inputs.started_from, return_inverse=True, return_counts=True)
        require(int(min(counts, default=0)), 2, "samples of each input; let num_samples be a multiple of their number")
        per_sample = np.empty(len(members))
        for rows in np.split(np.argsort(members, kind="stable"), np.cumsum(counts)[:-1]):
            per_sample[rows] = distances_to_others(inputs.images[rows].reshape(len(rows), -1) / DATA_RANGE)
        return {
            "": Estimate(
                value=float(per_sample.mean()),
                family=Family.MEAN,
                n=len(per_sample),
                per_sample=per_sample,
                protocol={"estimator": "mean squared difference of samples from one input", "inputs": len(counts)},
            )
        }


def distances_to_others(samples: Floats) -> Floats:
    """Of each sample, the mean over the other samples and over values of the squared difference.

    Args:
        samples: float64 ``[K, D]``, K of 2 or more.

    Returns:
        float64 ``[K]``.
    """
    moved = samples - samples[0]  # the same samples are 0 now, so that their distance is 0 to the last bit
    squares: Floats = (moved**2).mean(axis=1)
    products: Floats = (moved * moved.sum(axis=0)).mean(axis=1)
    distances: Floats = (len(samples) * squares + squares.sum() - 2 * products) / (len(samples) - 1)
    return distances
