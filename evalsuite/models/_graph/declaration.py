"""What a suite declares of an exported network, whatever its file format: inputs, shapes, condition and sampler."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationInfo, field_validator, model_validator

from evalsuite import weights
from evalsuite.errors import Unavailable
from evalsuite.models._graph.ddim import Ddim
from evalsuite.models._graph.edm import Edm
from evalsuite.models._graph.flow import Flow
from evalsuite.models._graph.parameterisation import Finite, Parameterisation
from evalsuite.models.contract import Capabilities
from evalsuite.settings import Settings, SuitePath
from evalsuite.suite.schema import Fault, refuse

LEAST_NOISE = 16
"""Values of a sample's noise; fewer than these PyTorch draws in another way, which depends on the machine."""

TOLERANCE = 0.02
"""Of a pixel (0 to 255, before rounding) between batch sizes: ten times what exports of the bundled teacher show, in
float32 with 16 guided steps."""

Side = Annotated[int, Field(ge=1, le=65_536)]


class Inputs(Settings):
    """Names of the network's inputs; None for what its types, shapes and usual names tell.

    Attributes:
        noise: the initial noise, or the state ``x`` of the sampler; floating point.
        time: noise level, time step or time, for a network with a sampler.
        label: the class: whole numbers ``[B]`` or ``[B, 1]``, or floating point ``[B, K]`` for one-hot rows.
    """

    noise: str | None = None
    time: str | None = None
    label: str | None = None

    @model_validator(mode="after")
    def _are_different(self) -> Inputs:
        given = list(self.model_dump(exclude_none=True).values())
        if len(set(given)) < len(given):
            refuse([Fault((), "one name for two of them", "a name for each")])
        return self


class Sampler(Settings):
    """How a denoiser is sampled; exactly one of the three, which also says what it takes and returns."""

    edm: Edm | None = None
    ddim: Ddim | None = None
    flow: Flow | None = None

    @model_validator(mode="after")
    def _is_one_kind(self) -> Sampler:
        given = [name for name in Sampler.model_fields if getattr(self, name) is not None]
        if len(given) != 1:
            refuse([Fault((), " and ".join(given) or "an empty mapping", "one of edm, ddim and flow")])
        return self

    @property
    def chosen(self) -> Parameterisation:
        (chosen,) = (part for part in (self.edm, self.ddim, self.flow) if part is not None)
        return chosen


class GraphSettings(Settings):
    """An exported network: from noise to images at one go, or a denoiser whose sampler is declared here.

    Attributes:
        path: the file; relative to the suite file.
        image_shape: ``(C, H, W)`` of the images, C 1 or 3.
        noise_shape: of one sample's noise, without the batch; None for ``image_shape``.
        condition: ``class`` if it takes a label.
        null_class: the label that stands for no class; for guidance, and where a suite asks for none. With one-hot rows
            a label beyond the last is a row of zeros.
        inputs: their names, where they cannot be told apart.
        output: which output is the image or the prediction, counted from 0.
        output_range: values of a black and of a white pixel, in the images; unused for uint8.
        sampler: of a denoiser; None for a network that goes from noise to images by itself.
        num_steps: of the sampler; without one, those inside the network, for the report.
        guidance_scale: classifier-free guidance, ``null + scale * (conditional - null)`` (Ho and Salimans 2022); None
            or 1 for none.
        nfe: without a sampler, network evaluations inside the network, for the report.
        licence: of the weights, for the record.
    """

    path: SuitePath
    image_shape: tuple[Literal[1, 3], Side, Side]
    noise_shape: tuple[Side, ...] | None = Field(default=None, min_length=1, max_length=4)
    condition: Literal["none", "class"] = "none"
    null_class: int | None = Field(default=None, ge=0)
    inputs: Inputs = Inputs()
    output: int = Field(default=0, ge=0)
    output_range: tuple[Finite, Finite] = (-1.0, 1.0)
    sampler: Sampler | None = None
    num_steps: int | None = Field(default=None, ge=1)
    guidance_scale: float | None = Field(default=None, ge=0.0, le=100.0, allow_inf_nan=False)
    nfe: int | None = Field(default=None, ge=1)
    licence: str = "unknown"

    @field_validator("image_shape", "output_range", mode="before")
    @classmethod
    def _has_all_its_numbers(cls, value: Any, info: ValidationInfo) -> Any:
        """Said here because a tuple's own complaint names a position and not what belongs there."""
        parts = {"image_shape": "channels, height and width", "output_range": "the value of black and of white"}
        if isinstance(value, list | tuple) and len(value) != (3 if info.field_name == "image_shape" else 2):
            raise ValueError(f"expected a list of {parts[str(info.field_name)]}")
        return value

    @model_validator(mode="after")
    def _fits_together(self) -> GraphSettings:
        refuse([*self._shape_faults(), *self._condition_faults(), *self._sampler_faults()])
        return self

    @property
    def noise_dims(self) -> tuple[int, ...]:
        """Shape of one sample's noise."""
        return self.noise_shape or self.image_shape

    @property
    def guided(self) -> bool:
        """Whether each step evaluates the network with and without the label."""
        return self.guidance_scale not in (None, 1.0)

    @property
    def steps(self) -> int | None:
        """Of the sampler's own grid, or as declared."""
        return (self.sampler and self.sampler.chosen.own_steps) or self.num_steps

    def capabilities(self) -> Capabilities:
        """What the settings say; the file is not opened for it."""
        able = {
            "num_steps": self.sampler is not None and self.sampler.chosen.own_steps is None,
            "guidance_scale": self.sampler is not None and self.null_class is not None,
        }
        return Capabilities(
            condition=self.condition,
            image_shape=self.image_shape,
            num_steps=self.steps,
            nfe=self._evaluations(),
            noise=True,
            settable=frozenset(name for name, settable in able.items() if settable),
            obeys=frozenset({"dtype", "memory_limit"}),
            tolerance=TOLERANCE,
        )

    def pixel_settings(self) -> dict[str, Any]:
        """The settings that can change pixels, for the fingerprint."""
        return self.model_dump(mode="json", exclude={"path", "nfe", "licence"})

    def _evaluations(self) -> int | None:
        if self.sampler is None or self.steps is None:
            return self.nfe
        return self.sampler.chosen.evaluations(self.steps) * (2 if self.guided else 1)

    def _shape_faults(self) -> Iterator[Fault]:
        if math.prod(self.noise_dims) < LEAST_NOISE:
            place = "image_shape" if self.noise_shape is None else "noise_shape"
            yield Fault((place,), f"{math.prod(self.noise_dims)} values a sample", f"{LEAST_NOISE} or more")
        if self.sampler is not None and self.noise_dims != self.image_shape:
            hint = "a sampler's state is the image; for latents, export denoiser, sampler and decoder as one network"
            yield Fault(("noise_shape",), "another shape", "that of image_shape beside a sampler", hint)
        if self.output_range[0] >= self.output_range[1]:
            yield Fault(("output_range",), "no range", "the value of black, then a larger one of white")

    def _condition_faults(self) -> Iterator[Fault]:
        if self.condition == "none" and self.null_class is not None:
            yield Fault(("null_class",), str(self.null_class), "none without condition: class")
        if self.condition == "none" and self.inputs.label is not None:
            yield Fault(("inputs", "label"), repr(self.inputs.label), "none without condition: class")
        if self.guidance_scale is not None and self.sampler is None:
            hint = "without a sampler guidance is part of the network"
            yield Fault(("guidance_scale",), f"{self.guidance_scale:g}", "none without a sampler", hint)
        elif self.guided and self.null_class is None:
            hint = "guidance needs condition: class and null_class, the label that stands for no class"
            yield Fault(("guidance_scale",), f"{self.guidance_scale:g}", "none without null_class", hint)

    def _sampler_faults(self) -> Iterator[Fault]:
        if self.sampler is None:
            if self.inputs.time is not None:
                yield Fault(("inputs", "time"), repr(self.inputs.time), "none without a sampler")
            return
        own, most = self.sampler.chosen.own_steps, self.sampler.chosen.most_steps
        if self.nfe is not None:
            yield Fault(("nfe",), str(self.nfe), "none beside a sampler, whose evaluations are counted")
        if own is None and self.num_steps is None:
            yield Fault(("num_steps",), "no number of steps", "one, since the sampler has no grid of its own")
        if own is not None and self.num_steps not in (None, own):
            yield Fault(("num_steps",), str(self.num_steps), f"{own} or none: the sampler's own grid has {own} steps")
        if own is None and self.num_steps is not None and self.num_steps > most:
            yield Fault(("num_steps",), str(self.num_steps), f"at most {most} with these time steps")


def sha256_of(path: Path) -> str:
    """SHA-256 of a file.

    Raises:
        Unavailable: it cannot be read.
    """
    state_of(path)
    return weights.sha256_of(path)


def state_of(path: Path) -> tuple[int, int]:
    """By what a file is known to be unchanged: when it was modified, in nanoseconds, and its size in bytes.

    Raises:
        Unavailable: it cannot be read.
    """
    try:
        found = path.stat()
    except OSError as error:
        raise Unavailable(f"{path}: cannot be read: {error.strerror or error}; expected an exported network") from error
    return found.st_mtime_ns, found.st_size
