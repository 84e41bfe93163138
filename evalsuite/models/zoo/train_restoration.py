"""Train the restoration models: ``python -m evalsuite.models.zoo.train_restoration {teacher,cnn,trajectories} --help``.

They undo a degradation of Fashion-MNIST, 7 to 28 px. In this order: ``teacher``, which starts from ``fashion-teacher``,
and ``cnn``, its baseline; ``trajectories`` of the trained teacher; then its students by
``python -m evalsuite.models.zoo.train student``. Every stage keeps a checkpoint in the work folder and goes on from it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import numpy as np
import torch
import torch.nn.functional as F
import typer
from numpy.typing import NDArray
from torch import Tensor, nn

from evalsuite.datasets.low_resolution import degraded
from evalsuite.models.zoo import checkpoint, distill
from evalsuite.models.zoo.fit import FitSettings, fit
from evalsuite.models.zoo.network import Denoiser, UNetConfig
from evalsuite.models.zoo.regression import Regression, RegressionConfig
from evalsuite.models.zoo.train import (
    BATCH_SIZE,
    DataDir,
    Seed,
    Steps,
    WorkDir,
    denoising_loss,
    load_train_split,
    training_sigmas,
    trajectories_dir,
)

app = typer.Typer(help=__doc__, no_args_is_help=True, add_completion=False)

FACTOR = 4
HIGH_SHARE = 0.25
HIGH_SIGMAS = (3.0, 80.0)
"""A quarter of the noise levels: above sigma 3 the input image alone says what the output will look like, and a student
of one step has to get all its detail from there."""


def load_pairs(data_dir: Path) -> tuple[Tensor, Tensor]:
    """Images of the train split and what is left of them, each float32 ``[60000, 1, 28, 28]`` in [-1, 1]."""
    images, _ = load_train_split(data_dir)
    pixels = ((images + 1) * 127.5).round().to(torch.uint8).numpy()
    return images, as_condition(degraded(pixels, FACTOR))


def as_condition(images: NDArray[np.uint8]) -> Tensor:
    return torch.from_numpy(images).float() / 127.5 - 1


def unlabelled(cond: Tensor) -> distill.Conditions:
    """Conditions of a model without classes, whose one label, 0, is the null label."""
    return distill.Conditions(torch.zeros(len(cond), dtype=torch.int64), cond)


def conditional_copy(net: Denoiser) -> Denoiser:
    """A class-conditional denoiser as one of images, which it ignores at first; the null label alone is left."""
    config = net.config
    copy = Denoiser(UNetConfig(**{**config.to_dict(), "num_classes": 0, "cond_channels": config.image_channels}))
    weights = net.state_dict()
    stem = weights["unet.stem.weight"]
    weights["unet.stem.weight"] = torch.cat([stem, torch.zeros_like(stem)], dim=1)
    weights["unet.label_embedding.weight"] = weights["unet.label_embedding.weight"][config.num_classes :]
    copy.load_state_dict(weights)
    return copy


@app.command()
def teacher(data_dir: DataDir, work_dir: WorkDir, steps: Steps = 2_000, seed: Seed = 0) -> None:
    """Train the teacher, which gets the degraded image as further channels of its input."""
    images, inputs = load_pairs(data_dir)
    net = conditional_copy(checkpoint.load("fashion-teacher"))

    def loss_at(net: nn.Module, generator: torch.Generator) -> Tensor:
        ids = torch.randint(len(images), (BATCH_SIZE,), generator=generator)
        sigma = training_sigmas(BATCH_SIZE, generator, HIGH_SHARE, HIGH_SIGMAS)
        return denoising_loss(net, images[ids], sigma, unlabelled(inputs[ids]), generator)

    settings = FitSettings(steps, learning_rate=5e-4, ema_decay=0.998, seed=seed)
    trained = fit("restore-teacher", net.requires_grad_(True).train(), loss_at, settings, work_dir)
    header = checkpoint.Header(net.config.to_dict(), "dpm_solver_2m", [], condition="image")
    checkpoint.save(trained, header, checkpoint.path_of("restore-teacher"))


@app.command()
def cnn(data_dir: DataDir, work_dir: WorkDir, steps: Steps = 3_000, seed: Seed = 0) -> None:
    """Train the regression baseline by its squared error, whose optimum is the posterior mean."""
    images, inputs = load_pairs(data_dir)
    torch.manual_seed(seed)
    net = Regression(RegressionConfig())

    def loss_at(net: nn.Module, generator: torch.Generator) -> Tensor:
        ids = torch.randint(len(images), (BATCH_SIZE,), generator=generator)
        return F.mse_loss(net(inputs[ids]), images[ids])

    trained = fit("restore-cnn", net, loss_at, FitSettings(steps, seed=seed, ema_decay=0.998), work_dir)
    header = checkpoint.Header(net.config.to_dict(), "regression", [], condition="image")
    checkpoint.save(trained, header, checkpoint.path_of("restore-cnn"))


@app.command()
def trajectories(
    data_dir: DataDir, work_dir: WorkDir, count: Annotated[int, typer.Option(help="How many.")] = 10_000
) -> None:
    """Sample trajectories of the shipped teacher for the first images of the train split."""
    _, inputs = load_pairs(data_dir)
    folder = trajectories_dir(work_dir, "restore-teacher")

    def conditions_of(ids: NDArray[np.int64]) -> distill.Conditions:
        return unlabelled(inputs[torch.from_numpy(ids)])

    distill.write_trajectories(checkpoint.load("restore-teacher"), 1.0, conditions_of, count, folder)


if __name__ == "__main__":
    app()
