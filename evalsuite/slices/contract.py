"""What a slice kind is: a variation (new samples), a subset (part of the samples there are), or a derived one (a subset
that the samples themselves show)."""

from __future__ import annotations

import inspect
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from typing import Any, ClassVar, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from evalsuite.files import content_key
from evalsuite.models.contract import Batch, Capabilities, Differentiable
from evalsuite.records import NoiseSpec
from evalsuite.settings import Settings

Columns = Mapping[str, Mapping[str, NDArray[np.int64]]]
"""By attribute and value, the positions (not ids) of the samples that have it, increasing."""


class Alteration(Settings):
    """What changes and searches share: a key that tells them apart. A class derived from one of them stands at the top
    of the slice kind's module, so that it can be sent to the process that generates.

    Attributes:
        libraries: packages whose version can change the result.
    """

    libraries: ClassVar[tuple[str, ...]] = ()

    def key(self) -> str:
        """SHA-256 of all that decides what it does: its class, settings and sources, and the versions of libraries.

        Its sources are its own module and the private modules (``_name.py``) beside it.
        """
        kind = type(self)
        own = Path(inspect.getfile(kind))
        sources = [sha256(path.read_bytes()).hexdigest() for path in (own, *sorted(own.parent.glob("_[!_]*.py")))]
        versions = {name: version(name) for name in self.libraries}
        return content_key([kind.__module__, kind.__qualname__, self.model_dump(mode="json"), sources, versions])

    @staticmethod
    def generator(seed: int) -> np.random.Generator:
        """Randomness of one sample; other draws than those of a model with the same seed."""
        return np.random.default_rng(int(seed))


class Change(Alteration):
    """What a slice does to each batch before the model sees it."""

    @abstractmethod
    def apply(self, batch: Batch) -> Batch:
        """The changed batch, of the same samples; what is done to a sample follows from the sample and its seed."""


Found = Mapping[str, NDArray[Any]]
"""What a search ended with, row by row as the batch."""


class Search(Alteration):
    """A change that is searched for on one model, in a step before samples are generated, and then applied for all.

    Attributes:
        against: the model's name in the suite.
    """

    against: str

    @abstractmethod
    def search(self, model: Differentiable, batch: Batch, wanted: NDArray[np.uint8]) -> Found:
        """What to do to each sample; follows from the sample and its seed.

        Args:
            wanted: the teacher's images of the unchanged batch, uint8 ``[B, C, H, W]``.

        Raises:
            Failed: the model cannot be searched on.
        """

    @abstractmethod
    def applied(self, batch: Batch, found: Found) -> Batch:
        """The changed batch, of the same samples."""


@dataclass(frozen=True)
class SliceCase:
    """One slice of a variation.

    Attributes:
        id: curve and level, as ``latent.scale=1.1``.
        settings: adapter settings that it replaces (``guidance_scale``).
        target: settings of the target that it replaces (``dtype``).
        noise: how the noise is changed; None for unchanged.
        change: what is done to each batch; None for nothing.
        needs: what a model must be able to do, see :func:`lacking`.
        level: where it stands on its curve, for curves over severity; None where the points have no order.
        unchanged: the level at which nothing is changed; None where each model has its own.
    """

    id: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    target: Mapping[str, Any] = field(default_factory=dict)
    noise: NoiseSpec | None = None
    change: Change | Search | None = None
    needs: tuple[str, ...] = ()
    level: float | None = None
    unchanged: float | None = None

    @property
    def curve(self) -> str:
        """What it is a point of: ``latent.scale``."""
        return self.id.partition("=")[0]


_ABILITIES = {
    "noise": "its initial noise cannot be changed",
    "offset": "nothing can be added to its initial noise",
    "seeds": "its images do not follow from seeds",
    "class": "it is not asked for classes",
    "text": "it is not asked for texts",
    "image": "it starts from no image",
    "blend": "it cannot mix two classes",
    "empty": "it cannot be asked for no class",
}


def lacking(case: SliceCase, capabilities: Capabilities) -> str:
    """What a model would need for a slice and has not; "" if it can do it.

    A need is ``noise``, ``offset``, ``seeds``, ``class``, ``text``, ``image``, ``blend``, ``empty``, or the name of a
    setting that a slice must be able to change.
    """
    able = {
        "noise": capabilities.noise,
        "offset": capabilities.offset,
        "seeds": capabilities.seeded,
        "class": capabilities.condition == "class",
        "text": capabilities.condition in ("text", "text_and_image"),
        "image": capabilities.condition in ("image", "text_and_image"),
        "blend": "blend" in capabilities.unusual,
        "empty": "empty" in capabilities.unusual or capabilities.condition in ("text", "text_and_image"),
    }
    missing = [need for need in case.needs if not able.get(need, need in capabilities.settable)]
    return "; ".join(_ABILITIES.get(need, f"it has no {need} to change") for need in missing)


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


@dataclass(frozen=True)
class Material:
    """What slices are derived from: features of the samples of ``all``, row by row.

    Attributes:
        sample_ids: int64 ``[N]``.
        teacher: the teacher's features, float32 ``[N, D]``.
        pairs: by the key of each student's case, its features and those of the teacher on the same target, float32
            ``[N, D]`` each.
        units: equal for samples that are not independent, int64 ``[N]``.
        names: what each sample ought to show, N texts; "" where that is not known.
        reference: features of the reference, float32 ``[M, D]``; None where there are none.
    """

    sample_ids: NDArray[np.int64]
    teacher: NDArray[np.float32]
    pairs: Mapping[str, tuple[NDArray[np.float32], NDArray[np.float32]]]
    units: NDArray[np.int64]
    names: Sequence[str]
    reference: NDArray[np.float32] | None = None


@dataclass(frozen=True)
class DerivedSlice:
    """Positions (not ids) of samples of ``all``, and of the same part of the reference; None without one."""

    id: str
    positions: NDArray[np.int64]
    reference: NDArray[np.int64] | None


@dataclass(frozen=True)
class Gap:
    """What was found of a student, by the key of its case, on a slice."""

    case_key: str
    slice: str
    evidence: str


@dataclass(frozen=True)
class Derivation:
    """What was derived: slices, what is known of each student there, and how many places were looked at."""

    slices: tuple[DerivedSlice, ...]
    gaps: tuple[Gap, ...]
    looked_at: int


class Derived(Protocol):
    """A slice kind that finds subsets of the samples of ``all`` by their features; derives from Settings.

    Its slices were chosen by what the samples showed, so no gate is judged on them.
    """

    kind: Literal["derived"]
    extractor: str

    def derive(self, material: Material) -> Derivation:
        """What holds for any student.

        Raises:
            Skipped: the samples do not tell; says what they lack.
        """
        ...


def joined_id(*ids: str) -> str:
    """The id of what several slices have in common: their parts in alphabetical order."""
    return "&".join(sorted(part for one in ids for part in one.split("&")))
