"""Which state of the user's code is checked out, as git says."""

from __future__ import annotations

import subprocess
from pathlib import Path

from evalsuite.records import Scalar

_TIMEOUT_S = 20


def describe_commit(revision: str = "HEAD", folder: Path | None = None) -> dict[str, Scalar] | None:
    """``commit`` (its full name), ``committed`` (ISO 8601) and ``dirty``: whether tracked files differ from it.

    Args:
        revision: what git calls it: a name, a tag, or the beginning of a hash.
        folder: of the repository; None for the working directory.

    Returns:
        None where git is not installed, or knows no such commit there.
    """
    found = _git(["show", "-s", "--format=%H %cI", "--end-of-options", f"{revision}^{{commit}}"], folder)
    if found is None:
        return None
    commit, committed = found.split()
    changed = _git(["diff-index", "--name-only", "--ignore-submodules", "HEAD"], folder)
    return {"commit": commit, "committed": committed, "dirty": bool(changed)}


def _git(arguments: list[str], folder: Path | None) -> str | None:
    """What git prints; None where it fails. No program that the repository's settings name is started."""
    command = ["git", "--no-optional-locks", "-c", "core.fsmonitor=false", "-c", "core.pager=cat", *arguments]
    try:
        done = subprocess.run(
            command, cwd=folder, capture_output=True, text=True, timeout=_TIMEOUT_S, stdin=subprocess.DEVNULL
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None
