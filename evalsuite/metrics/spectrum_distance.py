"""Spectrum distance: do generated images have as much detail as real ones, at every spatial frequency?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import numpy as np

from evalsuite.metrics._features import FeatureMetric, features_of, require
from evalsuite.metrics._groups import largest_left_out, leave_one_group_out
from evalsuite.metrics.contract import Estimate, FeatureInputs
from evalsuite.records import Family


class SpectrumDistance(FeatureMetric):
    """Root mean square, over frequencies, of the difference between mean log power spectra; in dB, 0 or above.

    Catches what other metrics forgive: blur of few-step students, whose outer rings lie below those of real images
    while a classifier finds them easier than the originals, and noise or ringing, which lie above. It does not see
    *what* is in an image.

    Attributes:
        extractor: ``spectrum``.
    """

    unit: ClassVar[str] = "dB"
    higher_is_better: ClassVar[bool | None] = False
    paper: ClassVar[str] = (
        "Durall et al. 2020, Watch Your Up-Convolution: CNN Based Generative Deep Neural Networks Are Failing to "
        "Reproduce Spectral Distributions (arXiv:2003.01826), after its azimuthal average"
    )

    extractor: str = "spectrum"

    def compute(self, inputs: FeatureInputs) -> Mapping[str, Estimate | str]:
        """One value, with the value without each group.

        Raises:
            Skipped: there are no samples on one of the sides.
            Failed: a feature is NaN or infinite.
        """
        generated, reference = features_of(inputs)
        require(len(generated), 1 + largest_left_out(inputs.groups), "generated samples")
        require(len(reference), 1, "reference samples")
        offset = generated - reference.mean(axis=0)

        def distance(kept: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> float:
            return float(np.sqrt((offset[kept].mean(axis=0) ** 2).mean()))

        replicates, sizes = leave_one_group_out(distance, inputs.groups)
        return {
            "": Estimate(
                value=distance(np.ones(len(offset), dtype=bool)),
                family=Family.JACKKNIFE,
                n=len(offset),
                replicates=replicates,
                group_sizes=sizes,
                protocol={"estimator": "distance of mean log spectra", "n": len(offset), "n_reference": len(reference)},
            )
        }
