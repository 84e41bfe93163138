"""Small models as a user would write them, well-behaved and not, and suites that use them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from evalsuite.suite.schema import Suite

SOURCE = '''
import contextlib, os, signal, time

import numpy as np


def good(seeds, labels):
    if "CALLS" in os.environ:
        with open(os.environ["CALLS"], "a") as file:
            file.write(f"{len(seeds)}\\n")
    pixels = [np.random.default_rng(seed).integers(0, 200, (1, 28, 28), dtype=np.uint8) for seed in seeds]
    return np.stack(pixels) + labels[:, None, None, None].astype(np.uint8)


def near(seeds, labels):
    return good(seeds, labels) + np.uint8(3)


def uneven(seeds, labels):
    noise = [np.random.default_rng(seed).integers(0, 3 + seed % 5, (1, 28, 28)) for seed in seeds]
    return good(seeds, labels) + np.stack(noise).astype(np.uint8)


def slow(seeds, labels):
    time.sleep(0.15)
    return near(seeds, labels)


def exits(seeds, labels):
    os._exit(3)


def killed(seeds, labels):
    os.kill(os.getpid(), signal.SIGKILL)


def hangs(seeds, labels):
    time.sleep(3600)


def nan(seeds, labels):
    return np.full((len(seeds), 1, 28, 28), np.nan, np.float32)


def flat(seeds, labels):
    return np.zeros((len(seeds), 28, 28), np.uint8)


def growing(seeds, labels):
    side = 28 if len(seeds) == 16 else 32
    return np.zeros((len(seeds), 1, side, side), np.uint8)


def hungry(seeds, labels):
    raise MemoryError


def broken(seeds, labels):
    raise RuntimeError("a bug")


def drawn(seeds, prompts):
    """A picture of the prompt, with a little noise of the seed."""
    import zlib

    pictures = []
    for seed, prompt in zip(seeds, prompts):
        picture = np.random.default_rng(zlib.crc32(prompt.encode())).integers(0, 200, (3, 16, 16), dtype=np.uint8)
        pictures.append(picture + np.random.default_rng(seed).integers(0, 20, (3, 16, 16), dtype=np.uint8))
    return np.stack(pictures)


class Blanking:
    """Blanks every picture whose prompt speaks of a secret, and says so."""

    @contextlib.contextmanager
    def open(self, target):
        yield self

    def generate(self, batch, probe):
        blanked = np.array(["secret" in prompt for prompt in batch.prompts])
        probe.flag("safety_checker", blanked)
        return np.where(blanked[:, None, None, None], 0, drawn(batch.seeds, batch.prompts)).astype(np.uint8)


class Darkening:
    """Takes light from the image that it starts from."""

    def __init__(self, share=0.5):
        self.share = share

    @contextlib.contextmanager
    def open(self, target):
        yield self

    def generate(self, batch, probe):
        return (batch.images * self.share).astype(np.uint8)


class Noisy:
    """Obeys the noise's scale; dies where it is above a limit."""

    def __init__(self, limit=10.0):
        self.limit = limit

    @contextlib.contextmanager
    def open(self, target):
        yield self

    def generate(self, batch, probe):
        if batch.noise.scale > self.limit:
            os._exit(4)
        noise = [np.random.default_rng(seed).normal(size=(1, 28, 28)) for seed in batch.seeds]
        return np.clip(np.stack(noise) * batch.noise.scale * 40 + 128, 0, 255).astype(np.uint8)
'''

METRICS = (
    {"name": "fid", "metric": "fid", "settings": {"extractor": "pixels"}},
    {"name": "kid", "metric": "kid", "settings": {"extractor": "pixels"}},
    {"name": "psnr", "metric": "psnr"},
    {"name": "feature_distance", "metric": "feature_distance", "settings": {"extractor": "pixels"}},
)


def model(folder: Path, name: str, role: str = "student", **settings: Any) -> dict[str, Any]:
    """A suite's entry for one of the models above, whose file is written into ``folder``."""
    path = folder / "user_models_of_the_test.py"
    path.write_text(SOURCE)
    return {
        "role": role,
        "adapter": "python",
        "settings": {"callable": f"{path}:{name}", "version": "1", **settings},
    }


def suite_of(
    models: Mapping[str, dict[str, Any]],
    *,
    num_samples: int = 40,
    batch_size: int = 16,
    metrics: Sequence[dict[str, Any]] = METRICS,
    slices: Sequence[dict[str, Any]] = (),
    **more: Any,
) -> Suite:
    """A class-conditional suite of these models on one processor thread."""
    content = {
        "suite": "small",
        "task": "class_conditional",
        "reference": {"dataset": "fashion-mnist", "settings": {"split": "test"}},
        "sampling": {"num_samples": num_samples, "seed": 0},
        "models": dict(models),
        "targets": {"cpu": {"device": "cpu", "settings": {"threads": 1, "batch_size": batch_size}}},
        "metrics": list(metrics),
        "slices": list(slices),
        "report": {"formats": ["csv", "json"]},
    }
    return Suite.model_validate(content | more)
