"""The commit that a run notes: in a repository, outside of one, and with changes that nobody committed."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from evalsuite.pipeline.commit import describe_commit


def git(folder: Path, *arguments: str) -> str:
    who = ["-c", "user.name=Somebody", "-c", "user.email=somebody@example.org", "-c", "commit.gpgsign=false"]
    done = subprocess.run(["git", *who, *arguments], cwd=folder, check=True, capture_output=True, text=True)
    return done.stdout.strip()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    git(tmp_path, "init", "--quiet")
    (tmp_path / "model.py").write_text("1")
    git(tmp_path, "add", "model.py")
    git(tmp_path, "commit", "--quiet", "--message", "first", "--date", "2024-01-02T03:04:05+00:00")
    return tmp_path


def test_a_clean_commit(repository: Path) -> None:
    head = git(repository, "rev-parse", "HEAD")
    found = describe_commit(folder=repository)
    assert found == {"commit": head, "committed": git(repository, "show", "-s", "--format=%cI"), "dirty": False}
    assert describe_commit(head[:8], repository) == found


def test_changes_that_nobody_committed(repository: Path) -> None:
    (repository / "notes.txt").write_text("untracked files change no code")
    assert describe_commit(folder=repository)["dirty"] is False
    (repository / "model.py").write_text("2")
    assert describe_commit(folder=repository)["dirty"] is True


@pytest.mark.parametrize("revision", ["no-such-name", "--output=x", ""])
def test_no_such_commit(repository: Path, revision: str) -> None:
    assert describe_commit(revision, repository) is None
    assert not (repository / "x").exists()


def test_no_repository_and_no_git(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert describe_commit(folder=tmp_path) is None
    monkeypatch.setenv("PATH", "")
    assert describe_commit(folder=tmp_path) is None
