"""What a suite can change in a pipeline: its scheduler, its VAE, and a LoRA upon it."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import ClassVar

from pydantic import ConfigDict, Field, JsonValue, field_validator, model_validator

from evalsuite.errors import Failed
from evalsuite.files import canonical_json
from evalsuite.models.diffusers.checkpoint import component_files, files_in, refuse_pickles
from evalsuite.models.diffusers.place import Place
from evalsuite.settings import Settings


class Scheduler(Settings):
    """The sampler; any other key, such as ``timestep_spacing`` or ``prediction_type``, changes its configuration.

    Attributes:
        kind: a scheduler class of the library, which takes over the configuration of the pipeline's own; None for
            the pipeline's own.
    """

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, JsonValue]

    kind: str | None = Field(default=None, pattern=r"^[A-Za-z0-9_]+$")

    @model_validator(mode="after")
    def _is_finite(self) -> Scheduler:
        canonical_json(self.overrides)  # refuses NaN and infinity
        return self

    @property
    def overrides(self) -> dict[str, JsonValue]:
        return dict(self.__pydantic_extra__ or {})


class Vae(Place):
    """Another VAE in place of the pipeline's own, if it names a place; and how it decodes.

    Attributes:
        subfolder: where it lies below the place, such as ``vae`` in the folder of a pipeline.
        tiling: decode large images in overlapping tiles, which needs less memory.
        slicing: decode one image at a time, which needs less memory.
    """

    subfolder: str = Field(default="", pattern=r"^[A-Za-z0-9_]*$")
    tiling: bool = False
    slicing: bool = False

    required: ClassVar[bool] = False

    @property
    def replaces(self) -> bool:
        """Whether it is another one."""
        return self.path is not None or self.repository is not None

    def wanted(self, names: Iterable[str]) -> list[str]:
        """Its configuration and weights."""
        prefix = f"{self.subfolder}/" if self.subfolder else ""
        within = (name.removeprefix(prefix) for name in names if name.startswith(prefix))
        return [prefix + name for name in component_files((name for name in within if "/" not in name), None)]

    def folder(self) -> Path:
        """Where its configuration and weights lie.

        Raises:
            Unavailable, Failed: it is not there, or its weights are pickles.
        """
        folder = self.located() / self.subfolder
        refuse_pickles(folder)
        if not (folder / "config.json").is_file():
            raise Failed(f"{folder}: found no config.json, expected the folder of a VAE as save_pretrained writes it")
        return folder

    def files(self) -> list[Path]:
        """What is read of it."""
        return files_in(self.folder(), None) if self.replaces else []


class Lora(Place):
    """A LoRA: weights that are added to the pipeline's own.

    Attributes:
        weight_name: its file, where its folder or repository has several.
        scale: factor of what is added.
        fuse: whether it is added to the weights once, so that it costs no time when sampling.
    """

    weight_name: str | None = Field(default=None, pattern=r"^[^/\\]+$")
    scale: float = Field(default=1.0, allow_inf_nan=False)
    fuse: bool = False

    @field_validator("weight_name")
    @classmethod
    def _is_no_pickle(cls, value: str | None) -> str | None:
        if value is not None and not value.endswith(".safetensors"):
            raise ValueError(f"found {value!r}, expected a .safetensors file; other formats can run code when loaded")
        return value

    def wanted(self, names: Iterable[str]) -> list[str]:
        """Its file.

        Raises:
            Failed: there is none, or there are several and none is named.
        """
        found = sorted(name for name in names if name.endswith(".safetensors") and self.weight_name in (None, name))
        if len(found) != 1:
            raise Failed(
                f"{self.source}: found {', '.join(found) or 'no .safetensors file'}, expected one; say weight_name"
            )
        return found

    def file(self) -> Path:
        """Where its weights lie.

        Raises:
            Unavailable, Failed: they are not there, they are a pickle, or there are several and none is named.
        """
        place = self.located()
        if place.is_dir():
            refuse_pickles(place)
            return place / self.wanted(path.name for path in place.iterdir())[0]
        if place.suffix != ".safetensors" or not place.is_file():
            found = "no safetensors" if place.exists() else "nothing"
            raise Failed(f"{place}: found {found}, expected a .safetensors file")
        return place
