"""Prompts of images that are there: given as texts or in a file, and read by metrics that want them."""

from pathlib import Path

import numpy as np
import pytest

import evalsuite
from evalsuite.errors import UsageError
from tests.features.test_pretrained import save_clip

TEXTS = ["a dog", "a red cat", "a cat", "a red dog"]
IMAGES = np.random.default_rng(0).integers(0, 256, (4, 32, 32, 3), np.uint8)


@pytest.fixture(autouse=True)
def clip(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EVALSUITE_WEIGHTS", str(tmp_path / "weights"))
    save_clip(tmp_path / "weights" / "clip-vit-b-32", 224)


def scores(folder: Path, prompts: object, images: np.ndarray = IMAGES, **more: object):
    found, missing = evalsuite.measure(
        generated=images, metrics=["clip_score"], prompts=prompts, cache=folder / "cache", **more
    )
    assert not missing, missing
    return found[0]


def test_texts_and_files_give_the_same_score(tmp_path: Path) -> None:
    given = scores(tmp_path, TEXTS)
    assert (given.n, given.extractor) == (4, "clip-vit-b-32")
    (tmp_path / "prompts.txt").write_text("\n".join(TEXTS))
    (tmp_path / "prompts.csv").write_text("prompt\n" + "\n".join(TEXTS))
    (tmp_path / "prompts.jsonl").write_text("\n".join(f'{{"prompt": "{text}"}}' for text in TEXTS))
    for name in ("prompts.txt", "prompts.csv", "prompts.jsonl"):
        assert scores(tmp_path, tmp_path / name) == given


def test_prompts_belong_to_their_images_whatever_the_order(tmp_path: Path) -> None:
    whole = scores(tmp_path, TEXTS, sample_ids=[0, 1, 2, 3])
    turned = scores(tmp_path, TEXTS[::-1], IMAGES[::-1], sample_ids=[3, 2, 1, 0])
    np.testing.assert_allclose(turned.per_sample, whole.per_sample, atol=1e-5)
    assert np.ptp(whole.per_sample) > 0


def test_without_prompts_it_is_skipped(tmp_path: Path) -> None:
    found, (gap,) = evalsuite.measure(generated=IMAGES, metrics=["clip_score"], cache=tmp_path / "cache")
    assert not found
    assert (gap.kind, "needs the prompt of each sample" in gap.reason) == ("skipped", True)


def test_a_network_without_texts_is_skipped(tmp_path: Path) -> None:
    metrics = [{"clip_score": {"extractor": "pixels"}}]
    _, (gap,) = evalsuite.measure(generated=IMAGES, metrics=metrics, prompts=TEXTS, cache=tmp_path / "cache")
    assert "pixels embeds no texts" in gap.reason


def test_prompts_that_do_not_fit(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="prompts: found 3, expected 4, one a sample"):
        scores(tmp_path, TEXTS[:3])
    with pytest.raises(UsageError, match=r"found prompts\.md, expected a file ending in \.txt, \.jsonl, \.csv"):
        scores(tmp_path, tmp_path / "prompts.md")
    with pytest.raises(UsageError, match="set path to a file of prompts"):
        scores(tmp_path, tmp_path / "absent.txt")
