"""What a reference dataset is."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from evalsuite.records import Moments


class Dataset(Protocol):
    """A set of images; a class derived from :class:`evalsuite.settings.Settings`. Needs no torch.

    Attributes:
        licence: SPDX identifier or name.
        source: where it comes from.
    """

    licence: str
    source: str

    def fingerprint(self) -> str:
        """SHA-256 of the content."""
        ...

    def size(self) -> int: ...

    def class_names(self) -> tuple[str, ...]:
        """Names of the classes by label; empty where it has none."""
        ...

    def labels(self) -> NDArray[np.int64] | None:
        """int64 ``[size]``, or None."""
        ...

    def images(self, ids: NDArray[np.int64]) -> NDArray[np.uint8]:
        """uint8 ``[len(ids), C, H, W]``."""
        ...


@runtime_checkable
class SavedMoments(Dataset, Protocol):
    """A dataset of which only mean and covariance of its features are there: a statistics file."""

    def moments(self) -> Moments:
        """As they were saved, with the extractor that made them."""
        ...


@runtime_checkable
class GroundTruth(Dataset, Protocol):
    """A dataset of inputs that were made from other images, which a model is to restore."""

    def truth(self, ids: NDArray[np.int64]) -> NDArray[np.uint8]:
        """uint8 ``[len(ids), C, H, W]``: what each of ``images(ids)`` was made from."""
        ...
