"""The adapter for diffusers pipelines, on tiny ones with random weights: seeds, stages, counts, and refusals."""

from __future__ import annotations

import inspect
import runpy
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import diffusers
import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from evalsuite.models import _diffusers_sampling as sampling
from evalsuite.models._diffusers_kinds import KINDS, ONCE, TWICE
from evalsuite.models.contract import Batch, NoProbe
from evalsuite.models.diffusers import Diffusers
from evalsuite.records import NoiseSpec
from evalsuite.targets.cpu import Cpu
from tests.conftest import ROOT

pytestmark = pytest.mark.filterwarnings("ignore:__array:DeprecationWarning")  # of the library's schedulers

PROMPTS = ["a cat", "a dog in the rain", "seven boats"]
IDS = np.arange(3, dtype=np.int64)
BATCH = Batch(IDS, IDS + 40, IDS, PROMPTS)
CPU, NO_PROBE = Cpu(), NoProbe()

PIPELINES = {
    "stable-diffusion": {},
    "latent-consistency": {},
    "stable-diffusion-xl": {},
    "stable-diffusion-3": {},
    "flux": {"height": 64, "width": 64},
    "pixart": {},
    "ddpm": {},
    "consistency": {},
}
"""Settings that a tiny pipeline needs, by its name."""

Made = Callable[[str], Path]


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """The folder of a tiny pipeline, made once."""
    make = runpy.run_path(str(ROOT / "suites" / "tiny_pipelines.py"))["make"]
    folder = tmp_path_factory.mktemp("tiny")
    return cache(lambda name: make(name, folder))


class Listener:
    """A probe that remembers."""

    def __init__(self) -> None:
        self.stages: list[tuple[str, int | None]] = []
        self.left = 0
        self.flags: dict[str, list[bool]] = {}

    @contextmanager
    def stage(self, name: str, step: int | None = None) -> Iterator[None]:
        self.stages.append((name, step))
        try:
            yield
        finally:
            self.left += 1

    def flag(self, name: str, samples: NDArray[np.bool_]) -> None:
        self.flags[name] = samples.tolist()


def adapter(path: Path, **settings: Any) -> Diffusers:
    return Diffusers.model_validate({"path": path, "num_steps": 2, **settings})


def images_of(settings: Diffusers, batch: Batch = BATCH, target: Any = CPU, probe: Any = NO_PROBE) -> NDArray[Any]:
    with settings.open(target) as model:
        return model.generate(batch, probe)


def part(batch: Batch, start: int, stop: int) -> Batch:
    assert batch.labels is not None and batch.prompts is not None
    rows = slice(start, stop)
    return Batch(batch.sample_ids[rows], batch.seeds[rows], batch.labels[rows], batch.prompts[rows], batch.noise)


def generators() -> list[torch.Generator]:
    return [torch.Generator().manual_seed(seed) for seed in BATCH.seeds.tolist()]


def pixels(images: list[Any]) -> NDArray[np.uint8]:
    """PIL images as uint8 ``[B, C, H, W]``."""
    return np.stack([np.asarray(image) for image in images]).transpose(0, 3, 1, 2)


def by_hand(path: Path, **arguments: Any) -> list[Any]:
    """Images of the library itself, which draws all noise from the samples' generators."""
    pipeline = diffusers.DiffusionPipeline.from_pretrained(path, use_safetensors=True)
    pipeline.set_progress_bar_config(disable=True)
    images: list[Any] = pipeline(**arguments, output_type="pil").images
    return images


class TestTheSameAsByHand:
    @pytest.mark.parametrize("name", ["stable-diffusion", "latent-consistency", "stable-diffusion-xl"])
    def test_text(self, made: Made, name: str) -> None:
        """Bit for bit, for initial noise, guidance, later noise and rounding."""
        expected = by_hand(made(name), prompt=PROMPTS, generator=generators(), num_inference_steps=2)
        assert np.array_equal(images_of(adapter(made(name))), pixels(expected))

    @pytest.mark.parametrize("name", ["stable-diffusion-3", "flux", "pixart"])
    def test_text_by_a_transformer(self, made: Made, name: str) -> None:
        more = {"use_resolution_binning": False} if name == "pixart" else {}
        expected = by_hand(
            made(name), prompt=PROMPTS, generator=generators(), num_inference_steps=2, height=64, width=64, **more
        )
        assert np.array_equal(images_of(adapter(made(name), height=64, width=64)), pixels(expected))

    def test_unconditional(self, made: Made) -> None:
        expected = by_hand(made("ddpm"), batch_size=3, generator=generators(), num_inference_steps=2)
        assert np.array_equal(images_of(adapter(made("ddpm"))), pixels(expected))

    def test_classes(self, made: Made) -> None:
        expected = by_hand(
            made("consistency"), batch_size=3, class_labels=[0, 1, 2], generator=generators(), num_inference_steps=2
        )
        assert np.array_equal(images_of(adapter(made("consistency"))), pixels(expected))

    def test_every_setting_of_the_call(self, made: Made) -> None:
        path = made("stable-diffusion")
        latents = [torch.randn((4, 4, 12), generator=generator) * 1.25 for generator in generators()]
        expected = by_hand(
            path,
            prompt=PROMPTS,
            negative_prompt=["rain"] * 3,
            guidance_scale=3.0,
            guidance_rescale=0.5,
            height=32,
            width=96,
            num_inference_steps=4,
            latents=torch.stack(latents),
        )
        settings = adapter(
            path,
            num_steps=4,
            negative_prompt="rain",
            guidance_scale=3.0,
            height=32,
            width=96,
            extra={"guidance_rescale": 0.5},
        )
        batch = Batch(IDS, BATCH.seeds, prompts=PROMPTS, noise=NoiseSpec(1.25))
        assert np.array_equal(images_of(settings, batch), pixels(expected))


@pytest.mark.parametrize("name", PIPELINES)
class TestEveryPipeline:
    def test_a_sample_is_the_same_alone_and_in_a_batch(
        self, made: Made, name: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(sampling, "to_uint8", lambda images: images.numpy() * 255)
        settings = adapter(made(name), **PIPELINES[name])
        with settings.open(Cpu()) as model:
            whole = model.generate(BATCH, NoProbe())
            again = model.generate(BATCH, NoProbe())
            alone = np.concatenate([model.generate(part(BATCH, i, i + 1), NoProbe()) for i in range(3)])
        assert np.array_equal(whole, again)
        assert np.abs(whole - alone).max() <= settings.capabilities().tolerance
        assert np.abs(whole[0] - whole[1]).mean() > 1

    def test_the_evaluations_are_those_promised(self, made: Made, name: str) -> None:
        settings = adapter(made(name), **PIPELINES[name])
        promised = settings.capabilities().nfe
        with settings.open(Cpu()) as model:
            model.generate(BATCH, NoProbe())
            assert isinstance(model, sampling.Loaded) and model.evaluations == promised

    def test_bfloat16(self, made: Made, name: str) -> None:
        exact = images_of(adapter(made(name), **PIPELINES[name]))
        rounded = images_of(adapter(made(name), **PIPELINES[name]), target=Cpu(dtype="bfloat16"))
        assert rounded.dtype == np.uint8 and rounded.shape == exact.shape == (3, 3, 64, 64)
        assert not np.array_equal(exact, rounded)


@pytest.mark.parametrize("name", KINDS)
def test_the_table_says_what_the_library_says(name: str) -> None:
    kind, call = KINDS[name], inspect.signature(getattr(diffusers, name).__call__).parameters
    assert kind.num_steps == call["num_inference_steps"].default
    assert kind.guidance_scale == (call["guidance_scale"].default if "guidance_scale" in call else None)
    assert (kind.latents == "generator") == ("latents" not in call)
    assert kind.arguments.keys() == {"use_resolution_binning"} & call.keys()


class TestSchedulers:
    @pytest.mark.parametrize("num_steps", [1, 3])
    @pytest.mark.parametrize(
        "kind",
        sorted(
            (ONCE | TWICE | {"PNDMScheduler"})
            - {"CMStochasticIterativeScheduler"}
            - {name for name in ONCE | TWICE if name.startswith("FlowMatch")}
        ),
    )
    def test_evaluations_on_stable_diffusion(self, made: Made, kind: str, num_steps: int) -> None:
        """The adapter compares what was promised with what was counted."""
        scheduler = {"kind": kind, **({"skip_prk_steps": True} if kind == "PNDMScheduler" else {})}
        settings = adapter(made("stable-diffusion"), num_steps=num_steps, scheduler=scheduler)
        assert settings.capabilities().nfe is not None
        assert images_of(settings).shape == (3, 3, 64, 64)

    def test_later_noise_comes_from_the_samples_too(self, made: Made) -> None:
        for kind in ("LCMScheduler", "EulerAncestralDiscreteScheduler", "DDPMScheduler", "TCDScheduler"):
            settings = adapter(made("stable-diffusion"), num_steps=3, scheduler={"kind": kind})
            with settings.open(Cpu()) as model:
                whole = model.generate(BATCH, NoProbe()).astype(int)
                alone = model.generate(part(BATCH, 2, 3), NoProbe()).astype(int)
            assert np.abs(whole[2] - alone[0]).max() <= 1

    def test_its_settings_matter(self, made: Made) -> None:
        path = made("stable-diffusion")
        images = [
            images_of(adapter(path, scheduler=scheduler))
            for scheduler in (
                {},
                {"kind": "EulerDiscreteScheduler"},
                {"kind": "EulerDiscreteScheduler", "timestep_spacing": "trailing"},
                {"prediction_type": "v_prediction"},
            )
        ]
        assert len({image.tobytes() for image in images}) == 4
