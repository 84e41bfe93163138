"""A zoo checkpoint: float16 weights in a safetensors file, with its network and sampling grid in the header."""

from __future__ import annotations

import hashlib
import json
import struct
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from evalsuite.errors import Failed

if TYPE_CHECKING:
    from torch import nn

    from evalsuite.models.zoo.network import Denoiser
    from evalsuite.models.zoo.regression import Regression

    Net = TypeVar("Net", bound=nn.Module)

WEIGHTS_DIR = Path(__file__).parent / "weights"
VERSION = 1


@dataclass(frozen=True)
class Header:
    """What a checkpoint says of itself; read without torch.

    Attributes:
        network: fields of ``UNetConfig``, or of ``RegressionConfig`` for a regression.
        sampler: ``dpm_solver_2m`` (any number of steps), ``jump`` (the grid it was trained on), or ``regression`` (no
            noise, no steps).
        sigmas: the grid of a distilled student, decreasing to 0; empty for the others.
        guidance_scale: default of a teacher; 1 for students, whose guidance is distilled into the weights.
        condition: what a sample is conditioned on.
    """

    network: dict[str, Any]
    sampler: str
    sigmas: list[float]
    guidance_scale: float = 1.0
    condition: Literal["class", "image"] = "class"

    @property
    def num_steps(self) -> int | None:
        """Steps of the grid; None where any number goes."""
        return len(self.sigmas) - 1 if self.sigmas else None

    @property
    def settable(self) -> frozenset[str]:
        """Settings that may be chosen when it samples: a teacher's, and guidance where labels were dropped."""
        if self.sampler != "dpm_solver_2m":
            return frozenset()
        return frozenset({"num_steps", "guidance_scale"} if self.condition == "class" else {"num_steps"})


def names(condition: Literal["class", "image"] | None = None) -> list[str]:
    """The models that ship with the package: all, or those of one kind of condition."""
    everything = sorted(path.stem for path in WEIGHTS_DIR.glob("*.safetensors"))
    return [name for name in everything if condition in (None, read_header(name).condition)]


def path_of(name: str) -> Path:
    return WEIGHTS_DIR / f"{name}.safetensors"


def read_header(name: str) -> Header:
    """The header of a bundled checkpoint.

    Raises:
        Failed: the file is missing or damaged.
    """
    path = path_of(name)
    try:
        with path.open("rb") as file:
            (length,) = struct.unpack("<Q", file.read(8))
            metadata = json.loads(file.read(min(length, 1_000_000)))["__metadata__"]
        return Header(**json.loads(metadata["evalsuite"]))
    except (OSError, ValueError, KeyError, TypeError, struct.error) as error:
        raise Failed(f"the bundled weights {path} cannot be read: {error}; reinstall evalsuite") from error


def fingerprint(name: str) -> str:
    """SHA-256 of the checkpoint file."""
    try:
        return hashlib.sha256(path_of(name).read_bytes()).hexdigest()
    except OSError as error:
        raise Failed(f"the bundled weights {path_of(name)} cannot be read: {error}; reinstall evalsuite") from error


def save(net: nn.Module, header: Header, path: Path) -> None:
    """Write weights as float16 and the header."""
    import torch
    from safetensors.torch import save_file

    tensors = {name: tensor.to(torch.float16).contiguous() for name, tensor in net.state_dict().items()}
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file(tensors, path, metadata={"evalsuite": json.dumps(asdict(header), sort_keys=True)})


def load(name: str) -> Denoiser:
    """The diffusion network of a bundled checkpoint in float32, in eval mode, on the CPU."""
    from evalsuite.models.zoo.network import Denoiser, UNetConfig

    return _filled(Denoiser(UNetConfig(**read_header(name).network)), name)


def load_regression(name: str) -> Regression:
    """The regression network of a bundled checkpoint whose sampler is ``regression``; else as :func:`load`."""
    from evalsuite.models.zoo.regression import Regression, RegressionConfig

    return _filled(Regression(RegressionConfig(**read_header(name).network)), name)


def _filled(net: Net, name: str) -> Net:
    from safetensors.torch import load_file

    net.load_state_dict({key: tensor.float() for key, tensor in load_file(path_of(name)).items()})
    return net.eval().requires_grad_(False)
