"""Adapter ``identity``: returns the image it starts from, the baseline that every model of images has to beat."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from evalsuite.errors import Failed
from evalsuite.files import content_key
from evalsuite.models.contract import Batch, Capabilities, LoadedModel, Probe
from evalsuite.settings import Settings
from evalsuite.targets.contract import Target

VERSION = 1


class Identity(Settings):
    """Does nothing. On inputs of the dataset ``low-resolution`` it is bicubic enlargement."""

    runs_user_code: ClassVar[bool] = False

    def fingerprint(self) -> str:
        """SHA-256 of its name and version, since it has no weights."""
        return content_key(["identity", VERSION])

    def capabilities(self) -> Capabilities:
        """Untimed: how long it takes to do nothing means nothing."""
        return Capabilities(condition="image", nfe=0, timed=False)

    def provenance(self) -> dict[str, str | int | float | None]:
        return {"source": "built in", "licence": "Apache-2.0"}

    @contextmanager
    def open(self, target: Target) -> Iterator[LoadedModel]:
        """Nothing is loaded, on any target."""
        yield _Unchanged()


class _Unchanged:
    def generate(self, batch: Batch, probe: Probe) -> NDArray[np.uint8]:
        """The batch's images, uint8 ``[B, C, H, W]``.

        Raises:
            Failed: the batch has none.
        """
        if batch.images is None:
            raise Failed("identity: found no images to return; use it in a suite with inputs")
        return batch.images.copy()
