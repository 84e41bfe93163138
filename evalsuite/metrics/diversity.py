"""Diversity within conditions: do samples of one class or prompt differ from each other as they should?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from evalsuite.errors import Skipped
from evalsuite.metrics._features import FeatureMetric, Floats, finite, require
from evalsuite.metrics._groups import leave_one_group_out
from evalsuite.metrics.contract import Estimate, FeatureInputs
from evalsuite.records import Family


class Diversity(FeatureMetric):
    """Mean squared distance of two samples of one class or prompt in feature space, averaged over these; 0 or above.

    A student that gives every seed the same picture of a class keeps its class accuracy, and often its Fréchet
    distance; here it falls below its teacher. The number means little alone: its scale is that of the extractor's
    features, and noise adds to it. Look at the difference to the teacher.
    """

    uses_reference: ClassVar[bool] = False
    unit: ClassVar[str] = ""
    higher_is_better: ClassVar[bool | None] = True
    paper: ClassVar[str] = (
        "Naeem et al. 2020, Reliable Fidelity and Diversity Metrics (arXiv:2002.09797), for the two; "
        "the spread is the within-class variance of textbooks"
    )

    def compute(self, inputs: FeatureInputs) -> Mapping[str, Estimate | str]:
        """One value, with the value without each group. Classes and prompts of a single sample are left out.

        Raises:
            Skipped: samples were asked for nothing, or nothing was asked for twice.
            Failed: a feature is NaN or infinite.
        """
        if inputs.asked is None:
            raise Skipped("needs the class or prompt that each sample was made for; for other models, see vendi")
        features = finite(inputs.generated, "generated")
        classes, members = np.unique(inputs.asked, return_inverse=True)
        fewest_kept = leave_one_group_out(lambda kept: float(_most(members[kept])), inputs.groups)[0]
        require(int(min([_most(members), *fewest_kept])), 2, "samples of a condition, whichever group is left out")
        centred = features - features.mean(axis=0)  # so that squares of large means cancel no digits

        def within(kept: NDArray[np.bool_]) -> float:
            return mean_squared_distance(centred[kept], members[kept], len(classes))

        replicates, sizes = leave_one_group_out(within, inputs.groups)
        return {
            "": Estimate(
                value=within(np.ones(len(features), dtype=bool)),
                family=Family.JACKKNIFE,
                n=len(features),
                replicates=replicates,
                group_sizes=sizes,
                protocol={
                    "estimator": "mean squared distance within classes",
                    "n": len(features),
                    "num_classes": len(classes),
                },
            )
        }


def _most(members: NDArray[np.intp]) -> int:
    """Samples of the largest class."""
    return int(np.bincount(members).max()) if len(members) else 0


def mean_squared_distance(features: Floats, members: NDArray[np.intp], num_classes: int) -> float:
    """Mean over classes of the mean of |x - y|^2 over pairs of different samples, which is twice the class's variance.

    Args:
        features: ``[N, D]``.
        members: int ``[N]`` in [0, num_classes).
        num_classes: classes of fewer than two samples are left out.
    """
    counts = np.bincount(members, minlength=num_classes)
    sums = np.zeros((num_classes, features.shape[1]))
    np.add.at(sums, members, features)
    squares = np.bincount(members, weights=(features**2).sum(axis=1), minlength=num_classes)
    there = counts > 1
    scatter = squares[there] - (sums[there] ** 2).sum(axis=1) / counts[there]
    return float((2 * scatter / (counts[there] - 1)).mean())
