"""What an exported denoiser takes for its time and what it returns, and the deterministic sampler for it.

Samplers use nothing but arithmetic with Python numbers, so that the state stays on the device it lies on.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import Field

from evalsuite.settings import Settings

if TYPE_CHECKING:
    from torch import Tensor

Predict = Callable[["Tensor", float], "Tensor"]
"""``(x [B, C, H, W], time) -> what the network returns, [B, C, H, W]``."""

Finite = Annotated[float, Field(allow_inf_nan=False)]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]


class Parameterisation(Settings, ABC):
    """What a denoiser takes for its time and what it returns, with the sampler that goes with it."""

    whole_times: ClassVar[bool] = False
    """Whether times are whole numbers, as a network with an embedding table wants them."""

    @property
    @abstractmethod
    def own_steps(self) -> int | None:
        """Steps of the grid that the settings give; None where any number goes."""

    @property
    def most_steps(self) -> int:
        """More steps than this there cannot be."""
        return 1000

    def evaluations(self, num_steps: int) -> int:
        """Network evaluations of one image, guidance left out of account."""
        return num_steps

    def channels(self, image_channels: int) -> int:
        """Channels that the network returns; the first ``image_channels`` are the prediction."""
        return image_channels

    @abstractmethod
    def states(self, predict: Predict, noise: Tensor, num_steps: int) -> Iterator[Tensor]:
        """The state after each step; the last is the image.

        Args:
            predict: the network, float32 ``[B, C, H, W]`` in and out.
            noise: standard normal, float32 ``[B, C, H, W]``.
            num_steps: ``own_steps`` where there is such a grid.
        """
