"""A statistics file as reference: mean and covariance of the features of images that are not here themselves."""

from __future__ import annotations

import hashlib
from typing import NoReturn

import numpy as np
from numpy.typing import NDArray

from evalsuite import moments
from evalsuite.errors import Failed, Skipped, Unavailable, UsageError
from evalsuite.records import Moments
from evalsuite.settings import Settings, SuitePath


class Statistics(Settings):
    """What ``evalsuite statistics`` saved, or an ``.npz`` of clean-fid or pytorch-fid.

    It serves metrics of mean and covariance (``fid`` and its kin), by the extractor that made it; others are skipped.

    Attributes:
        path: a ``.safetensors`` or ``.npz`` file.
        licence: of the images behind it, for the record.
        source: where they come from, for the record.
    """

    path: SuitePath
    licence: str = "unknown"
    source: str = "a statistics file"

    def fingerprint(self) -> str:
        """SHA-256 of the file.

        Raises:
            Unavailable: there is no such file.
        """
        try:
            return hashlib.sha256(self.path.read_bytes()).hexdigest()
        except OSError as error:
            raise Unavailable(f"{self.path}: {error.strerror}; set path to a statistics file") from error

    def size(self) -> int:
        """Of how many images it is; 0 where the file does not say."""
        return self.moments().n or 0

    def class_names(self) -> tuple[str, ...]:
        return ()

    def labels(self) -> None:
        return None

    def images(self, ids: NDArray[np.int64]) -> NoReturn:
        """There are none.

        Raises:
            Skipped: always.
        """
        raise Skipped(f"{self.path.name} holds mean and covariance of features, and no images")

    def moments(self) -> Moments:
        """As they were saved, float64.

        Raises:
            Unavailable: there is no such file.
            Failed: it is no statistics file.
        """
        self.fingerprint()
        try:
            return moments.load(self.path)
        except UsageError as error:
            raise Failed(str(error)) from error
