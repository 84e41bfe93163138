"""Adapter ``zoo``: the bundled models, which are teachers and their students, of classes and of images to restore."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from evalsuite.errors import Failed, nearest
from evalsuite.files import content_key
from evalsuite.models.contract import Batch, Capabilities, LoadedModel, NoProbe, Probe
from evalsuite.models.zoo import checkpoint
from evalsuite.noise import initial_noise
from evalsuite.settings import Settings
from evalsuite.targets.contract import Target

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from evalsuite.models.zoo.network import Denoiser
    from evalsuite.models.zoo.regression import Regression

DEFAULT_STEPS = 16


class Zoo(Settings):
    """A bundled model.

    Attributes:
        name: the checkpoint, such as ``fashion-teacher``.
        num_steps: steps of the sampler; a student takes those it was trained for, a teacher any number.
        guidance_scale: classifier-free guidance; a student has it in its weights and takes none.
    """

    name: str
    num_steps: int | None = Field(default=None, ge=1, le=1000)
    guidance_scale: float | None = Field(default=None, ge=0.0, le=20.0, allow_inf_nan=False)

    runs_user_code: ClassVar[bool] = False

    @model_validator(mode="after")
    def _fits_the_checkpoint(self) -> Zoo:
        if self.name not in checkpoint.names():
            raise ValueError(f"no bundled model {self.name!r}; {nearest(self.name, checkpoint.names())}")
        trained = self._header.num_steps
        if trained is not None and self.num_steps not in (None, trained):
            raise ValueError(f"{self.name} samples in the {trained} steps it was trained for, not in {self.num_steps}")
        if self._header.sampler == "regression" and self.num_steps is not None:
            raise ValueError(f"{self.name} is a regression without steps and takes no num_steps")
        if self.guidance_scale is not None and "guidance_scale" not in self._header.settable:
            reason = "was trained without guidance" if trained is None else "has its teacher's guidance in its weights"
            raise ValueError(f"{self.name} {reason} and takes no guidance_scale")
        return self

    @property
    def _header(self) -> checkpoint.Header:
        return checkpoint.read_header(self.name)

    @property
    def _steps(self) -> int:
        return self._header.num_steps or self.num_steps or DEFAULT_STEPS

    @property
    def _guidance(self) -> float:
        return self._header.guidance_scale if self.guidance_scale is None else self.guidance_scale

    def fingerprint(self) -> str:
        """SHA-256 over the weights file, the steps and the guidance."""
        weights = checkpoint.fingerprint(self.name)
        return content_key(["zoo", checkpoint.VERSION, weights, self._steps, self._guidance])

    def capabilities(self) -> Capabilities:
        header = self._header
        size, channels = header.network["image_size"], header.network["image_channels"]
        diffusion = header.sampler != "regression"
        return Capabilities(
            condition=header.condition,
            image_shape=(channels, size, size),
            num_steps=self._steps if diffusion else None,
            nfe=self._steps * (1 if self._guidance == 1.0 else 2) if diffusion else 1,
            noise=diffusion,
            offset=diffusion,
            unusual=frozenset({"blend", "empty"} if header.condition == "class" else ()),
            settable=header.settable,
            tolerance=0.02,
        )

    def provenance(self) -> dict[str, str | int | float | None]:
        return {
            "source": f"bundled checkpoint {self.name}",
            "sha256": checkpoint.fingerprint(self.name),
            "licence": "Apache-2.0 (weights), MIT (Fashion-MNIST, training data)",
            "size_bytes": checkpoint.path_of(self.name).stat().st_size,
            "sampler": self._header.sampler,
        }

    def import_libraries(self) -> None:
        """What reads the weights."""
        import_module("safetensors.torch")

    @contextmanager
    def open(self, target: Target) -> Iterator[LoadedModel]:
        header = self._header
        if header.sampler == "regression":
            yield _Regression(target.prepare(checkpoint.load_regression(self.name)))
            return
        from evalsuite.models.zoo.sampler import karras_sigmas

        net = target.prepare(checkpoint.load(self.name))
        yield _Diffusion(net, header.sampler, header.sigmas or karras_sigmas(self._steps), self._guidance)


class _Loaded(ABC):
    """The network of a checkpoint; see :class:`evalsuite.models.contract.Differentiable`."""

    net: Denoiser | Regression

    def num_parameters(self) -> int:
        return sum(parameter.numel() for parameter in self.net.parameters())

    def generate(self, batch: Batch, probe: Probe) -> NDArray[np.uint8]:
        """Images uint8 ``[B, 1, 28, 28]``."""
        import torch

        with torch.inference_mode():
            return to_uint8(self.sample(batch, probe).float().cpu().numpy())

    def sample(self, batch: Batch, probe: Probe) -> Tensor:
        """Images as a float tensor ``[B, 1, 28, 28]``, about [-1, 1], not clipped."""
        return self._images(self.noise(batch), self.condition(batch), probe)

    def forward(self, noise: Tensor | None, condition: Tensor) -> Tensor:
        import torch

        with torch.enable_grad():  # a target turns gradients off for its process
            return (self._images(noise, condition, NoProbe()) + 1) * 127.5

    @abstractmethod
    def noise(self, batch: Batch) -> Tensor | None: ...

    @abstractmethod
    def condition(self, batch: Batch) -> Tensor: ...

    @abstractmethod
    def _images(self, noise: Any, condition: Tensor, probe: Probe) -> Tensor:
        """What ``sample`` returns, of what ``noise`` and ``condition`` return."""


class _Diffusion(_Loaded):
    """A denoiser and its sampler."""

    net: Denoiser

    def __init__(self, net: Denoiser, sampler: str, sigmas: list[float], guidance_scale: float) -> None:
        self.net, self.sampler, self.sigmas, self.guidance_scale = net, sampler, sigmas, guidance_scale

    def noise(self, batch: Batch) -> Tensor:
        """Drawn from each sample's own CPU generator."""
        import torch

        config = self.net.config
        shape = (config.image_channels, config.image_size, config.image_size)
        noise = initial_noise(batch.seeds, shape, batch.noise)
        if batch.offset is not None:
            noise = noise + torch.from_numpy(batch.offset)
        return noise.to(_device(self.net))

    def condition(self, batch: Batch) -> Tensor:
        if self.net.config.cond_channels:
            return _pixels(batch, self.net)
        return _labels(batch, self.net.config.num_classes).to(_device(self.net))

    def _images(self, noise: Tensor, condition: Tensor, probe: Probe) -> Tensor:
        import torch

        from evalsuite.models.zoo import sampler

        labels, image = condition, None
        if self.net.config.cond_channels:
            labels, image = torch.zeros(len(noise), dtype=torch.int64, device=noise.device), condition / 127.5 - 1
        denoise = sampler.guided(self.net, labels, self.guidance_scale, image)
        states = sampler.SAMPLERS[self.sampler](denoise, noise, self.sigmas)
        state = noise
        for step in range(len(self.sigmas) - 1):
            with probe.stage("denoise", step):
                state = next(states)
        return state


class _Regression(_Loaded):
    """A network that sees the input image alone, whatever the seed."""

    def __init__(self, net: Regression) -> None:
        self.net = net

    def noise(self, batch: Batch) -> None:
        return None

    def condition(self, batch: Batch) -> Tensor:
        return _pixels(batch, self.net)

    def _images(self, noise: None, condition: Tensor, probe: Probe) -> Tensor:
        with probe.stage("restore"):
            restored: Tensor = self.net(condition / 127.5 - 1)
        return restored


def _device(net: Denoiser | Regression) -> torch.device:
    return next(net.parameters()).device


def _labels(batch: Batch, num_classes: int) -> Tensor:
    """The class of each sample, int64 ``[B]``, or float weights ``[B, num_classes + 1]`` where two are mixed."""
    import torch
    import torch.nn.functional as F

    if batch.labels is None:
        return torch.full((len(batch.seeds),), num_classes)
    labels = torch.from_numpy(batch.labels)
    if batch.blend is None:
        return labels
    first, second = (F.one_hot(x, num_classes + 1) for x in (labels, torch.from_numpy(batch.blend.labels)))
    return (1 - batch.blend.weight) * first + batch.blend.weight * second


def _pixels(batch: Batch, net: Denoiser | Regression) -> Tensor:
    """The images of a batch, float32 ``[B, C, H, W]`` in [0, 255].

    Raises:
        Failed: there are none, or not in the network's size.
    """
    import torch

    config = net.config
    wanted = (config.image_channels, config.image_size, config.image_size)
    if batch.images is None or batch.images.shape[1:] != wanted:
        found = "no images" if batch.images is None else f"images of {_shown(batch.images.shape[1:])}"
        raise Failed(
            f"zoo: found {found}, expected inputs of {_shown(wanted)} (channels, height, width); the dataset "
            "low-resolution of fashion-mnist has them"
        )
    return torch.from_numpy(batch.images).to(_device(net), torch.float32)


def _shown(shape: tuple[int, ...]) -> str:
    return "x".join(map(str, shape))


def to_uint8(images: NDArray[np.float32]) -> NDArray[np.uint8]:
    """[-1, 1] to 0..255, rounded to the nearest and clipped; NaN is kept visible as an error, not as a pixel.

    Raises:
        FloatingPointError: a value is not finite.
    """
    if not np.isfinite(images).all():
        raise FloatingPointError("the model returned values that are not finite")
    pixels: NDArray[np.uint8] = np.clip(np.rint((images + 1) * 127.5), 0, 255).astype(np.uint8)
    return pixels
