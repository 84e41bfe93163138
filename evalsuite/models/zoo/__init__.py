"""Adapter ``zoo``: the bundled diffusion models, a teacher and its distilled students."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from evalsuite.errors import nearest
from evalsuite.files import content_key
from evalsuite.models.contract import Batch, Capabilities, LoadedModel, Probe
from evalsuite.models.zoo import checkpoint
from evalsuite.settings import Settings
from evalsuite.targets.contract import Target

if TYPE_CHECKING:
    from evalsuite.models.zoo.network import Denoiser

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
        if trained is not None and self.guidance_scale is not None:
            raise ValueError(f"{self.name} has its teacher's guidance in its weights and takes no guidance_scale")
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
        evaluations = self._steps * (1 if self._guidance == 1.0 else 2)
        return Capabilities(
            condition="class",
            image_shape=(channels, size, size),
            num_steps=self._steps,
            nfe=evaluations,
            noise=True,
            settable=frozenset() if header.sigmas else frozenset({"num_steps", "guidance_scale"}),
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

    @contextmanager
    def open(self, target: Target) -> Iterator[LoadedModel]:
        from evalsuite.models.zoo.sampler import karras_sigmas

        net = target.prepare(checkpoint.load(self.name))
        header = self._header
        yield _Loaded(net, header.sampler, header.sigmas or karras_sigmas(self._steps), self._guidance)


class _Loaded:
    def __init__(self, net: Denoiser, sampler: str, sigmas: list[float], guidance_scale: float) -> None:
        self.net, self.sampler, self.sigmas, self.guidance_scale = net, sampler, sigmas, guidance_scale

    def num_parameters(self) -> int:
        return sum(parameter.numel() for parameter in self.net.parameters())

    def generate(self, batch: Batch, probe: Probe) -> NDArray[np.uint8]:
        """Images uint8 ``[B, 1, 28, 28]``; latent noise comes from each sample's own CPU generator."""
        import torch

        with torch.inference_mode():
            return to_uint8(self.sample(batch, probe).float().cpu().numpy())

    def sample(self, batch: Batch, probe: Probe) -> Any:
        """Images as a float tensor ``[B, 1, 28, 28]``, about [-1, 1], not clipped."""
        import torch

        from evalsuite.models.zoo import sampler

        config, weight = self.net.config, next(self.net.parameters())
        shape = (config.image_channels, config.image_size, config.image_size)
        noise = sampler.initial_noise(batch.seeds.tolist(), shape).to(weight.device) * batch.noise.scale
        null = np.full(len(noise), config.num_classes)
        labels = torch.from_numpy(null if batch.labels is None else batch.labels)
        denoise = sampler.guided(self.net, labels.to(weight.device), self.guidance_scale)
        states = sampler.SAMPLERS[self.sampler](denoise, noise, self.sigmas)
        image = noise
        for step in range(len(self.sigmas) - 1):
            with probe.stage("denoise", step):
                image = next(states)
        return image


def to_uint8(images: NDArray[np.float32]) -> NDArray[np.uint8]:
    """[-1, 1] to 0..255, rounded to the nearest and clipped; NaN is kept visible as an error, not as a pixel.

    Raises:
        FloatingPointError: a value is not finite.
    """
    if not np.isfinite(images).all():
        raise FloatingPointError("the model returned values that are not finite")
    pixels: NDArray[np.uint8] = np.clip(np.rint((images + 1) * 127.5), 0, 255).astype(np.uint8)
    return pixels
