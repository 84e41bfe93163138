"""Drift of images that came in: two sets alike, apart, and too small."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from evalsuite.direct.drift import MIN_SAMPLES, drift
from evalsuite.errors import UsageError
from tests.direct.files import clouds, pictures, save_folder

DIM = 4


def sides(shift: float = 0.0, n: int = 120, m: int = 100) -> dict[str, np.ndarray]:
    return {"reference": clouds(n, DIM, seed=10), "current": clouds(m, DIM, shift, seed=11)}


def test_no_drift() -> None:
    found = drift(**sides(), clusters=4)
    assert not found.drifted
    assert found.kid.interval.low < 0 < found.kid.interval.high
    assert found.kid.value < found.kid.typical
    assert found.fid.interval.low < 0 < found.fid.interval.high
    assert found.fid.value < found.fid.plain
    assert (found.sizes, len(found.shares)) == ((120, 100), 4)


def test_a_shift_is_found_with_its_distance() -> None:
    found = drift(**sides(0.5, 300, 300), clusters=4)
    assert found.drifted
    assert found.p_features == pytest.approx(0.002)  # the smallest of 999 permutations, for two tests
    assert found.fid.interval.low < DIM * 0.5**2 < found.fid.interval.high
    assert found.kid.interval.low > 0


def test_a_share_that_grew_is_named(tmp_path: Path) -> None:
    """The images of each kind are as before."""
    for kind, counts, seed in (("cat", (60, 20), 0), ("dog", (40, 80), 50)):
        for side, count, number in zip(("reference", "current"), counts, (0, 1), strict=True):
            images = pictures(count, seed=seed + number) // (1 if kind == "cat" else 2)
            save_folder(tmp_path / side / kind, images)
    found = drift(reference=tmp_path / "reference", current=tmp_path / "current", extractor="pixels")
    assert found.drifted
    assert [(share.name, share.reference, share.current) for share in found.shares] == [
        ("cat", 60, 20),
        ("dog", 40, 80),
    ]
    assert found.shares[1].change == pytest.approx(0.4)
    assert found.shares[1].interval.low < 0.4 < found.shares[1].interval.high
    assert found.p_shares <= 0.002
    assert "biased" in found.fid.warning


def test_the_same_seed_gives_the_same() -> None:
    assert drift(**sides(), seed=3) == drift(**sides(), seed=3)


def test_without_kinds() -> None:
    found = drift(**sides(), by="none")
    assert (found.p_shares, found.shares) == (None, ())


def test_few_samples_have_no_frechet() -> None:
    found = drift(reference=clouds(MIN_SAMPLES, 40), current=clouds(MIN_SAMPLES, 40, seed=1))
    assert not found.drifted
    assert isinstance(found.fid, str) or found.fid.warning


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"current": clouds(5, DIM)}, "current: found 5 samples, expected at least 20"),
        ({"current": clouds(50, 3)}, "reference have 4 dimensions and current ones 3"),
        ({"permutations": 99}, "99 permutations give no p-value below 0.01, expected at least 199"),
        ({"by": "folder"}, "images without a folder"),
        ({"by": "class"}, "gives no class scores"),
        ({"current": "none.zip"}, "none.zip: does not exist"),
    ],
)
def test_mistakes(change: dict[str, object], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        drift(**{**sides(), **change})


def test_moments_cannot_be_dealt_out(tmp_path: Path) -> None:
    np.savez(tmp_path / "moments.npz", mu=np.zeros(DIM), sigma=np.eye(DIM))
    with pytest.raises(UsageError, match="found mean and covariance"):
        drift(reference=tmp_path / "moments.npz", current=clouds(50, DIM))
