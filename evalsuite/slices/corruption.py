"""Slices whose input images are corrupted: noise, blur, weather and digital artefacts at five severities."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Annotated, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import AfterValidator, Field

from evalsuite.errors import Failed, nearest
from evalsuite.models.contract import Batch
from evalsuite.settings import Settings
from evalsuite.slices._blur import BLUR
from evalsuite.slices._corruption import SEVERITIES, Floats, Setting
from evalsuite.slices._digital import DIGITAL
from evalsuite.slices._noise import NOISE
from evalsuite.slices._weather import WEATHER
from evalsuite.slices.contract import Change, SliceCase

FAMILIES: dict[str, dict[str, Callable[[Floats, Setting], Floats]]] = {
    "noise": NOISE,
    "blur": BLUR,
    "weather": WEATHER,
    "digital": DIGITAL,
}
CORRUPTIONS = {name: corrupt for family in FAMILIES.values() for name, corrupt in family.items()}


def _known(name: str) -> str:
    if name not in CORRUPTIONS and name not in FAMILIES:
        raise ValueError(f"no corruption {name!r}; {nearest(name, [*CORRUPTIONS, *FAMILIES])}")
    return name


class Corrupted(Change):
    """Corrupts the images that samples start from, each by its own seed.

    Attributes:
        name: of the corruption.
        severity: 1 to 5.
    """

    libraries: ClassVar[tuple[str, ...]] = ("numpy", "scipy", "pillow")

    name: str
    severity: int

    def apply(self, batch: Batch) -> Batch:
        """The batch with corrupted images.

        Raises:
            Failed: there are no images, or they are neither grey nor in colour.
        """
        if batch.images is None or batch.images.shape[1] not in (1, 3):
            found = "none" if batch.images is None else f"{batch.images.shape[1]} channels"
            raise Failed(f"corruptions are for images of one or three channels, found {found}")
        images = [
            corrupted(image, self.name, self.severity, self.generator(seed))
            for image, seed in zip(batch.images, batch.seeds, strict=True)
        ]
        return replace(batch, images=np.stack(images))


def corrupted(image: NDArray[np.uint8], name: str, severity: int, random: np.random.Generator) -> NDArray[np.uint8]:
    """One image, uint8 ``[C, H, W]``, C 1 or 3."""
    setting = Setting(severity, min(image.shape[1:]), random)
    values = CORRUPTIONS[name](image / 255.0, setting)
    pixels: NDArray[np.uint8] = np.clip(np.rint(values * 255), 0, 255).astype(np.uint8)
    return pixels


class Corruption(Settings):
    """Corruptions of ImageNet-C (Hendrycks and Dietterich 2019, arXiv:1903.12261) on the images that models start from.

    What samples ought to look like stays as it is, so that a metric against the ground truth says what is lost.

    Attributes:
        names: corruptions, or families of them: ``noise``, ``blur``, ``weather``, ``digital``.
        severity: levels from 1 to 5.
    """

    kind: ClassVar[Literal["variation"]] = "variation"

    names: Annotated[list[Annotated[str, AfterValidator(_known)]], Field(min_length=1)]
    severity: Annotated[list[Annotated[int, Field(ge=1, le=SEVERITIES)]], Field(min_length=1)] = Field(
        default=[1, 2, 3, 4, 5]
    )

    def expand(self) -> Sequence[SliceCase]:
        """One slice a corruption and severity: ``corruption.fog=3``."""
        chosen = dict.fromkeys(one for name in self.names for one in FAMILIES.get(name, {name: None}))
        return [
            SliceCase(
                f"corruption.{name}={severity}",
                change=Corrupted(name=name, severity=severity),
                needs=("image",),
                level=severity,
                unchanged=0,
            )
            for name in chosen
            for severity in self.severity
        ]
