"""What is known of pipelines and schedulers without loading them: conditions, defaults, network evaluations."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from evalsuite.models.contract import Condition

Guidance = Literal["none", "embedded", "doubled", "true_cfg"]
"""How a pipeline guides: not at all; by an embedding of the scale, in one evaluation; by a second evaluation once the
scale is above 1; by a second evaluation once ``true_cfg_scale`` is above 1 and there is a negative prompt."""

Latents = Literal["generator", "grid", "packed"]
"""Who draws the initial noise: the pipeline itself from the samples' generators, since it takes none; or the adapter,
as ``[C, h, w]`` in the space of the denoiser, or so and then packed into the patches of a transformer."""


@dataclass(frozen=True)
class Kind:
    """A pipeline class.

    Attributes:
        condition: what it is asked for.
        num_steps, guidance_scale: its own defaults; a scale of None where it takes none.
        guidance: how it guides.
        latents: who draws the initial noise.
        arguments: of every call.
        strength: for those that start from an image, the share of the steps that are taken, by default.
    """

    condition: Condition
    num_steps: int
    guidance_scale: float | None
    guidance: Guidance
    latents: Latents
    arguments: Mapping[str, Any] = field(default_factory=dict)
    strength: float | None = None


EXACT_SIZE = {"use_resolution_binning": False}
"""Images are made in the size that was asked for, not in a near one and resized: the noise is drawn for that size."""

KINDS: dict[str, Kind] = {
    "StableDiffusionPipeline": Kind("text", 50, 7.5, "doubled", "grid"),
    "StableDiffusionXLPipeline": Kind("text", 50, 5.0, "doubled", "grid"),
    "StableDiffusion3Pipeline": Kind("text", 28, 7.0, "doubled", "grid"),
    "LatentConsistencyModelPipeline": Kind("text", 4, 8.5, "embedded", "grid"),
    "PixArtAlphaPipeline": Kind("text", 20, 4.5, "doubled", "grid", EXACT_SIZE),
    "PixArtSigmaPipeline": Kind("text", 20, 4.5, "doubled", "grid", EXACT_SIZE),
    "FluxPipeline": Kind("text", 28, 3.5, "true_cfg", "packed"),
    "StableDiffusionImg2ImgPipeline": Kind("text_and_image", 50, 7.5, "doubled", "generator", strength=0.8),
    "StableDiffusionXLImg2ImgPipeline": Kind("text_and_image", 50, 5.0, "doubled", "generator", strength=0.3),
    "ConsistencyModelPipeline": Kind("none", 1, None, "none", "grid"),
    "DDPMPipeline": Kind("none", 1000, None, "none", "generator"),
    "DDIMPipeline": Kind("none", 50, None, "none", "generator"),
}
"""Others run too, but what cannot be known of them beforehand is not claimed: see :meth:`Diffusers.capabilities`."""

DENOISERS = ("unet", "transformer")
"""Names of the part that is evaluated step by step."""

ONCE = frozenset(
    {
        "CMStochasticIterativeScheduler",
        "DDIMScheduler",
        "DDPMScheduler",
        "DEISMultistepScheduler",
        "DPMSolverMultistepScheduler",
        "DPMSolverSinglestepScheduler",
        "EulerAncestralDiscreteScheduler",
        "EulerDiscreteScheduler",
        "FlowMatchEulerDiscreteScheduler",
        "LCMScheduler",
        "LMSDiscreteScheduler",
        "TCDScheduler",
        "UniPCMultistepScheduler",
    }
)
"""Schedulers that evaluate the denoiser once a step."""

TWICE = frozenset(
    {
        "FlowMatchHeunDiscreteScheduler",
        "HeunDiscreteScheduler",
        "KDPM2AncestralDiscreteScheduler",
        "KDPM2DiscreteScheduler",
    }
)
"""Schedulers of second order, which evaluate it twice a step, but once in the last."""


def evaluations(scheduler: Mapping[str, Any], num_steps: int, guided: bool) -> int | None:
    """Network evaluations for one image; None where the scheduler is not known.

    Args:
        scheduler: its configuration, with its class as ``_class_name``.
        num_steps: as asked for.
        guided: whether guidance takes a second evaluation.
    """
    name, calls = scheduler.get("_class_name"), 0
    if name in ONCE:
        calls = num_steps
    elif name in TWICE:
        calls = 2 * num_steps - 1
    elif name == "PNDMScheduler" and scheduler.get("skip_prk_steps"):
        calls = num_steps + (1 if num_steps > 1 else 0)  # its multistep start repeats one time step
    return calls * (2 if guided else 1) or None
