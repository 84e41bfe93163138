"""Train the zoo: ``python -m evalsuite.models.zoo.train {classifier,teacher,trajectories,student} --help``.

The recipe, in this order: ``classifier`` and ``teacher`` from the train split of Fashion-MNIST, ``trajectories`` of the
trained teacher, then one ``student`` after the other. Every stage keeps a checkpoint in the work folder and goes on
from it when it is started again.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import numpy as np
import torch
import torch.nn.functional as F
import typer
from numpy.typing import NDArray
from safetensors.torch import save_file
from torch import Tensor, nn

from evalsuite.datasets._idx import read_idx
from evalsuite.features._fashion_cnn_network import FashionCnnNetwork
from evalsuite.features.fashion_cnn import WEIGHTS as FASHION_CNN_WEIGHTS
from evalsuite.models.zoo import checkpoint, distill
from evalsuite.models.zoo.fit import FitSettings, fit
from evalsuite.models.zoo.network import SIGMA_DATA, Denoiser, UNetConfig
from evalsuite.pairing import labels_of

app = typer.Typer(help=__doc__, no_args_is_help=True, add_completion=False)

DataDir = Annotated[Path, typer.Option(help="Folder with train-images-idx3-ubyte.gz and train-labels-idx1-ubyte.gz.")]
WorkDir = Annotated[Path, typer.Option(help="Folder for checkpoints.")]
Steps = Annotated[int, typer.Option(help="Optimiser steps.")]
Seed = Annotated[int, typer.Option(help="Seed of the initial weights, the data order and the noise.")]

BATCH_SIZE = 128
LABEL_DROPOUT = 0.1
GUIDANCE_SCALE = 1.5


def load_train_split(data_dir: Path) -> tuple[Tensor, Tensor]:
    """Images as float32 ``[60000, 1, 28, 28]`` in [-1, 1], and labels as int64 ``[60000]``."""
    images = torch.from_numpy(read_idx(data_dir / "train-images-idx3-ubyte.gz").copy())
    labels = torch.from_numpy(read_idx(data_dir / "train-labels-idx1-ubyte.gz").copy())
    return images[:, None].float() / 127.5 - 1, labels.long()


def training_sigmas(
    count: int, generator: torch.Generator, high_share: float = 0.1, high: tuple[float, float] = (5.0, 80.0)
) -> Tensor:
    """Noise levels to train on: log-normal (Karras et al. 2022), and a share log-uniform in ``high``.

    The second part keeps the first step of a few-step sampler accurate, which the log-normal hardly ever visits.
    """
    sigmas = (torch.randn(count, generator=generator) * 1.3 - 0.8).exp()
    low, top = high
    uniform = low * (top / low) ** torch.rand(count, generator=generator)
    return torch.where(torch.rand(count, generator=generator) < high_share, uniform, sigmas).clamp(0.01, 80.0)


def denoising_loss(
    net: nn.Module, clean: Tensor, sigma: Tensor, conditions: distill.Conditions, generator: torch.Generator
) -> Tensor:
    """Denoising score matching, weighted as by Karras et al. 2022, table 1.

    Args:
        net: the denoiser.
        clean: float32 ``[B, 1, 28, 28]`` in [-1, 1].
        sigma: float32 ``[B]``.
        conditions: of these images.
        generator: of the noise.
    """
    noisy = clean + sigma[:, None, None, None] * torch.randn(clean.shape, generator=generator)
    with torch.autocast("cpu", torch.bfloat16):
        denoised = net(noisy, sigma, *conditions)
    weight = (sigma**2 + SIGMA_DATA**2) / (sigma * SIGMA_DATA) ** 2
    loss: Tensor = (weight * (denoised.float() - clean).square().mean(dim=(1, 2, 3))).mean()
    return loss


@app.command()
def classifier(data_dir: DataDir, work_dir: WorkDir, steps: Steps = 6_000, seed: Seed = 0) -> None:
    """Train the feature extractor ``fashion-cnn`` and put it where the package looks for it."""
    images, labels = load_train_split(data_dir)
    torch.manual_seed(seed)

    def loss_at(net: nn.Module, generator: torch.Generator) -> Tensor:
        ids = torch.randint(len(images), (BATCH_SIZE,), generator=generator)
        _, logits = net.train()(shifted(images[ids], generator))
        return F.cross_entropy(logits, labels[ids], label_smoothing=0.05)

    # Without a moving average: the running statistics of batch normalisation belong to the current weights.
    settings = FitSettings(steps=steps, seed=seed, learning_rate=2e-3, weight_decay=0.01, ema_decay=0.0)
    net = fit("fashion-cnn", FashionCnnNetwork(), loss_at, settings, work_dir)
    tensors = {name: tensor.to(torch.float16) for name, tensor in net.state_dict().items()}
    save_file(tensors, FASHION_CNN_WEIGHTS)


def shifted(images: Tensor, generator: torch.Generator, pixels: int = 2) -> Tensor:
    """The batch moved by up to ``pixels`` in each direction, black where nothing was."""
    padded = F.pad(images, (pixels,) * 4, value=-1.0)
    row, column = torch.randint(2 * pixels + 1, (2,), generator=generator).tolist()
    return padded[:, :, row : row + images.shape[2], column : column + images.shape[3]]


@app.command()
def teacher(data_dir: DataDir, work_dir: WorkDir, steps: Steps = 10_000, seed: Seed = 0) -> None:
    """Train the class-conditional teacher with label dropout for classifier-free guidance."""
    images, labels = load_train_split(data_dir)
    torch.manual_seed(seed)
    net = Denoiser(UNetConfig())

    def loss_at(net: nn.Module, generator: torch.Generator) -> Tensor:
        ids = torch.randint(len(images), (BATCH_SIZE,), generator=generator)
        clean = images[ids]
        dropped = torch.rand(BATCH_SIZE, generator=generator) < LABEL_DROPOUT
        label = torch.where(dropped, 10, labels[ids])
        sigma = training_sigmas(BATCH_SIZE, generator)
        return denoising_loss(net, clean, sigma, distill.Conditions(label, None), generator)

    trained = fit("fashion-teacher", net, loss_at, FitSettings(steps=steps, seed=seed), work_dir)
    header = checkpoint.Header(net.config.to_dict(), "dpm_solver_2m", [], GUIDANCE_SCALE)
    checkpoint.save(trained, header, checkpoint.path_of("fashion-teacher"))


@app.command()
def trajectories(work_dir: WorkDir, count: Annotated[int, typer.Option(help="How many.")] = 12_000) -> None:
    """Sample trajectories of the shipped teacher, from which the students learn."""

    def conditions_of(ids: NDArray[np.int64]) -> distill.Conditions:
        return distill.Conditions(torch.from_numpy(labels_of(ids, 10)), None)

    folder = trajectories_dir(work_dir, "fashion-teacher")
    distill.write_trajectories(checkpoint.load("fashion-teacher"), GUIDANCE_SCALE, conditions_of, count, folder)


def trajectories_dir(work_dir: Path, teacher: str) -> Path:
    return work_dir / f"{teacher}-trajectories"


@app.command()
def student(name: Annotated[str, typer.Argument(help=", ".join(distill.RECIPES))], work_dir: WorkDir) -> None:
    """Distil one student from its teacher's trajectories."""
    recipe = distill.RECIPES[name]
    recorded = distill.read_trajectories(trajectories_dir(work_dir, recipe.teacher), recipe.grid)
    net = distill.make_student(checkpoint.load(recipe.teacher), recipe)
    trained = fit(name, net, distill.distillation_loss(recorded, recipe.sigmas), recipe.fit, work_dir)
    header = checkpoint.Header(
        net.config.to_dict(), "jump", recipe.sigmas, condition=checkpoint.read_header(recipe.teacher).condition
    )
    checkpoint.save(trained, header, checkpoint.path_of(name))


if __name__ == "__main__":
    app()
