"""The study of a model against itself, in small: it keeps its samples, and goes on from them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.studies import alike


def test_a_model_is_compared_with_itself_from_kept_samples(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    alike.main(tmp_path, sets=4, num_samples=200, threads=1)
    first = capsys.readouterr().out
    files = sorted(tmp_path.rglob("*.safetensors"))
    assert len(files) == 4
    assert [line.split("|")[1].strip(" `") for line in first.splitlines()[-6:]] == list(alike.METRICS)
    before = [path.stat().st_mtime_ns for path in files]
    files[1].unlink()
    alike.main(tmp_path, sets=4, num_samples=200, threads=1)
    assert capsys.readouterr().out.splitlines()[-6:] == first.splitlines()[-6:]
    assert files[1].exists()
    assert [path.stat().st_mtime_ns for path in files[2:]] == before[2:]
