"""What a feature extractor is."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray


class Extracted(NamedTuple):
    """features: float32 ``[B, dim]``; logits: float32 ``[B, K]``, or None."""

    features: NDArray[np.float32]
    logits: NDArray[np.float32] | None


class LoadedExtractor(Protocol):
    """An extractor in memory."""

    def extract(self, images: NDArray[np.uint8]) -> Extracted:
        """Features of uint8 images ``[B, C, H, W]``; do not depend on the batch."""
        ...


class Extractor(Protocol):
    """A network that turns images into features; a class derived from Settings. Torch only inside ``open``."""

    dim: int
    preprocessing: str

    def fingerprint(self) -> str:
        """SHA-256 of weights and code version.

        Raises:
            Unavailable: weights or a package are missing; says how to get them.
        """
        ...

    def open(self) -> AbstractContextManager[LoadedExtractor]: ...
