"""DINOv2 as a feature extractor: what its sizes share."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from evalsuite.features._pretrained import Pretrained
from evalsuite.features.contract import Extracted, LoadedExtractor


class Dinov2(Pretrained):
    """The class token of DINOv2 (Oquab et al. 2023, arXiv:2304.07193) after its last normalisation, without logits.

    Fréchet distances in it agree better with people than those in Inception's features (Stein et al. 2023,
    arXiv:2306.04675), whose way of resizing this is: the whole image, squeezed.
    """

    side: ClassVar[int] = 224
    crop: ClassVar[bool] = False
    mean: ClassVar[tuple[float, float, float]] = (0.485, 0.456, 0.406)
    deviation: ClassVar[tuple[float, float, float]] = (0.229, 0.224, 0.225)
    preprocessing: ClassVar[str] = "bicubic (Pillow) to 224x224, ImageNet mean and deviation"

    @contextmanager
    def open(self) -> Iterator[LoadedExtractor]:
        with self.loaded("Dinov2Model") as model:
            yield _Loaded(self, model)


class _Loaded:
    def __init__(self, extractor: Dinov2, model: Any) -> None:
        self.extractor, self.model = extractor, model

    def extract(self, images: NDArray[np.uint8]) -> Extracted:
        """Features float32 ``[B, dim]`` of uint8 images ``[B, C, H, W]``."""
        import torch

        with torch.inference_mode():
            states = self.model(torch.from_numpy(self.extractor.prepare(images))).last_hidden_state
        return Extracted(states[:, 0].numpy(), None)
