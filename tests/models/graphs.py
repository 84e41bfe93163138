"""Networks that the tests of exported models share, and their export."""

from __future__ import annotations

import inspect
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from evalsuite.models.contract import Batch, ModelAdapter, NoProbe
from evalsuite.models.onnx import Onnx
from evalsuite.models.torch_export import TorchExport
from evalsuite.models.zoo import checkpoint
from evalsuite.models.zoo.sampler import SIGMA_MAX
from evalsuite.pairing import labels_of, seeds_of
from evalsuite.records import NoiseSpec
from evalsuite.targets.cpu import Cpu

SHAPE = (1, 28, 28)
ONE_THREAD = Cpu(threads=1)

ONE_STEP = (torch.zeros(2, *SHAPE), torch.arange(2))
TEACHER = (torch.zeros(2, *SHAPE), torch.ones(2), torch.arange(2))
"""Arguments to export with."""


def batch(ids: Any, noise: NoiseSpec = NoiseSpec(), *, classes: int = 10) -> Batch:
    ids = np.asarray(ids, dtype=np.int64)
    return Batch(ids, seeds_of(ids, seed=3), labels_of(ids, classes) if classes else None, noise=noise)


def images_of(adapter: ModelAdapter, *batches: Batch) -> NDArray[np.uint8]:
    """Images of some batches, one after the other."""
    with adapter.open(ONE_THREAD) as model:
        return np.concatenate([model.generate(one, NoProbe()) for one in batches])


def floats_of(adapter: Onnx | TorchExport, *batches: Batch) -> Tensor:
    """The same before they are rounded."""
    with adapter.open(ONE_THREAD) as model, torch.inference_mode():
        return torch.cat([model.sample(one, NoProbe()) for one in batches])


class OneStep(nn.Module):
    """The zoo's one-step student from noise to images, its only noise level inside."""

    def __init__(self) -> None:
        super().__init__()
        self.net = checkpoint.load("fashion-1step")

    def forward(self, noise: Tensor, label: Tensor) -> Tensor:
        sigma = torch.full_like(noise[:, 0, 0, 0], SIGMA_MAX)
        images: Tensor = self.net(noise * SIGMA_MAX, sigma, label)
        return images


class Teacher(nn.Module):
    """The zoo's teacher, as it denoises."""

    def __init__(self) -> None:
        super().__init__()
        self.net = checkpoint.load("fashion-teacher")

    def forward(self, x: Tensor, sigma: Tensor, label: Tensor) -> Tensor:
        denoised: Tensor = self.net(x, sigma, label)
        return denoised


class Halved(nn.Module):
    """Half its input: a network whose output is known."""

    def __init__(self, dtype: torch.dtype = torch.float32) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.full((1,), 0.5, dtype=dtype))

    def forward(self, noise: Tensor) -> Tensor:
        return noise * self.weight


def as_pt2(net: nn.Module, arguments: tuple[Tensor, ...], path: Path, *, free_batch: bool = True) -> Path:
    """Exported as users export."""
    shapes = [{0: torch.export.Dim("batch")}] * len(arguments) if free_batch else None
    torch.export.save(torch.export.export(net.eval(), arguments, dynamic_shapes=shapes), path)
    return path


def as_onnx(net: nn.Module, arguments: tuple[Tensor, ...], path: Path, *, free_batch: bool = True) -> Path:
    """Exported by PyTorch's older exporter, which takes a tenth of the time; the page in docs uses the newer one."""
    names = list(inspect.signature(net.forward).parameters)
    axes = {name: {0: "batch"} for name in names} if free_batch else None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that it is old, and that sizes are traced
        torch.onnx.export(net.eval(), arguments, path, input_names=names, dynamic_axes=axes, dynamo=False)
    return path
