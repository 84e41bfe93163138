"""The adapter for diffusers pipelines, on tiny ones with random weights: seeds, stages, counts, and refusals."""

from __future__ import annotations

import hashlib
import http.server
import inspect
import json
import re
import runpy
import shutil
import subprocess
import sys
import threading
import urllib.parse
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import cache, partial
from importlib.metadata import PackageNotFoundError
from pathlib import Path
from typing import Any, ClassVar

import diffusers
import numpy as np
import PIL.Image
import pytest
import torch
import yaml
from diffusers.pipelines.stable_diffusion import StableDiffusionSafetyChecker
from numpy.typing import NDArray
from PIL import Image
from pydantic import ValidationError
from safetensors.torch import load_file, save_file
from transformers import CLIPConfig, CLIPImageProcessor

from evalsuite.errors import Failed, Unavailable
from evalsuite.models.contract import Batch, Download, Downloadable, NoProbe
from evalsuite.models.diffusers import Diffusers, place, sampling
from evalsuite.models.diffusers.kinds import KINDS, ONCE, TWICE
from evalsuite.records import NoiseSpec
from evalsuite.targets.cpu import Cpu
from tests.conftest import ROOT

pytestmark = pytest.mark.filterwarnings("ignore:__array:DeprecationWarning")  # of the library's schedulers

PROMPTS = ["a cat", "a dog in the rain", "seven boats"]
IDS = np.arange(3, dtype=np.int64)
BATCH = Batch(IDS, IDS + 40, IDS, PROMPTS)
CPU, NO_PROBE = Cpu(), NoProbe()

ONE_STEP = ("EulerDiscreteScheduler", "LCMScheduler")

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
    return Batch(batch.sample_ids[rows], batch.seeds[rows], batch.labels[rows], batch.prompts[rows], noise=batch.noise)


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

    @pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
    def test_in_half_precision(self, made: Made, dtype: str) -> None:
        """With the layers of T5 in float32 that the library keeps so."""
        path, half = made("pixart"), getattr(torch, dtype)
        pipeline = diffusers.PixArtAlphaPipeline.from_pretrained(path, dtype=half)
        latents = torch.stack([torch.randn((4, 8, 8), generator=generator) for generator in generators()]).to(half)
        expected = pipeline(PROMPTS, num_inference_steps=2, latents=latents, use_resolution_binning=False).images
        with adapter(path).open(Cpu(dtype=dtype)) as model:
            assert np.array_equal(model.generate(BATCH, NO_PROBE), pixels(expected))
            assert isinstance(model, sampling.Loaded)
            found = {weight.dtype for weight in model.pipeline.text_encoder.parameters()}
            assert found == {weight.dtype for weight in pipeline.text_encoder.parameters()}

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
        assert np.abs(whole - alone).max() <= 0.01 <= settings.capabilities().tolerance
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
    assert kind.strength == (call["strength"].default if "strength" in call else None)
    if kind.strength is None:  # of those that start from an image, latents are the image
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

    def test_one_step_of_another_kind(self, made: Made) -> None:
        path = made("stable-diffusion")
        images = [images_of(adapter(path, num_steps=1, scheduler={"kind": kind})) for kind in ONE_STEP]
        assert len({image.tobytes() for image in images}) == len(ONE_STEP)


class TestGuidance:
    @pytest.mark.parametrize(
        ("name", "settings", "evaluations"),
        [
            ("stable-diffusion", {"guidance_scale": 1.0}, 2),
            ("stable-diffusion", {"guidance_scale": 1.5}, 4),
            ("stable-diffusion-xl", {"num_steps": 1, "guidance_scale": 0.0}, 1),
            ("latent-consistency", {"guidance_scale": 9.0}, 2),
            ("flux", {"guidance_scale": 9.0}, 2),
            ("flux", {"negative_prompt": "rain", "extra": {"true_cfg_scale": 4.0}}, 4),
            ("flux", {"extra": {"true_cfg_scale": 4.0}}, 2),
            ("stable-diffusion-xl", {"num_steps": None, "timesteps": [999, 500, 1]}, 6),
            ("flux", {"num_steps": None, "sigmas": [1.0, 0.5, 0.25]}, 3),
        ],
    )
    def test_it_is_counted_where_it_is_really_on(
        self, made: Made, name: str, settings: dict[str, Any], evaluations: int
    ) -> None:
        chosen = adapter(made(name), **{**PIPELINES[name], **settings})
        assert chosen.capabilities().nfe == evaluations
        assert images_of(chosen).shape == (3, 3, 64, 64)

    def test_a_wrong_promise_is_refused(self, made: Made) -> None:
        with pytest.raises(Failed, match=r"evaluated its network 4 times for an image, expected 3; set nfe: 4"):
            images_of(adapter(made("stable-diffusion"), nfe=3))

    def test_none_is_made_where_it_cannot_be_known(self, made: Made) -> None:
        path = made("stable-diffusion-xl")
        assert adapter(path, extra={"denoising_end": 0.5}).capabilities().nfe is None
        assert adapter(path, scheduler={"kind": "SASolverScheduler"}).capabilities().nfe is None
        assert adapter(path, pipeline="KolorsPipeline").capabilities().nfe is None

    def test_slices_know_what_can_be_set(self, made: Made) -> None:
        sized = {"scheduler", "height", "width"}
        assert adapter(made("ddpm")).capabilities().settable == {"num_steps", "scheduler"}
        assert adapter(made("flux")).capabilities().settable == {"num_steps", "guidance_scale", *sized}
        fixed = adapter(made("flux"), num_steps=None, sigmas=[1.0, 0.5])
        assert fixed.capabilities().settable == {"guidance_scale", *sized} and fixed.capabilities().num_steps == 2


class TestStages:
    def test_each_call_of_a_part_is_one(self, made: Made) -> None:
        listener = Listener()
        with adapter(made("stable-diffusion"), num_steps=1).open(CPU) as model:
            for _ in range(2):
                model.generate(BATCH, listener)
        once = [("text_encoder", None), ("text_encoder", None), ("denoise", 0), ("decode", None)]
        assert listener.stages == [*once, *once]

    def test_two_evaluations_of_a_step_belong_to_it(self, made: Made) -> None:
        listener = Listener()
        settings = adapter(made("flux"), height=64, width=64, negative_prompt="rain", extra={"true_cfg_scale": 2.0})
        images_of(settings, probe=listener)
        assert [step for name, step in listener.stages if name == "denoise"] == [0, 0, 1, 1]

    def test_they_are_left_when_something_goes_wrong(self, made: Made) -> None:
        listener = Listener()
        with adapter(made("ddpm")).open(CPU) as model:
            assert isinstance(model, sampling.Loaded)
            model.pipeline.unet.conv_in = torch.nn.Conv2d(1, 8, 3)
            with pytest.raises(RuntimeError):
                model.generate(BATCH, listener)
        assert listener.stages == [("denoise", 0)] and listener.left == 1

    def test_the_memory_is_free_afterwards(self, made: Made) -> None:
        """Without a garbage collection, since nothing of it refers to itself."""
        with adapter(made("stable-diffusion")).open(CPU) as model:
            assert isinstance(model, sampling.Loaded)
            unet = weakref.ref(model.pipeline.unet)
            model.generate(BATCH, NO_PROBE)
        del model
        assert unet() is None


class TestFlags:
    @pytest.mark.parametrize(
        ("name", "limit", "settings"),
        [
            ("stable-diffusion", 75, {}),
            ("stable-diffusion-xl", 75, {}),
            ("pixart", 119, {}),
            ("pixart", 19, {"max_sequence_length": 20}),
        ],
    )
    def test_a_prompt_that_does_not_fit(self, made: Made, name: str, limit: int, settings: dict[str, Any]) -> None:
        listener = Listener()
        letters = limit if name != "pixart" else limit - 1  # T5 begins each word with a token of its own
        batch = Batch(IDS, IDS, prompts=["x" * letters, "x" * (letters + 1), "x"])
        images_of(adapter(made(name), **settings), batch, probe=listener)
        assert listener.flags == {"prompt_truncated": [False, True, False]}

    def test_what_the_safety_checker_blanks(self, made: Made, tmp_path: Path) -> None:
        plain = images_of(adapter(made("stable-diffusion")))
        path = with_safety_checker(made("stable-diffusion"), tmp_path / "checked", plain[1])
        listener = Listener()
        checked = images_of(adapter(path), probe=listener)
        assert listener.flags == {"safety_checker": [False, True, False]}
        assert not checked[1].any() and np.array_equal(checked[[0, 2]], plain[[0, 2]])

    def test_without_the_safety_checker(self, made: Made, tmp_path: Path) -> None:
        plain = images_of(adapter(made("stable-diffusion")))
        path = with_safety_checker(made("stable-diffusion"), tmp_path / "checked", plain[1])
        listener = Listener()
        assert np.array_equal(images_of(adapter(path, safety_checker=False), probe=listener), plain)
        assert listener.flags == {}


def with_safety_checker(source: Path, path: Path, unsafe: NDArray[np.uint8]) -> Path:
    """A pipeline with a safety checker for which one image is the unsafe concept."""
    vision = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2}
    config = CLIPConfig(vision_config={**vision, "image_size": 32, "patch_size": 8}, projection_dim=8)
    checker = StableDiffusionSafetyChecker(config)
    processor = CLIPImageProcessor(size={"shortest_edge": 32}, crop_size=32)
    shown = processor(Image.fromarray(unsafe.transpose(1, 2, 0)), return_tensors="pt").pixel_values
    with torch.no_grad():
        checker.concept_embeds[:] = checker.visual_projection(checker.vision_model(shown)[1])
    checker.concept_embeds_weights.fill_(0.999)
    pipeline = diffusers.StableDiffusionPipeline.from_pretrained(source)
    parts = {**pipeline.components, "safety_checker": checker, "feature_extractor": processor}
    diffusers.StableDiffusionPipeline(**parts).save_pretrained(path)
    return path


class TestLora:
    LCM: ClassVar[dict[str, Any]] = {"num_steps": 2, "scheduler": {"kind": "LCMScheduler"}, "guidance_scale": 1.0}

    def settings(self, made: Made, **lora: Any) -> Diffusers:
        lora = {"path": made("stable-diffusion-lcm-lora"), **lora}
        return adapter(made("stable-diffusion"), **self.LCM, lora=lora)

    def test_it_changes_the_images_the_same_way_each_time(self, made: Made) -> None:
        without = images_of(adapter(made("stable-diffusion"), **self.LCM)).astype(int)
        images = images_of(self.settings(made))
        assert np.abs(images - without).mean() > 1
        assert np.array_equal(images, images_of(self.settings(made)))
        assert np.array_equal(images_of(self.settings(made, scale=0.0)), without)

    def test_the_same_as_by_hand(self, made: Made) -> None:
        pipeline = diffusers.StableDiffusionPipeline.from_pretrained(made("stable-diffusion"))
        pipeline.scheduler = diffusers.LCMScheduler.from_config(pipeline.scheduler.config)
        pipeline.load_lora_weights(made("stable-diffusion-lcm-lora"), use_safetensors=True, adapter_name="lcm")
        pipeline.set_adapters(["lcm"], [0.5])
        expected = pipeline(PROMPTS, num_inference_steps=2, guidance_scale=1.0, generator=generators()).images
        assert np.array_equal(images_of(self.settings(made, scale=0.5)), pixels(expected))

    def test_fused(self, made: Made) -> None:
        apart = images_of(self.settings(made, scale=0.5)).astype(int)
        assert np.abs(images_of(self.settings(made, scale=0.5, fuse=True)) - apart).max() <= 1

    def test_by_file_or_by_name(self, made: Made, tmp_path: Path) -> None:
        weights = made("stable-diffusion-lcm-lora") / "pytorch_lora_weights.safetensors"
        for name in ("a.safetensors", "b.safetensors"):
            shutil.copy(weights, tmp_path / name)
        expected = images_of(self.settings(made))
        assert np.array_equal(images_of(self.settings(made, path=weights)), expected)
        assert np.array_equal(images_of(self.settings(made, path=tmp_path, weight_name="a.safetensors")), expected)
        with pytest.raises(Failed, match=r"found a.safetensors, b.safetensors, expected one; say weight_name"):
            self.settings(made, path=tmp_path).fingerprint()

    def test_pickles_and_nothing_are_refused(self, made: Made, tmp_path: Path) -> None:
        (tmp_path / "lora.bin").write_bytes(b"")
        for path in (tmp_path, tmp_path / "lora.bin", tmp_path / "absent"):
            with pytest.raises(Failed, match=r"expected .*\.?safetensors"):
                self.settings(made, path=path).fingerprint()
        with pytest.raises(ValidationError, match=r"found 'lora.bin', expected a .safetensors file"):
            self.settings(made, weight_name="lora.bin")

    def test_one_that_does_not_fit(self, made: Made) -> None:
        with pytest.raises(Failed, match=r"DDPMPipeline takes no LoRA"):
            images_of(adapter(made("ddpm"), lora={"path": made("stable-diffusion-lcm-lora")}))
        with pytest.raises(Failed, match=r"cannot be loaded as StableDiffusionXLPipeline"):
            images_of(adapter(made("stable-diffusion-xl"), lora={"path": made("stable-diffusion-lcm-lora")}))


class TestVae:
    def test_another_one(self, made: Made, tmp_path: Path) -> None:
        """The pipeline's own need not even be there."""
        path = tmp_path / "pipeline"
        shutil.copytree(made("stable-diffusion"), path)
        shutil.rmtree(path / "vae")
        settings = adapter(path, vae={"path": made("pixart"), "subfolder": "vae"})
        assert np.abs(images_of(settings).astype(int) - images_of(adapter(made("stable-diffusion")))).mean() > 1
        assert settings.provenance()["vae"] == "pixart"

    def test_how_it_decodes(self, made: Made) -> None:
        plain = images_of(adapter(made("stable-diffusion"))).astype(int)
        settings = adapter(made("stable-diffusion"), vae={"slicing": True, "tiling": True})
        with settings.open(CPU) as model:
            assert isinstance(model, sampling.Loaded)
            assert model.pipeline.vae.use_slicing and model.pipeline.vae.use_tiling
            assert np.abs(model.generate(BATCH, NO_PROBE) - plain).max() <= 1

    def test_what_is_none(self, made: Made) -> None:
        with pytest.raises(Failed, match=r"found no config.json, expected the folder of a VAE"):
            adapter(made("stable-diffusion"), vae={"path": made("pixart")}).fingerprint()


@pytest.mark.slow
def test_compiled(made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    """Traced by the real compiler, but not turned into machine code, which takes a minute."""
    monkeypatch.setattr(torch, "compile", partial(torch.compile, backend="eager"))
    listener = Listener()
    compiled = images_of(adapter(made("ddpm")), target=Cpu(compile=True, threads=1), probe=listener)
    assert np.abs(compiled - images_of(adapter(made("ddpm"))).astype(int)).max() <= 1
    assert listener.stages == [("denoise", 0), ("denoise", 1)]


@pytest.mark.parametrize("scheme", ["int8_weight_only", "int8_dynamic"])
def test_quantised(made: Made, scheme: Any) -> None:
    """All layers of all parts, but for those of T5 that the library keeps in float32."""
    plain = images_of(adapter(made("pixart"))).astype(int)
    target = Cpu(quantize=scheme, threads=1)
    assert 0 < np.abs(images_of(adapter(made("pixart")), target=target) - plain).max() < 64
    assert target.weights()["float_layers"] == 0
    half = Cpu(quantize=scheme, dtype="float16", threads=1)
    with adapter(made("pixart")).open(half):
        assert 0 < half.weights()["float_layers"] < half.weights()["int8_layers"]


class TestRefusals:
    @pytest.mark.parametrize("weights", ["unet/diffusion_pytorch_model", "text_encoder/model"])
    def test_pickles(self, made: Made, tmp_path: Path, weights: str) -> None:
        path = copied(made("stable-diffusion"), tmp_path)
        (path / weights).with_suffix(".safetensors").rename((path / weights).with_suffix(".bin"))
        for use in (Diffusers.fingerprint, images_of):
            with pytest.raises(Failed, match=r"\.bin: found a pickle, .*expected .safetensors"):
                use(adapter(path))

    @pytest.mark.parametrize("place", ["pipeline.py", "unet/my_unet.py"])
    def test_code_beside_the_weights(self, made: Made, tmp_path: Path, place: str) -> None:
        path = copied(made("stable-diffusion"), tmp_path)
        (path / place).write_text("raise SystemExit('it was run')")
        with pytest.raises(Failed, match=rf"found {place}: a pipeline with code of its own.*--allow-code"):
            adapter(path).capabilities()

    def test_a_custom_pipeline(self, made: Made, tmp_path: Path) -> None:
        path = copied(made("stable-diffusion"), tmp_path, _class_name=["my_pipeline", "MyPipeline"])
        with pytest.raises(Failed, match=r'found _class_name \["my_pipeline", "MyPipeline"\].*--allow-code'):
            adapter(path).capabilities()

    @pytest.mark.parametrize(
        ("content", "message"),
        [
            (None, "No such file"),
            ("{", "cannot be read"),
            ("[" * 100_000, "cannot be read"),
            ("[]", "found list, expected an object"),
            ("{}", "found no _class_name"),
        ],
    )
    def test_what_is_no_pipeline(self, tmp_path: Path, content: str | None, message: str) -> None:
        if content is not None:
            (tmp_path / "model_index.json").write_text(content)
        with pytest.raises(Failed, match=message):
            adapter(tmp_path).capabilities()

    @pytest.mark.parametrize("name", ["absent", "model.safetensors"])
    def test_what_is_no_folder(self, tmp_path: Path, name: str) -> None:
        (tmp_path / "model.safetensors").write_bytes(b"")
        with pytest.raises(Failed, match=r"expected a folder with model_index.json.*from_single_file"):
            adapter(tmp_path / name).capabilities()

    def test_damaged_weights(self, made: Made, tmp_path: Path) -> None:
        path = copied(made("ddpm"), tmp_path)
        (path / "unet" / "diffusion_pytorch_model.safetensors").write_bytes(b"not weights")
        with pytest.raises(Failed, match=r"cannot be loaded as DDPMPipeline: "):
            images_of(adapter(path))
        with pytest.raises(Failed, match=r"found no safetensors"):
            adapter(path).provenance()

    @pytest.mark.parametrize(
        ("settings", "message"),
        [
            ({"pipeline": "DDPMPipelin"}, r"no such DiffusionPipeline .* did you mean 'DDPMPipeline'"),
            ({"pipeline": "UNet2DModel"}, r"found no such DiffusionPipeline"),
            ({"scheduler": {"kind": "DDIMSchedule"}}, r"no such SchedulerMixin .* did you mean 'DDIMScheduler'"),
            ({"scheduler": {"beta_begin": 0.1}}, r"DDPMScheduler has no setting 'beta_begin'; .*'beta_"),
            ({"negative_prompt": "rain"}, r"DDPMPipeline takes no negative_prompt"),
            ({"guidance_scale": 2.0}, r"DDPMPipeline takes no guidance_scale; it takes batch_size"),
            ({"height": 64, "width": 64}, r"DDPMPipeline takes no height, width"),
            ({"variant": "fp16"}, r"cannot be loaded as DDPMPipeline: .*fp16"),
        ],
    )
    def test_settings_that_do_not_fit_the_pipeline(self, made: Made, settings: dict[str, Any], message: str) -> None:
        with pytest.raises(Failed, match=message):
            images_of(adapter(made("ddpm"), **settings))

    @pytest.mark.parametrize(
        ("settings", "message"),
        [
            ({}, "found neither path nor repository"),
            ({"path": "a", "repository": "a/b"}, "found both path and repository"),
            ({"repository": "a/b"}, "repository a/b has no revision; expected the commit's 40"),
            ({"repository": "a/b", "revision": "main"}, "found 'main', expected the 40 hexadecimal digits"),
            ({"repository": "https://a/b", "revision": "0" * 40}, "pattern"),
            ({"path": "a", "download": True}, "revision and download belong to a repository"),
            ({"path": "a", "num_steps": 2, "timesteps": [1, 2]}, "found num_steps and timesteps, expected one"),
            ({"path": "a", "height": 64}, "found one of height and width"),
            ({"path": "a", "height": 60, "width": 64}, "multiple of 8"),
            ({"path": "a", "extra": {"latents": 1}}, "found latents, which are settings"),
            ({"path": "a", "vae": {"repository": "a/b"}}, "repository a/b has no revision"),
            ({"path": "a", "lora": {"scale": 1.0}}, "found neither path nor repository"),
            ({"path": "a", "extra": {"eta": float("nan")}}, "Out of range float"),
            ({"path": "a", "scheduler": {"beta_start": float("inf")}}, "Out of range float"),
            ({"path": "a", "sigmas": [float("nan")]}, "finite number"),
            ({"path": "a", "steps": 2}, "Extra inputs are not permitted"),
        ],
    )
    def test_settings_that_never_fit(self, settings: dict[str, Any], message: str) -> None:
        with pytest.raises(ValidationError, match=message):
            Diffusers.model_validate(settings)

    def test_a_batch_without_what_it_is_conditioned_on(self, made: Made) -> None:
        with pytest.raises(Failed, match=r"StableDiffusionPipeline makes images from texts.* no prompts"):
            images_of(adapter(made("stable-diffusion")), Batch(IDS, IDS))
        with pytest.raises(Failed, match=r"ConsistencyModelPipeline makes images of classes.* no labels"):
            images_of(adapter(made("consistency")), Batch(IDS, IDS))

    def test_a_pipeline_that_needs_more(self, made: Made) -> None:
        with pytest.raises(Failed, match=r"RePaintPipeline needs image, mask_image, which a batch does not carry"):
            images_of(adapter(made("ddpm"), pipeline="RePaintPipeline"))

    def test_noise_that_is_not_the_samples(self, made: Made) -> None:
        """Flux gives its scheduler no generator, and this one draws."""
        settings = adapter(made("flux"), height=64, width=64, scheduler={"stochastic_sampling": True})
        with pytest.raises(Failed, match=r"FluxPipeline drew noise that does not come from the samples' own seeds"):
            images_of(settings)

    def test_values_that_are_not_finite(self, made: Made) -> None:
        with adapter(made("ddpm")).open(CPU) as model:
            assert isinstance(model, sampling.Loaded)
            model.pipeline.unet.conv_out.bias.data.fill_(float("nan"))
            with pytest.raises(FloatingPointError, match=r"not finite; try dtype float32"):
                model.generate(BATCH, NO_PROBE)

    def test_a_library_that_is_not_installed(self, made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(sys.modules, "diffusers", None)
        with pytest.raises(Unavailable, match=r"needs the package diffusers; .*pip install 'evalsuite\[diffusers\]'"):
            images_of(adapter(made("ddpm")))

    def test_a_library_that_the_fingerprint_misses(self, made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
        """So a plan says so, before anything is generated."""

        def absent(name: str) -> str:
            raise PackageNotFoundError(name)

        monkeypatch.setattr("evalsuite.models.diffusers.version", absent)
        with pytest.raises(Unavailable, match=r"needs the package diffusers"):
            adapter(made("ddpm")).fingerprint()


def copied(source: Path, folder: Path, **index: Any) -> Path:
    """A copy of a pipeline, with changes of its index."""
    path = folder / "pipeline"
    shutil.copytree(source, path)
    if index:
        content = json.loads((path / "model_index.json").read_text("utf-8"))
        (path / "model_index.json").write_text(json.dumps({**content, **index}))
    return path


class TestDescription:
    def test_it_needs_neither_torch_nor_the_library(self, made: Made) -> None:
        program = (
            "import sys\nfrom evalsuite.models.diffusers import Diffusers\n"
            f"d = Diffusers(path={str(made('stable-diffusion'))!r})\n"
            "d.fingerprint(), d.capabilities(), d.provenance()\n"
            "print({'torch', 'diffusers', 'transformers'} & set(sys.modules))"
        )
        done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, cwd=ROOT)
        assert done.stdout.strip() == "set()", done.stderr

    @pytest.mark.parametrize(
        ("name", "condition", "noise"),
        [
            ("stable-diffusion", "text", True),
            ("flux", "text", True),
            ("ddpm", "none", False),
            ("consistency", "class", True),
        ],
    )
    def test_conditions(self, made: Made, name: str, condition: str, noise: bool) -> None:
        found = adapter(made(name)).capabilities()
        assert (found.condition, found.noise, found.seeded) == (condition, noise, True)

    def test_the_size_of_images(self, made: Made) -> None:
        assert adapter(made("stable-diffusion")).capabilities().image_shape is None
        assert adapter(made("flux"), height=32, width=64).capabilities().image_shape == (3, 32, 64)

    def test_defaults_are_the_pipelines(self, made: Made) -> None:
        found = Diffusers(path=made("stable-diffusion-xl")).capabilities()
        assert (found.num_steps, found.nfe) == (50, 100)

    def test_a_pipeline_that_is_not_known(self, made: Made) -> None:
        """It runs, its noise drawn by itself from the samples' generators."""
        settings = adapter(made("stable-diffusion"), pipeline="StableDiffusionPAGPipeline", num_steps=2)
        found = settings.capabilities()
        assert (found.condition, found.noise, found.nfe) == ("text", False, None)
        with settings.open(CPU) as model:
            whole = model.generate(BATCH, NO_PROBE).astype(int)
            assert np.abs(model.generate(part(BATCH, 1, 2), NO_PROBE)[0] - whole[1]).max() <= 1

    def test_provenance(self, made: Made, tmp_path: Path) -> None:
        path = copied(made("stable-diffusion"), tmp_path)
        (path / "README.md").write_text("---\nlicense: openrail++\ntags: [a]\n---\n# A model\n")
        found = adapter(
            path, scheduler={"kind": "LCMScheduler"}, lora={"path": made("stable-diffusion-lcm-lora")}
        ).provenance()
        unet = diffusers.UNet2DConditionModel.from_pretrained(path / "unet")
        assert found["licence"] == "openrail++"
        assert found["scheduler"] == "LCMScheduler"
        assert found["lora"] == "stable-diffusion-lcm-lora, scale 1"
        assert found["parameters"] == sum(parameter.numel() for parameter in unet.parameters())
        assert found["diffusers"] == diffusers.__version__
        assert adapter(path, licence="mine").provenance()["licence"] == "mine"

    @pytest.mark.parametrize("readme", ["", "# A model", "---\nlicense: [\n---\n", "---\nlicense: 3\n---\n", "---\n3"])
    def test_without_a_licence(self, made: Made, tmp_path: Path, readme: str) -> None:
        path = copied(made("ddpm"), tmp_path)
        (path / "README.md").write_text(readme)
        assert adapter(path).provenance()["licence"] == "unknown"


class TestFingerprint:
    def test_it_follows_the_files_that_are_read(self, made: Made, tmp_path: Path) -> None:
        path = copied(made("stable-diffusion"), tmp_path)
        first = adapter(path).fingerprint()
        for name in ("README.md", "unet/weights.onnx", "unet/diffusion_pytorch_model.fp16.safetensors"):
            (path / name).write_bytes(b"3")
            assert adapter(path).fingerprint() == first == adapter(made("stable-diffusion")).fingerprint()
        seen = {first}
        for name in (
            "unet/diffusion_pytorch_model.safetensors",
            "unet/config.json",
            "tokenizer/tokenizer.json",
            "scheduler/scheduler_config.json",
            "model_index.json",
        ):
            content = (path / name).read_bytes()
            (path / name).write_bytes(content + b" ")
            seen.add(adapter(path).fingerprint())
        assert len(seen) == 6

    def test_it_follows_the_settings(self, made: Made) -> None:
        path, lora = made("stable-diffusion"), made("stable-diffusion-lcm-lora")
        variants: list[dict[str, Any]] = [
            {},
            {"num_steps": 3},
            {"guidance_scale": 2.0},
            {"scheduler": {"kind": "LCMScheduler"}},
            {"scheduler": {"timestep_spacing": "trailing"}},
            {"lora": {"path": lora}},
            {"lora": {"path": lora, "scale": 0.5}},
            {"vae": {"path": made("pixart"), "subfolder": "vae"}},
            {"vae": {"slicing": True}},
            {"extra": {"eta": 1.0}},
        ]
        assert len({adapter(path, **variant).fingerprint() for variant in variants}) == len(variants)
        assert adapter(path, licence="MIT", nfe=4).fingerprint() == adapter(path).fingerprint()

    def test_it_follows_the_variant(self, made: Made, tmp_path: Path) -> None:
        """Other parts are read in the variant that they have."""
        path = copied(made("stable-diffusion"), tmp_path)
        weights = path / "unet" / "diffusion_pytorch_model.safetensors"
        changed = {name: tensor * 1.5 for name, tensor in load_file(weights).items()}
        save_file(changed, weights.with_suffix(".fp16.safetensors"))
        assert adapter(path, variant="fp16").fingerprint() != adapter(path).fingerprint()
        assert not np.array_equal(images_of(adapter(path, variant="fp16")), images_of(adapter(path)))

    def test_it_follows_the_library(self, made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
        first = adapter(made("ddpm")).fingerprint()
        monkeypatch.setattr("evalsuite.models.diffusers.version", lambda name: "0")
        assert adapter(made("ddpm")).fingerprint() != first


REVISION = "0123456789abcdef0123456789abcdef01234567"


class Hub(http.server.BaseHTTPRequestHandler):
    """As much of the hub as a download needs: one repository with a folder's files."""

    repository: ClassVar[str]
    folder: ClassVar[Path]
    served: ClassVar[list[str]]

    FILES: ClassVar[list[str]] = [
        "README.md",
        "model_index.json",
        "scheduler/scheduler_config.json",
        "unet/config.json",
        "unet/diffusion_pytorch_model.safetensors",
    ]
    """Of the pipeline ``ddpm``, those that are read."""

    def do_GET(self) -> None:
        name = urllib.parse.unquote(urllib.parse.urlsplit(self.path).path)
        tree, prefix = (
            place.format(self.repository, REVISION) for place in ("/api/models/{}/tree/{}", "/{}/resolve/{}/")
        )
        if name == tree:
            files = sorted(path for path in self.folder.rglob("*") if path.is_file())
            listing = [
                {
                    "type": "file",
                    "path": str(path.relative_to(self.folder)),
                    "size": path.stat().st_size,
                    "oid": sha(path),
                }
                for path in files
            ]
            self._answer(json.dumps(listing).encode(), {"Content-Type": "application/json"})
        elif name.startswith(prefix):
            path = self.folder / name.removeprefix(prefix)
            if self.command == "GET":
                self.served.append(str(path.relative_to(self.folder)))
            self._answer(path.read_bytes(), {"ETag": f'"{sha(path)}"', "X-Repo-Commit": REVISION})
        else:
            self.send_error(404)

    def do_HEAD(self) -> None:
        self.do_GET()

    def log_message(self, format: str, *args: object) -> None:
        """Nothing on the terminal."""

    def _answer(self, content: bytes, headers: dict[str, str]) -> None:
        self.send_response(200)
        for name, value in {**headers, "Content-Length": str(len(content))}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(content)


def sha(path: Path) -> str:
    return hashlib.sha1(path.read_bytes()).hexdigest()


class TestFromAnImage:
    IMAGES: ClassVar[NDArray[np.uint8]] = np.random.default_rng(0).integers(0, 256, (3, 3, 64, 64), np.uint8)
    BATCH: ClassVar[Batch] = replace(BATCH, images=IMAGES)

    @pytest.mark.parametrize(
        ("name", "pipeline"),
        [
            ("stable-diffusion", "StableDiffusionImg2ImgPipeline"),
            ("stable-diffusion-xl", "StableDiffusionXLImg2ImgPipeline"),
        ],
    )
    def test_the_same_as_by_hand(self, made: Made, name: str, pipeline: str) -> None:
        loaded = getattr(diffusers, pipeline).from_pretrained(made(name), use_safetensors=True)
        loaded.set_progress_bar_config(disable=True)
        pictures = [PIL.Image.fromarray(image.transpose(1, 2, 0)) for image in self.IMAGES]
        expected = loaded(PROMPTS, image=pictures, generator=generators(), num_inference_steps=4, strength=0.5).images
        settings = adapter(made(name), pipeline=pipeline, num_steps=4, strength=0.5)
        assert np.array_equal(images_of(settings, self.BATCH), pixels(expected))
        assert settings.capabilities().nfe == 4  # two of the four steps, guided

    def test_one_that_is_not_known_but_named_so(self, made: Made) -> None:
        pipeline = "StableDiffusion3Img2ImgPipeline"
        size = {"height": 64, "width": 64}
        settings = adapter(made("stable-diffusion-3"), pipeline=pipeline, num_steps=4, strength=0.5, **size)
        assert settings.capabilities().condition == "text_and_image"
        one, other = (
            images_of(settings, replace(self.BATCH, images=images)) for images in (self.IMAGES, self.IMAGES[::-1])
        )
        assert one.shape == (3, 3, 64, 64)
        assert not np.array_equal(one, other)

    def test_its_own_strength_counts(self, made: Made) -> None:
        settings = adapter(made("stable-diffusion"), pipeline="StableDiffusionImg2ImgPipeline", num_steps=10)
        capabilities = settings.capabilities()
        assert (capabilities.condition, capabilities.nfe, capabilities.noise) == ("text_and_image", 16, False)
        images_of(settings, self.BATCH)  # or it fails, since another number of evaluations was counted

    def test_gray_images_are_taken_in_colour(self, made: Made) -> None:
        settings = adapter(made("stable-diffusion"), pipeline="StableDiffusionImg2ImgPipeline", num_steps=4)
        gray = self.IMAGES[:, :1]
        one, other = (images_of(settings, replace(BATCH, images=images)) for images in (gray, gray.repeat(3, axis=1)))
        assert np.array_equal(one, other)

    def test_without_images(self, made: Made) -> None:
        settings = adapter(made("stable-diffusion"), pipeline="StableDiffusionImg2ImgPipeline", num_steps=4)
        with pytest.raises(Failed, match="starts from images, and the batch has none"):
            images_of(settings)


class TestHub:
    SETTINGS: ClassVar[dict[str, Any]] = {"repository": "tiny/model", "revision": REVISION, "num_steps": 2}

    @pytest.fixture(autouse=True)
    def _own_hub_cache(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
        place._sizes.cache_clear()

    def test_what_the_cache_has(self, made: Made, tmp_path: Path) -> None:
        shutil.copytree(made("ddpm"), tmp_path / "hub" / "models--tiny--model" / "snapshots" / REVISION)
        settings = Diffusers.model_validate(self.SETTINGS)
        assert settings.fingerprint() == adapter(made("ddpm")).fingerprint()
        assert settings.provenance()["source"] == f"tiny/model@{REVISION}"
        assert np.array_equal(images_of(settings), images_of(adapter(made("ddpm"))))

    def test_nothing_is_downloaded_unasked(self, made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
        settings = Diffusers.model_validate(self.SETTINGS)
        with served(made("ddpm"), monkeypatch):
            with pytest.raises(Unavailable, match=r"hf download tiny/model --revision .* download: true"):
                settings.fingerprint()
            settings.fetch()
        assert Hub.served == [] and settings.downloads() == ()

    def test_what_may_be_downloaded(self, made: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Only what is read of it, once, and by ``fetch`` alone."""
        path = copied(made("ddpm"), tmp_path)
        for name in ("single_file.safetensors", "unet/weights.bin", "unet/weights.fp16.safetensors", "README.md"):
            (path / name).write_bytes(b"---")
        settings = Diffusers.model_validate({**self.SETTINGS, "download": True})
        assert isinstance(settings, Downloadable)
        with served(path, monkeypatch):
            size = sum((path / name).stat().st_size for name in Hub.FILES)
            assert settings.downloads() == (Download(f"tiny/model@{REVISION}", size),)
            with pytest.raises(Unavailable, match="the next run downloads it"):
                settings.fingerprint()
            assert Hub.served == []
            settings.fetch()
            settings.fetch()
        assert sorted(Hub.served) == Hub.FILES
        assert settings.downloads() == ()
        for same in (settings, Diffusers.model_validate(self.SETTINGS)):
            assert same.fingerprint() == adapter(made("ddpm")).fingerprint()
        assert np.array_equal(images_of(settings), images_of(adapter(made("ddpm"))))

    def test_a_download_that_was_broken_off(self, made: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        settings = Diffusers.model_validate({**self.SETTINGS, "download": True})
        weights = "unet/diffusion_pytorch_model.safetensors"
        with served(made("ddpm"), monkeypatch):
            settings.fetch()
            (tmp_path / "hub" / "models--tiny--model" / "snapshots" / REVISION / weights).unlink()
            size = (made("ddpm") / weights).stat().st_size
            assert settings.downloads() == (Download(f"tiny/model@{REVISION}", size),)
            with pytest.raises(Unavailable, match=r"not whole in the local hub cache"):
                settings.fingerprint()
            settings.fetch()
        assert settings.fingerprint() == adapter(made("ddpm")).fingerprint()

    def test_a_lora_and_a_vae(self, made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
        path, place = made("stable-diffusion"), {"revision": REVISION, "download": True}
        lora = adapter(path, lora={**place, "repository": "tiny/lora"})
        vae = adapter(path, vae={**place, "repository": "tiny/pixart", "subfolder": "vae"})
        with served(made("stable-diffusion-lcm-lora"), monkeypatch, "tiny/lora"):
            assert [download.name for download in lora.downloads()] == [f"tiny/lora@{REVISION}"]
            lora.fetch()
        same = adapter(path, lora={"path": made("stable-diffusion-lcm-lora")})
        assert lora.fingerprint() == same.fingerprint() and lora.downloads() == ()
        with served(made("pixart"), monkeypatch, "tiny/pixart"):
            vae.fetch()
        assert sorted(Hub.served) == ["vae/config.json", "vae/diffusion_pytorch_model.safetensors"]
        assert vae.fingerprint() == adapter(path, vae={"path": made("pixart"), "subfolder": "vae"}).fingerprint()

    def test_several_loras(self, made: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """They are large, so none is downloaded before one is named."""
        for name in ("a.safetensors", "b.safetensors"):
            shutil.copy(made("stable-diffusion-lcm-lora") / "pytorch_lora_weights.safetensors", tmp_path / name)
        place = {"repository": "tiny/loras", "revision": REVISION, "download": True}
        settings = adapter(made("stable-diffusion"), lora=place)
        with served(tmp_path, monkeypatch, "tiny/loras"):
            with pytest.raises(Unavailable, match=r"found a.safetensors, b.safetensors, expected one; say weight_name"):
                settings.fetch()
            assert Hub.served == []
            adapter(made("stable-diffusion"), lora={**place, "weight_name": "b.safetensors"}).fetch()
        assert Hub.served == ["b.safetensors"]
        assert settings.downloads() == (Download(f"tiny/loras@{REVISION}", None),)
        with pytest.raises(Failed, match=r"found a.safetensors, b.safetensors, expected one; say weight_name"):
            settings.fingerprint()

    def test_without_the_package_of_the_hub_it_is_unavailable(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """And a plan, which asks what would be downloaded, goes on."""
        settings = Diffusers.model_validate({**self.SETTINGS, "download": True})
        monkeypatch.setitem(sys.modules, "huggingface_hub", None)
        assert settings.downloads() == ()
        settings.fetch()
        with pytest.raises(Unavailable, match=r"pip install 'evalsuite\[diffusers\]'"):
            settings.fingerprint()

    def test_a_hub_that_does_not_have_it(self, made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
        settings = Diffusers.model_validate({**self.SETTINGS, "repository": "tiny/absent", "download": True})
        with served(made("ddpm"), monkeypatch):
            with pytest.raises(Unavailable, match=r"tiny/absent@0123.*: cannot be downloaded: .*404"):
                settings.fetch()
            assert settings.downloads() == (Download(f"tiny/absent@{REVISION}", None),)


@contextmanager
def served(folder: Path, monkeypatch: pytest.MonkeyPatch, repository: str = "tiny/model") -> Iterator[None]:
    """The folder as a repository of a hub on this machine."""
    Hub.repository, Hub.folder, Hub.served = repository, folder, []
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hub) as server:
        endpoint = f"http://127.0.0.1:{server.server_port}"
        monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", endpoint)
        template = endpoint + "/{repo_id}/resolve/{revision}/{filename}"
        monkeypatch.setattr("huggingface_hub.constants.HUGGINGFACE_CO_URL_TEMPLATE", template)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield
        finally:
            server.shutdown()


class TestThePage:
    PAGE: ClassVar[str] = (ROOT / "docs" / "models" / "diffusers.md").read_text("utf-8")

    def test_its_suites_are_right(self, made: Made, tmp_path: Path) -> None:
        tiny, sdxl = (yaml.safe_load(block) for block in re.findall(r"^```yaml\n(.*?)^```", self.PAGE, re.M | re.S))
        (tmp_path / "tiny-pipelines").symlink_to(made("stable-diffusion").parent)
        made("stable-diffusion-lcm-lora")
        for suite, runs in ((tiny, True), (sdxl, False)):
            for model in suite["models"].values():
                settings = {name: value for name, value in model.items() if name not in ("role", "adapter")}
                adapter = Diffusers.model_validate(settings, context={"base": tmp_path})
                assert not runs or images_of(adapter).shape == (3, 3, 64, 64)

    def test_it_names_every_setting_and_every_known_pipeline(self) -> None:
        assert [name for name in (*Diffusers.model_fields, *KINDS) if f"`{name}`" not in self.PAGE] == []
