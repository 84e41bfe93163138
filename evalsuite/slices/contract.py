"""What a slice kind is: a variation (new samples) or a subset (part of the samples there are)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from evalsuite.records import NoiseSpec

Columns = Mapping[str, Mapping[str, NDArray[np.int64]]]
"""By attribute and value, the positions (not ids) of the samples that have it, increasing."""


@dataclass(frozen=True)
class SliceCase:
    """One slice of a declared kind.

    Attributes:
        id: as ``class=sneaker`` or ``latent.scale=1.1``.
        settings: adapter settings that it changes (``guidance_scale``); empty for most.
        noise: how the noise is changed; None for unchanged.
        needs: the capability that a model must have: ``noise``, the name of a settable setting, or "".
    """

    id: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    noise: NoiseSpec | None = None
    needs: str = ""


class Variation(Protocol):
    """A slice kind whose cases generate new samples; derives from Settings."""

    kind: Literal["variation"]

    def expand(self) -> Sequence[SliceCase]: ...


class Subset(Protocol):
    """A slice kind that selects among the samples of ``all``; derives from Settings."""

    kind: Literal["subset"]

    def select(self, columns: Columns) -> Mapping[str, NDArray[np.int64]]:
        """Positions (not ids) by slice id, from what is known of the samples (or of the reference).

        Raises:
            Skipped: what it selects by is not known of them.
        """
        ...
