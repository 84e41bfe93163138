"""Model adapter ``painter``: a canvas of the colour that the prompt names, with the noise of the seed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from evalsuite.files import content_key
from evalsuite.models.contract import Batch, Capabilities, LoadedModel, Probe
from evalsuite.settings import Settings
from evalsuite.targets.contract import Target
from evalsuite_colours.palette import colour_in

SIDE = 16


class Painter(Settings):
    """Paints with a brush of some roughness.

    Attributes:
        roughness: standard deviation of the noise, in levels of 0 to 255.
    """

    roughness: float = 10.0

    runs_user_code: ClassVar[bool] = False

    def fingerprint(self) -> str:
        return content_key(["painter", 1, self.roughness])

    def capabilities(self) -> Capabilities:
        return Capabilities(condition="text", image_shape=(3, SIDE, SIDE), num_steps=1, nfe=1)

    def provenance(self) -> dict[str, str | int | float | None]:
        return {"source": "evalsuite-colours", "licence": "Apache-2.0"}

    @contextmanager
    def open(self, target: Target) -> Iterator[LoadedModel]:
        yield _Loaded(self.roughness)


class _Loaded:
    def __init__(self, roughness: float) -> None:
        self.roughness = roughness

    def generate(self, batch: Batch, probe: Probe) -> NDArray[np.uint8]:
        with probe.stage("paint"):
            canvases = [self._paint(*pair) for pair in zip(batch.prompts or (), batch.seeds, strict=True)]
        return np.stack(canvases)

    def _paint(self, prompt: str, seed: int) -> NDArray[np.uint8]:
        colour = np.array(colour_in(prompt) or (128, 128, 128), float)[:, None, None]
        noise = np.random.default_rng(seed).normal(0, self.roughness, (3, SIDE, SIDE))
        return (colour + noise).clip(0, 255).astype(np.uint8)
