"""What a model adapter is: a description that needs no torch, and a loaded model that generates."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal, NamedTuple, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from evalsuite.records import NoiseSpec
from evalsuite.targets.contract import DEMANDS, Target

if TYPE_CHECKING:
    from torch import Tensor

Condition = Literal["none", "class", "text", "image", "text_and_image"]
"""What a sample is conditioned on: nothing, a label, a prompt, an image, or both."""

Unusual = Literal["blend", "empty"]


@dataclass(frozen=True)
class Capabilities:
    """What a model, with its settings, can do.

    Attributes:
        modality: ``image`` (video may come).
        condition: what a sample is conditioned on.
        image_shape: ``(C, H, W)``, or None where only the generated images tell.
        num_steps: steps of the sampler; None where it has none.
        nfe: network evaluations for one image; guidance counts two a step.
        seeded: whether the seed decides the image; unseeded models are compared unpaired.
        timed: whether latency means anything; not for a folder of images.
        noise: whether the initial noise can be changed (latent slices): it comes from :mod:`evalsuite.noise`.
        offset: whether it adds a batch's ``offset`` to its initial noise (adversarial slices).
        unusual: which unusual conditions it understands: ``blend``, a mixture of two classes; ``empty``, no class.
        settable: settings that a slice may change, such as ``num_steps`` or ``guidance_scale``.
        obeys: settings of the target that take effect; with a target that has others than plain, it is skipped.
        max_samples: how many samples there are; None for no limit.
        tolerance: largest difference of a pixel (0 to 255, before rounding) between batch sizes.
    """

    modality: Literal["image", "video"] = "image"
    condition: Condition = "none"
    image_shape: tuple[int, int, int] | None = None
    num_steps: int | None = None
    nfe: int | None = None
    seeded: bool = True
    timed: bool = True
    noise: bool = False
    offset: bool = False
    unusual: frozenset[Unusual] = frozenset()
    settable: frozenset[str] = frozenset()
    obeys: frozenset[str] = frozenset(DEMANDS)
    max_samples: int | None = None
    tolerance: float = 0.0


@dataclass(frozen=True)
class Blend:
    """A second class for each sample, mixed into the first as ``(1 - weight) * e(labels) + weight * e(others)``, where
    e is the embedding of a class.

    Attributes:
        labels: int64 ``[B]``, the others.
        weight: in [0, 1].
    """

    labels: NDArray[np.int64]
    weight: float


@dataclass(frozen=True)
class Batch:
    """What to generate.

    Attributes:
        sample_ids: int64 ``[B]``.
        seeds: int64 ``[B]`` in [0, 2**63); all of a sample's randomness comes from a CPU generator of its seed.
        labels: int64 ``[B]``; None for models that are not asked for a class, or not this time.
        num_classes: how many classes there are to ask for; 0 without classes.
        blend: None for models of classes that are not mixed.
        prompts: one text a sample; None for models that are not asked for texts.
        images: uint8 ``[B, C, H, W]``, what each sample starts from; None for models that take none.
        noise: how the initial noise differs from a standard normal.
        offset: what is added to the initial noise, float32 ``[B, ...]`` of its shape; None for nothing.
    """

    sample_ids: NDArray[np.int64]
    seeds: NDArray[np.int64]
    labels: NDArray[np.int64] | None = None
    prompts: Sequence[str] | None = None
    images: NDArray[np.uint8] | None = None
    noise: NoiseSpec = NoiseSpec()
    num_classes: int = 0
    blend: Blend | None = None
    offset: NDArray[np.float32] | None = None


class Probe(Protocol):
    """What a model tells while it generates: where it is, and what happened to a sample."""

    def stage(self, name: str, step: int | None = None) -> AbstractContextManager[None]:
        """Everything inside belongs to this stage, as ``denoise`` step 3; the profiler times it."""
        ...

    def flag(self, name: str, samples: NDArray[np.bool_]) -> None:
        """These samples of the batch (bool ``[B]``) are not what the model made of the seed: ``safety_checker``
        where a checker blanked them. They are counted in the report, and never dropped in silence."""
        ...


class NoProbe:
    """The probe that does nothing."""

    def stage(self, name: str, step: int | None = None) -> AbstractContextManager[None]:
        return nullcontext()

    def flag(self, name: str, samples: NDArray[np.bool_]) -> None:
        return None


class LoadedModel(Protocol):
    """A model in memory, ready on its target."""

    def generate(self, batch: Batch, probe: Probe) -> NDArray[np.uint8]:
        """Images of a batch, uint8 ``[B, C, H, W]`` with C 1 or 3. The same seed gives the same image in any batch."""
        ...


@runtime_checkable
class Countable(Protocol):
    """A loaded model that knows its networks; optional. One that runs elsewhere, or is a plain function, is none."""

    def num_parameters(self) -> int:
        """Parameters of all networks that it loaded, each counted once."""
        ...


@runtime_checkable
class Differentiable(LoadedModel, Protocol):
    """A model in memory through which gradients flow, for slices that search for inputs on which models disagree.

    ``forward(noise(batch), condition(batch))`` is what ``generate(batch)`` rounds and clips.
    """

    def noise(self, batch: Batch) -> Tensor | None:
        """Initial noise, float32 ``[B, ...]`` on the model's device; None for models that start from none."""
        ...

    def condition(self, batch: Batch) -> Tensor | None:
        """What the batch is conditioned on, on the model's device: the input images, float32 ``[B, C, H, W]`` in
        [0, 255]; labels, int64 ``[B]`` or float weights ``[B, classes + 1]`` of their embeddings; None for nothing."""
        ...

    def forward(self, noise: Tensor | None, condition: Tensor | None) -> Tensor:
        """Images as float ``[B, C, H, W]``, 0 black and 255 white, neither rounded nor clipped.

        Gradients reach each of the arguments that asks for them, whether or not gradients are on when it is called;
        the weights ask for none.
        """
        ...


@runtime_checkable
class ModelAdapter(Protocol):
    """A kind of model. A class derived from :class:`evalsuite.settings.Settings`: its fields are what a suite sets.

    Importing its module and calling all but ``open`` must not import torch.
    """

    runs_user_code: ClassVar[bool]
    """Whether it runs code named by the suite; then the user must say ``--allow-code``."""

    def fingerprint(self) -> str:
        """SHA-256 over weights, settings and adapter version; an empty string if samples must not be cached.

        Raises:
            Failed: the weights cannot be read, or are not what they should be.
            Unavailable: a package or file is missing.
        """
        ...

    def capabilities(self) -> Capabilities: ...

    def provenance(self) -> dict[str, str | int | float | None]:
        """Licence, source, size on disk and the like, for the record."""
        ...

    def open(self, target: Target) -> AbstractContextManager[LoadedModel]:
        """Load onto the target; the memory is free again afterwards."""
        ...


@runtime_checkable
class Importing(Protocol):
    """A model adapter that computes with more libraries than PyTorch."""

    def import_libraries(self) -> None:
        """Import what ``open`` and the model need, so that it is part of no model's time to load or memory.

        Raises:
            Unavailable: a package or a file is missing.
        """
        ...


class Download(NamedTuple):
    """Something that a model lacks; ``bytes`` is None where its size is not known without a connection."""

    name: str
    bytes: int | None


@runtime_checkable
class Downloadable(Protocol):
    """A model adapter whose weights may be downloaded, where its settings allow it; never but by ``fetch``."""

    def downloads(self) -> tuple[Download, ...]:
        """What ``fetch`` would download; nothing where all is there, or may not be downloaded."""
        ...

    def fetch(self) -> None:
        """Download it.

        Raises:
            Unavailable: it cannot be had.
        """
        ...
