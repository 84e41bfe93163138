"""Adapter ``diffusers``: text-to-image and unconditional pipelines of the library of that name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, ClassVar

from pydantic import Field, FiniteFloat, JsonValue, field_validator, model_validator

from evalsuite.errors import Unavailable
from evalsuite.files import canonical_json, content_key
from evalsuite.models.contract import Capabilities, Condition, Download, LoadedModel
from evalsuite.models.diffusers.checkpoint import Checkpoint, num_parameters, pipeline_files
from evalsuite.models.diffusers.kinds import DENOISERS, KINDS, Kind, evaluations
from evalsuite.models.diffusers.parts import Lora, Scheduler, Vae
from evalsuite.models.diffusers.place import Place, missing
from evalsuite.targets.contract import Target
from evalsuite.weights import sha256_of

VERSION = 1
TOLERANCE = 1.0
"""In float32. Kernels for other batch sizes add in another order, and every step magnifies that: tiny pipelines stay
below 0.01 after 2 steps, and reach 0.1 after 50."""

OWN_ARGUMENTS = frozenset(
    {
        "batch_size",
        "callback_on_step_end",
        "class_labels",
        "generator",
        "guidance_scale",
        "height",
        "image",
        "latents",
        "max_sequence_length",
        "negative_prompt",
        "num_images_per_prompt",
        "num_inference_steps",
        "output_type",
        "prompt",
        "return_dict",
        "sigmas",
        "strength",
        "timesteps",
        "use_resolution_binning",
        "width",
    }
)
"""Arguments of a call that this adapter sets itself."""


class Diffusers(Place):
    """A pipeline, from a local folder (``path``) or one commit of a hub repository; see also :class:`Place`.

    Weights are safetensors only, and a pipeline with code of its own is refused.

    Attributes:
        pipeline: class to load it as; None for what its ``model_index.json`` says.
        variant: of the weights, such as ``fp16``.
        scheduler: another sampler, or other settings of its own.
        num_steps: of the sampler; None for the pipeline's default.
        timesteps, sigmas: the sampler's grid, in place of ``num_steps``.
        guidance_scale: None for the pipeline's default.
        strength: for pipelines that start from an image, the share of the steps that are taken, 1 being all: how much
            of the image is given up.
        negative_prompt: the same for every sample.
        height, width: of the images; None for the pipeline's default.
        max_sequence_length: tokens of a prompt, for text encoders that leave the choice.
        lora: weights added to the pipeline's own.
        vae: another VAE, or how it decodes.
        safety_checker: whether a checker that the pipeline has is kept; what it blanks is flagged.
        extra: other arguments of the pipeline's call, such as ``true_cfg_scale``.
        nfe: network evaluations of an image, where they cannot be known beforehand; a wrong number is refused.
        licence: of the weights; None for what its README states.
    """

    pipeline: str | None = Field(default=None, pattern=r"^[A-Za-z0-9_]+$")
    variant: str | None = Field(default=None, pattern=r"^[A-Za-z0-9_]+$")
    scheduler: Scheduler = Scheduler()
    num_steps: int | None = Field(default=None, ge=1, le=1000)
    timesteps: tuple[int, ...] | None = Field(default=None, min_length=1)
    sigmas: tuple[FiniteFloat, ...] | None = Field(default=None, min_length=1)
    guidance_scale: float | None = Field(default=None, ge=0.0, le=100.0, allow_inf_nan=False)
    strength: float | None = Field(default=None, gt=0.0, le=1.0)
    negative_prompt: str | None = None
    height: int | None = Field(default=None, ge=8, le=8192, multiple_of=8)
    width: int | None = Field(default=None, ge=8, le=8192, multiple_of=8)
    max_sequence_length: int | None = Field(default=None, ge=1, le=4096)
    lora: Lora | None = None
    vae: Vae = Vae()
    safety_checker: bool = True
    extra: dict[str, JsonValue] = Field(default_factory=dict)
    nfe: int | None = Field(default=None, ge=1)
    licence: str | None = None

    package_extra: ClassVar[str] = "diffusers"
    runs_user_code: ClassVar[bool] = False

    @field_validator("extra")
    @classmethod
    def _leaves_the_rest_alone(cls, value: dict[str, JsonValue]) -> dict[str, JsonValue]:
        canonical_json(value)  # refuses NaN and infinity
        taken = sorted(OWN_ARGUMENTS & set(value))
        if taken:
            raise ValueError(f"found {', '.join(taken)}, which are settings of their own or set for every batch")
        return value

    @model_validator(mode="after")
    def _has_one_grid(self) -> Diffusers:
        given = [name for name in ("num_steps", "timesteps", "sigmas") if getattr(self, name) is not None]
        if len(given) > 1:
            raise ValueError(f"found {' and '.join(given)}, expected one of them")
        if (self.height is None) != (self.width is None):
            raise ValueError("found one of height and width, expected both or none")
        return self

    def fingerprint(self) -> str:
        """SHA-256 over the files that are read, the settings, and the versions of the libraries.

        Raises:
            Unavailable: the files or a library are not there.
            Failed: the files are not what they should be.
        """
        settings = self.model_dump(mode="json", exclude={*Place.model_fields, "lora", "vae", "nfe", "licence"})
        settings["vae"] = [self.vae.tiling, self.vae.slicing]
        settings["lora"] = None if self.lora is None else [self.lora.scale, self.lora.fuse]
        folder = self.checkpoint().folder
        own = {str(path.relative_to(folder)): sha256_of(path) for path in self._own_files()}
        vae = {path.name: sha256_of(path) for path in self.vae.files()}
        lora = None if self.lora is None else sha256_of(self.lora.file())
        return content_key(["diffusers", VERSION, self._versions(), settings, own, vae, lora])

    def capabilities(self) -> Capabilities:
        """What the pipeline's configuration says.

        Of pipeline classes that are not in :data:`KINDS` it is not known whether they take initial noise, and how often
        they evaluate their network: slices of the noise are skipped, and ``nfe`` is what the settings say.
        """
        checkpoint = self.checkpoint()
        kind = KINDS.get(self.class_name(checkpoint))
        grid_is_given = self.timesteps is not None or self.sigmas is not None
        sized = kind is not None and kind.condition == "text"
        settable = {
            "num_steps": not grid_is_given,
            "guidance_scale": kind is None or kind.guidance_scale is not None,
            "scheduler": True,
            "height": sized,
            "width": sized,
        }
        return Capabilities(
            condition=_condition(self.class_name(checkpoint), checkpoint),
            image_shape=None if self.height is None or self.width is None else (3, self.height, self.width),
            num_steps=self._steps(kind),
            nfe=self._evaluations(checkpoint, kind),
            noise=kind is not None and kind.latents != "generator",
            settable=frozenset(name for name, able in settable.items() if able),
            tolerance=TOLERANCE,
        )

    def provenance(self) -> dict[str, str | int | float | None]:
        checkpoint = self.checkpoint()
        files = [*self._own_files(), *self.vae.files(), *([self.lora.file()] if self.lora else [])]
        denoiser = [path for path in files if path.suffix == ".safetensors" and path.parent.name in DENOISERS]
        return {
            "source": self.source,
            "pipeline": self.class_name(checkpoint),
            "scheduler": self._scheduler(checkpoint).get("_class_name", "unknown"),
            "lora": None if self.lora is None else f"{self.lora.source}, scale {self.lora.scale:g}",
            "vae": self.vae.source or None,
            "licence": self.licence or checkpoint.licence(),
            "size_bytes": sum(path.stat().st_size for path in files),
            "parameters": num_parameters(denoiser),
            **self._versions(),
        }

    def import_libraries(self) -> None:
        """``diffusers``, ``transformers``, and of both the parts of this pipeline."""
        from evalsuite.models.diffusers.loading import import_libraries

        import_libraries(self)

    @contextmanager
    def open(self, target: Target) -> Iterator[LoadedModel]:
        from evalsuite.models.diffusers.loading import loaded
        from evalsuite.models.diffusers.sampling import Loaded, check_arguments
        from evalsuite.models.diffusers.stages import Watch

        checkpoint, capabilities = self.checkpoint(), self.capabilities()
        kind = KINDS.get(self.class_name(checkpoint))
        watch = Watch()
        with loaded(self, target) as pipeline, watch.over(pipeline, target.compiled):
            arguments = self._arguments(kind)
            negative = () if self.negative_prompt is None else ("negative_prompt",)
            check_arguments(pipeline, capabilities.condition, (*arguments, *negative))
            yield Loaded(
                pipeline,
                watch,
                condition=capabilities.condition,
                latents="generator" if kind is None else kind.latents,
                arguments=arguments,
                negative_prompt=self.negative_prompt,
                nfe=capabilities.nfe,
            )

    def wanted(self, names: Iterable[str]) -> list[str]:
        """Of a repository's files those that the pipeline reads."""
        return pipeline_files(names, self.variant)

    def downloads(self) -> tuple[Download, ...]:
        """What a run would download first: of the pipeline, of the VAE in place of its own, and of the LoRA."""
        lora = () if self.lora is None else self.lora.downloads()
        return (*super().downloads(), *self.vae.downloads(), *lora)

    def fetch(self) -> None:
        """Download it.

        Raises:
            Unavailable: it cannot be had.
        """
        super().fetch()
        self.vae.fetch()
        if self.lora is not None:
            self.lora.fetch()

    def checkpoint(self) -> Checkpoint:
        """The pipeline's folder.

        Raises:
            Unavailable: it is not in the hub cache.
            Failed: it is no pipeline, or one with code of its own.
        """
        return Checkpoint.read(self.located())

    def class_name(self, checkpoint: Checkpoint) -> str:
        """The class that the pipeline is loaded as."""
        return self.pipeline or checkpoint.class_name

    @property
    def unread(self) -> frozenset[str]:
        """Parts of the folder that are not loaded."""
        parts = {"vae": self.vae.replaces, "safety_checker": not self.safety_checker}
        return frozenset(name for name, replaced in parts.items() if replaced)

    def _arguments(self, kind: Kind | None) -> dict[str, Any]:
        """Arguments of every call of the pipeline, apart from the samples'; defaults are written out."""
        grid = {name: list(values) for name in ("timesteps", "sigmas") if (values := getattr(self, name)) is not None}
        chosen = {
            "num_inference_steps": None if grid else self._steps(kind),
            "guidance_scale": self._guidance_scale(kind),
            "strength": self._strength(kind),
            "height": self.height,
            "width": self.width,
            "max_sequence_length": self.max_sequence_length,
        }
        given = {name: value for name, value in chosen.items() if value is not None}
        return {**({} if kind is None else kind.arguments), **grid, **given, **self.extra}

    def _steps(self, kind: Kind | None) -> int | None:
        grid = self.timesteps or self.sigmas
        default = None if kind is None else kind.num_steps
        return len(grid) if grid else self.num_steps or default

    def _strength(self, kind: Kind | None) -> float | None:
        return self.strength if self.strength is not None or kind is None else kind.strength

    def _guidance_scale(self, kind: Kind | None) -> float | None:
        return self.guidance_scale if self.guidance_scale is not None or kind is None else kind.guidance_scale

    def _evaluations(self, checkpoint: Checkpoint, kind: Kind | None) -> int | None:
        """Network evaluations of an image, if the pipeline, its scheduler and its arguments are known."""
        steps = self._steps(kind)
        if self.nfe is not None or kind is None or steps is None or "denoising_end" in self.extra:
            return self.nfe
        strength = self._strength(kind)
        taken = steps if strength is None else min(int(steps * strength), steps)
        scale = self._guidance_scale(kind) or 0.0
        true_scale = self.extra.get("true_cfg_scale")
        guided = {
            "doubled": scale > 1 and checkpoint.config("unet").get("time_cond_proj_dim") is None,
            "true_cfg": isinstance(true_scale, int | float) and true_scale > 1 and self.negative_prompt is not None,
        }
        return evaluations(self._scheduler(checkpoint), taken, guided.get(kind.guidance, False))

    def _scheduler(self, checkpoint: Checkpoint) -> dict[str, Any]:
        """Configuration of the scheduler, its class as ``_class_name``."""
        own = checkpoint.config("scheduler")
        return {
            **own,
            **self.scheduler.overrides,
            "_class_name": self.scheduler.kind or own.get("_class_name", "unknown"),
        }

    def _own_files(self) -> list[Path]:
        return self.checkpoint().files(self.variant, self.unread)

    def _versions(self) -> dict[str, str]:
        """Of the libraries, which can change pixels."""
        return {name: _version(name) for name in ("diffusers", "transformers", *(["peft"] if self.lora else []))}


def _condition(class_name: str, checkpoint: Checkpoint) -> Condition:
    """What a sample is conditioned on.

    A pipeline that is not known starts from an image if its name says so, and is asked for texts if it has a tokenizer.
    """
    kind = KINDS.get(class_name)
    if checkpoint.config("unet").get("num_class_embeds") is not None and kind is not None and kind.condition == "none":
        return "class"
    if kind is not None:
        return kind.condition
    reads = any(name.startswith("tokenizer") for name in checkpoint.components())
    if "Img2Img" in class_name:
        return "text_and_image" if reads else "image"
    return "text" if reads else "none"


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError as error:
        raise Unavailable(missing(package)) from error
