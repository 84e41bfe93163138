"""The line of changes between two commits: each is checked out beside the working tree, and runs the suite there."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from evalsuite.errors import Failed, UsageError
from evalsuite.records import RunRecord

TAIL_CHARACTERS = 400
BROKEN = (2, 70)
"""Exit codes of a run that never was: a suite or a code that this commit cannot read."""


@dataclass(frozen=True)
class Commit:
    """A commit.

    Attributes:
        sha: in full.
        subject: the first line of its message.
    """

    sha: str
    subject: str

    def __str__(self) -> str:
        return f"{self.sha[:12]} {self.subject}"


def repository_of(path: Path) -> Path:
    """The top of the git repository that holds a file.

    Raises:
        UsageError: there is none.
    """
    return Path(_git(path.resolve().parent, "rev-parse", "--show-toplevel"))


def commits_between(repository: Path, good: str, bad: str) -> list[Commit]:
    """``good`` and all commits after it up to ``bad``, along first parents, oldest first.

    Raises:
        UsageError: git does not know one of them, or ``good`` is no ancestor of ``bad``.
    """
    for name in (good, bad):
        unknown = f"found no commit {name!r}, expected a commit, branch or tag of {repository}"
        _git(repository, "rev-parse", "--verify", "--quiet", f"{name}^{{commit}}", wrong=unknown)
    wrong = f"found {good} and {bad}, expected the first to be an ancestor of the second"
    _git(repository, "merge-base", "--is-ancestor", good, bad, wrong=wrong)
    lines = _git(repository, "log", "--first-parent", "--reverse", "--format=%H %s", f"{good}..{bad}").splitlines()
    first = _git(repository, "log", "-1", "--format=%H %s", good)
    return [Commit(*line.partition(" ")[::2]) for line in (first, *lines)]


def run_at(repository: Path, commit: Commit, suite: Path, options: Sequence[str]) -> RunRecord:
    """The record of the suite as it was at a commit, run by the code as it was, in a process of its own.

    Args:
        repository: its top; the working tree stays as it is.
        commit: what to check out.
        suite: path of the suite, below the repository.
        options: further words for ``evalsuite run``.

    Raises:
        Failed: the commit cannot run the suite; the message ends with what it said last.
    """
    with _worktree(repository, commit) as tree:
        out = tree.parent / "run"
        command = [sys.executable, "-m", "evalsuite", "run", str(suite), "--out", str(out), "--quiet", *options]
        # A package that lies in the tree is the one of that commit; else the installed one runs.
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(tree), *sys.path[1:]])}
        done = subprocess.run(command, cwd=tree, env=environment, capture_output=True, text=True, check=False)
        if done.returncode in BROKEN or not (out / "record.json").is_file():
            raise Failed(f"evalsuite ended with exit code {done.returncode}: {done.stderr.strip()[-TAIL_CHARACTERS:]}")
        return RunRecord.load(out)


@contextmanager
def _worktree(repository: Path, commit: Commit) -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="evalsuite-bisect-"))
    tree = folder / "tree"
    try:
        _git(repository, "worktree", "add", "--detach", "--force", str(tree), commit.sha)
        yield tree
    finally:
        subprocess.run(
            ["git", "worktree", "remove", "--force", str(tree)], cwd=repository, capture_output=True, check=False
        )
        shutil.rmtree(folder, ignore_errors=True)


def _git(folder: Path, *words: str, wrong: str = "") -> str:
    """What git prints.

    Raises:
        UsageError: git is not there, or refuses; ``wrong`` says what that means.
    """
    try:
        done = subprocess.run(["git", *words], cwd=folder, capture_output=True, text=True, check=False)
    except OSError as error:
        raise UsageError(f"git cannot be started: {error.strerror}") from error
    if done.returncode:
        raise UsageError(f"{wrong or 'git ' + ' '.join(words[:2])}: {done.stderr.strip()}".rstrip(": "))
    return done.stdout.strip()
