"""The distillation target: a denoiser that fits it exactly lands on the teacher's states."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from evalsuite.models.zoo import distill
from evalsuite.models.zoo.distill import RECIPES, Conditions, distillation_loss, read_trajectories, write_trajectories
from evalsuite.models.zoo.network import Denoiser, UNetConfig
from evalsuite.models.zoo.sampler import jump

GRID = (0, 9, 16)


def classes_of(ids):
    return Conditions(torch.from_numpy(ids % 10), None)


def images_of(ids):
    images = np.random.default_rng(0).uniform(-1, 1, (500, 1, 28, 28)).astype(np.float32)
    return Conditions(torch.zeros(len(ids), dtype=torch.int64), torch.from_numpy(images)[ids])


@pytest.fixture(scope="module")
def trajectories(tmp_path_factory):
    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("trajectories")
    write_trajectories(Denoiser(UNetConfig(width=16)).eval(), 1.0, classes_of, 500, folder)
    return folder


def test_trajectories_start_with_noise_and_end_with_images(trajectories):
    states, (labels, cond) = read_trajectories(trajectories, GRID)
    assert cond is None
    assert states.shape == (500, 3, 1, 28, 28)
    assert states[:, 0].float().std() == pytest.approx(1.0, abs=0.02)
    assert labels[:12].tolist() == [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1]


def test_finished_chunks_are_kept(trajectories):
    path = next(trajectories.glob("*.safetensors"))
    before = path.stat().st_mtime_ns
    write_trajectories(Denoiser(UNetConfig(width=16)), 1.0, classes_of, 500, trajectories)
    assert path.stat().st_mtime_ns == before


def test_a_student_that_fits_the_target_reproduces_the_trajectory(trajectories):
    recorded = read_trajectories(trajectories, GRID)
    states = recorded.states
    sigmas = RECIPES["fashion-2step"].sigmas

    class Oracle(nn.Module):
        """Knows the trajectory of every state it is asked about."""

        def forward(self, x, sigma, label, cond=None):
            k = (sigma[:, None] == torch.tensor(sigmas[:-1])).int().argmax(dim=1)
            start = torch.where((k == 0)[:, None, None, None], x / sigmas[0], x)
            distances = [(states[:, i].float() - s).abs().sum(dim=(1, 2, 3)) for i, s in zip(k, start, strict=True)]
            ids = torch.stack(distances).argmin(dim=1)
            ratio = (torch.tensor(sigmas)[k + 1] / torch.tensor(sigmas)[k])[:, None, None, None]
            return (states[ids, k + 1].float() - ratio * x) / (1 - ratio)

    loss = distillation_loss(recorded, sigmas)(Oracle(), torch.Generator().manual_seed(0))
    assert loss.item() == pytest.approx(0.03, abs=1e-3)
    noise = states[:4, 0].float()
    end = list(jump(lambda x, sigma: Oracle()(x, sigma, None), noise, sigmas))[-1]
    assert torch.allclose(end, states[:4, -1].float(), atol=2e-2)


def test_trajectories_keep_the_images_they_were_asked_for(tmp_path, monkeypatch):
    monkeypatch.setattr(distill, "CHUNK", 50)
    net = Denoiser(UNetConfig(width=16, num_classes=0, cond_channels=1)).eval()
    write_trajectories(net, 1.0, images_of, 50, tmp_path)
    recorded = read_trajectories(tmp_path, GRID)
    assert torch.allclose(recorded.conditions.cond, images_of(np.arange(50)).cond, atol=1e-3)
    loss = distillation_loss(recorded, RECIPES["fashion-2step"].sigmas)(net, torch.Generator().manual_seed(0))
    assert loss.isfinite()
