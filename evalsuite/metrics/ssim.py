"""Metric ``ssim``: structural similarity of image pairs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from evalsuite.errors import Skipped
from evalsuite.metrics._pairs import checked_pairs
from evalsuite.metrics.contract import Estimate, Inputs, PairInputs
from evalsuite.records import Family
from evalsuite.settings import Settings

SIGMA = 1.5
WINDOW = 11
BLOCK = 256


class Ssim(Settings):
    """Mean over images of the mean SSIM index with a Gaussian window of 11 pixels (sigma 1.5); [-1, 1], higher is better.

    Data range 255; windows that reach over the border are left out; channels are averaged. Against the teacher it
    measures fidelity, not quality.
    """

    unit: ClassVar[str] = ""
    higher_is_better: ClassVar[bool | None] = True
    inputs: ClassVar[Inputs] = Inputs.PAIRS
    paper: ClassVar[str] = "Wang et al. 2004, Image Quality Assessment: From Error Visibility to Structural Similarity"

    def compute(self, inputs: PairInputs) -> Mapping[str, Estimate | str]:
        a, b = checked_pairs(inputs)
        if min(a.shape[-2:]) < WINDOW:
            raise Skipped(f"images of {a.shape[-2]}x{a.shape[-1]} are smaller than its window of {WINDOW} pixels")
        values = np.concatenate([ssim(a[i : i + BLOCK], b[i : i + BLOCK]) for i in range(0, len(a), BLOCK)])
        protocol = {"data_range": 255, "window": f"gaussian {WINDOW}, sigma {SIGMA:g}", "border": "left out"}
        return {"": Estimate(float(values.mean()), Family.MEAN, len(values), per_sample=values, protocol=protocol)}


def ssim(a: NDArray[np.uint8], b: NDArray[np.uint8]) -> NDArray[np.float64]:
    """SSIM of each pair (Wang et al., eq. 13), float64 ``[N]``, of uint8 ``[N, C, H, W]``."""
    import torch
    from torchmetrics.functional.image import structural_similarity_index_measure

    x, y = (torch.from_numpy(np.ascontiguousarray(side)).double() for side in (a, b))
    index = structural_similarity_index_measure(
        x, y, gaussian_kernel=True, sigma=SIGMA, kernel_size=WINDOW, reduction="none", data_range=255.0
    )
    assert isinstance(index, torch.Tensor)
    per_image: NDArray[np.float64] = index.reshape(len(a)).numpy()
    return per_image
