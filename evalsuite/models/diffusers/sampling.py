"""A pipeline that generates: initial noise and all later randomness from each sample's own generator."""

from __future__ import annotations

import inspect
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from evalsuite.errors import Failed
from evalsuite.models.contract import Batch, Condition, Probe
from evalsuite.models.diffusers.kinds import DENOISERS, Latents
from evalsuite.models.diffusers.stages import Watch
from evalsuite.noise import draw
from evalsuite.records import NoiseSpec

CARRIED: dict[Condition, tuple[str, ...]] = {
    "text": ("prompt",),
    "image": ("image",),
    "text_and_image": ("prompt", "image"),
    "class": ("batch_size", "class_labels"),
    "none": ("batch_size",),
}
"""Arguments that a batch gives."""


NAME_SOME = "the suite must name some"


class Loaded:
    """A pipeline in memory.

    Attributes:
        evaluations: network evaluations of an image in the latest batch; None before the first.
    """

    def __init__(
        self,
        pipeline: Any,
        watch: Watch,
        *,
        condition: Condition,
        latents: Latents,
        arguments: Mapping[str, Any],
        negative_prompt: str | None,
        nfe: int | None,
    ) -> None:
        self.pipeline, self.watch = pipeline, watch
        self.condition, self.latents, self.nfe = condition, latents, nfe
        self.arguments, self.negative_prompt = arguments, negative_prompt
        self.evaluations: float | None = None

    def generate(self, batch: Batch, probe: Probe) -> NDArray[np.uint8]:
        """Images uint8 ``[B, C, H, W]``, rounded as the library rounds them.

        Flags samples whose prompt did not fit a text encoder (``prompt_truncated``) and those that a safety checker
        blanked (``safety_checker``).

        Raises:
            Failed: the batch lacks what the pipeline is conditioned on; or the images would not follow from the seeds;
                or the network was evaluated another number of times than was promised.
        """
        import torch

        generators = [torch.Generator().manual_seed(seed) for seed in batch.seeds.tolist()]
        asked = self._asked(batch)
        if "prompt" in asked:
            _flag(probe, "prompt_truncated", self._truncated(asked["prompt"]))
        if self.latents != "generator":
            noise = self._noise(generators, batch.noise)
            asked["latents"] = noise.to(self._denoiser.device, self._denoiser.dtype)
        self.watch.start(probe)
        with _own_randomness(type(self.pipeline).__name__):
            output = self.pipeline(**self.arguments, **asked, generator=generators, output_type="pt")
        self._check_evaluations(len(generators))
        blanked = getattr(output, "nsfw_content_detected", None)
        if blanked is not None:
            _flag(probe, "safety_checker", np.array(blanked, dtype=bool))
        return to_uint8(output.images)

    def num_parameters(self) -> int:
        import torch

        parts = [part for part in self.pipeline.components.values() if isinstance(part, torch.nn.Module)]
        return sum(parameter.numel() for parameter in torch.nn.ModuleList(parts).parameters())

    def _asked(self, batch: Batch) -> dict[str, Any]:
        """Arguments that tell the samples apart, or how many there are."""
        name, count = type(self.pipeline).__name__, len(batch.seeds)
        asked: dict[str, Any] = {}
        for argument in CARRIED[self.condition]:
            if argument == "prompt":
                if batch.prompts is None:
                    raise Failed(f"{name} makes images from texts, and the batch has no prompts; {NAME_SOME}")
                asked["prompt"] = list(batch.prompts)
                if self.negative_prompt is not None:
                    asked["negative_prompt"] = [self.negative_prompt] * count
            elif argument == "image":
                if batch.images is None:
                    raise Failed(f"{name} starts from images, and the batch has none; {NAME_SOME}")
                asked["image"] = _in_colour(batch.images)
            elif argument == "class_labels":
                if batch.labels is None:
                    raise Failed(f"{name} makes images of classes, and the batch has no labels; {NAME_SOME}")
                asked["class_labels"] = batch.labels.tolist()
            else:
                asked[argument] = count
        return asked

    def _noise(self, generators: Sequence[Any], spec: NoiseSpec) -> Any:
        """Float32 on the CPU, in the shape that the pipeline would draw it in."""
        factor = getattr(self.pipeline, "vae_scale_factor", 1)
        height, width = (side // factor for side in self._size(factor))
        channels = self._denoiser.config.in_channels
        if self.latents == "packed":
            channels, height, width = channels // 4, height // 2 * 2, width // 2 * 2
        shape = (channels, height, width)
        noise = draw(generators, shape, spec)
        return noise if self.latents == "grid" else self.pipeline._pack_latents(noise, len(noise), *shape)

    def _size(self, factor: int) -> tuple[int, int]:
        """Height and width of the images in pixels: as asked for, else the pipeline's default."""
        if "height" in self.arguments:
            return self.arguments["height"], self.arguments["width"]
        size = getattr(self.pipeline, "default_sample_size", None) or self._denoiser.config.sample_size
        height, width = (size, size) if isinstance(size, int) else size
        return height * factor, width * factor

    @property
    def _denoiser(self) -> Any:
        return next(part for name in DENOISERS if (part := getattr(self.pipeline, name, None)) is not None)

    def _truncated(self, prompts: Sequence[str]) -> NDArray[np.bool_]:
        """Which prompts some text encoder of the pipeline sees the beginning of only, bool ``[B]``."""
        cut = np.zeros(len(prompts), dtype=bool)
        for name, tokenizer in self.pipeline.components.items():
            if name.startswith("tokenizer") and tokenizer is not None:
                lengths = [len(ids) for ids in tokenizer(list(prompts), truncation=False).input_ids]
                cut |= np.array(lengths) > self._longest(tokenizer)
        return cut

    def _longest(self, tokenizer: Any) -> int:
        """Tokens that its text encoder is given: CLIP's own limit, else what the call says."""
        own: int = tokenizer.model_max_length
        if "CLIP" in type(tokenizer).__name__:
            return own
        default = inspect.signature(self.pipeline.__call__).parameters.get("max_sequence_length")
        longest: int = self.arguments.get("max_sequence_length", own if default is None else default.default)
        return longest

    def _check_evaluations(self, count: int) -> None:
        self.evaluations = self.watch.rows / count
        if self.watch.rows > 0 and self.nfe is not None and self.evaluations != self.nfe:
            raise Failed(
                f"{type(self.pipeline).__name__} evaluated its network {self.evaluations:g} times for an image, "
                f"expected {self.nfe}; set nfe: {self.evaluations:g}"
            )


def check_arguments(pipeline: Any, condition: Condition, wanted: Collection[str]) -> None:
    """Check that a pipeline can be called with what a batch and the settings have.

    Raises:
        Failed: it takes no such argument, or needs another one.
    """
    name, parameters = type(pipeline).__name__, inspect.signature(type(pipeline).__call__).parameters
    given = {"self", *wanted, *CARRIED[condition], "generator", "output_type"}
    needed = {
        argument.name
        for argument in parameters.values()
        if argument.default is argument.empty and argument.kind is argument.POSITIONAL_OR_KEYWORD
    }
    if needed - given:
        raise Failed(f"{name} needs {', '.join(sorted(needed - given))}, which a batch does not carry")
    if given - parameters.keys():
        taken = ", ".join(sorted(parameters.keys() - {"self"}))
        raise Failed(f"{name} takes no {', '.join(sorted(given - parameters.keys()))}; it takes {taken}")


def _in_colour(images: NDArray[np.uint8]) -> list[Image.Image]:
    """What people give pipelines, so that these prepare it as ever: colour images of Pillow."""
    colour = images.repeat(3, axis=1) if images.shape[1] == 1 else images
    return [Image.fromarray(np.ascontiguousarray(image.transpose(1, 2, 0))) for image in colour]


def to_uint8(images: Any) -> NDArray[np.uint8]:
    """Float tensors ``[B, C, H, W]`` in [0, 1] to 0..255, rounded half to even as the library's own images are.

    Raises:
        FloatingPointError: a value is not finite.
    """
    values = images.float().cpu().numpy()
    if not np.isfinite(values).all():
        raise FloatingPointError("the pipeline returned values that are not finite; try dtype float32 or bfloat16")
    pixels: NDArray[np.uint8] = (values * 255).round().astype(np.uint8)
    return pixels


def _flag(probe: Probe, name: str, samples: NDArray[np.bool_]) -> None:
    if samples.any():
        probe.flag(name, samples)


@contextmanager
def _own_randomness(name: str) -> Iterator[None]:
    """Refuse results that the process-wide generators had a part in: a sample would depend on those before it."""
    import torch

    def states() -> list[Any]:
        devices = torch.cuda.get_rng_state_all() if torch.cuda.is_initialized() else []  # type: ignore[no-untyped-call]
        return [torch.get_rng_state(), *devices]

    before = states()
    yield
    if any(not torch.equal(a, b) for a, b in zip(before, states(), strict=False)):
        raise Failed(
            f"{name} drew noise that does not come from the samples' own seeds, so that an image would depend on those "
            "before it; choose another scheduler, or other settings of this one"
        )
