"""Training of restoration models: its data are what the dataset gives, and it starts and ends where it should."""

from __future__ import annotations

import gzip
import shutil

import numpy as np
import pytest
import torch

from evalsuite.datasets.fashion_mnist import FILES, PACKAGED
from evalsuite.models.zoo import Zoo, checkpoint, train_restoration
from evalsuite.plugins import find

COUNT = 200


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory):
    """The first test images in the place of the train split."""
    folder = tmp_path_factory.mktemp("data")
    for source, target in zip(FILES["test"], FILES["train"], strict=True):
        content = gzip.decompress((PACKAGED / source).read_bytes())
        header, item = (16, 784) if "images" in source else (8, 1)
        shortened = content[:4] + COUNT.to_bytes(4, "big") + content[8 : header + COUNT * item]
        (folder / target).write_bytes(gzip.compress(shortened))
    return folder


def test_it_learns_from_what_the_dataset_gives(data_dir):
    images, inputs = train_restoration.load_pairs(data_dir)
    dataset = find("datasets", "low-resolution")(of="fashion-mnist")
    ids = np.arange(COUNT)
    for found, expected in ((images, dataset.truth(ids)), (inputs, dataset.images(ids))):
        np.testing.assert_array_equal(((found + 1) * 127.5).round().numpy(), expected)


def test_the_teacher_starts_as_the_unconditional_model():
    torch.manual_seed(0)
    net = checkpoint.load("fashion-teacher")
    copy = train_restoration.conditional_copy(net).eval()
    x, image, sigma = torch.randn(2, 1, 28, 28), torch.randn(2, 1, 28, 28), torch.tensor([0.5, 20.0])
    with torch.inference_mode():
        plain = net(x, sigma, torch.full((2,), 10))
        conditional = copy(x, sigma, torch.zeros(2, dtype=torch.int64), image)
    assert torch.allclose(conditional, plain, atol=1e-5)


@pytest.mark.parametrize("stage", ["teacher", "cnn"])
def test_a_stage_ends_with_a_model_that_the_adapter_opens(stage, data_dir, tmp_path, monkeypatch):
    shutil.copy(checkpoint.path_of("fashion-teacher"), tmp_path)
    monkeypatch.setattr(checkpoint, "WEIGHTS_DIR", tmp_path)
    monkeypatch.setattr(train_restoration, "BATCH_SIZE", 4)
    getattr(train_restoration, stage)(data_dir, tmp_path / "work", steps=1)
    adapter = Zoo(name=f"restore-{stage}")
    assert adapter.capabilities().condition == "image"
    with adapter.open(find("targets", "cpu")()) as model:
        assert model.num_parameters() > 0


def test_noise_levels_reach_far_up():
    torch.manual_seed(0)
    generator = torch.Generator().manual_seed(0)
    sigmas = train_restoration.training_sigmas(
        20_000, generator, train_restoration.HIGH_SHARE, train_restoration.HIGH_SIGMAS
    )
    assert sigmas.max() <= 80
    assert 0.24 < (sigmas > 3).float().mean() < 0.35
