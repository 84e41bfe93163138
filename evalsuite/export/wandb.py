"""Export to Weights & Biases, offline: nothing is sent until the user calls ``wandb sync``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from evalsuite.errors import UsageError
from evalsuite.export.values import Export, key_of


def send(exports: Sequence[Export], record: Path, place: str | None) -> list[str]:
    """Write offline runs below ``PLACE/wandb``.

    Args:
        record: unused: the numbers and hashes are enough to find it.
        place: the folder; None for the working directory.

    Returns:
        The folders that ``wandb sync`` takes.

    Raises:
        UsageError: wandb is not installed, or the folder cannot be written.
    """
    try:
        import wandb
    except ImportError as error:
        raise UsageError("wandb is not installed; pip install 'evalsuite[wandb]' does it") from error
    folder = Path(place or ".")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(
            f"{folder}: cannot be written: {error.strerror or error}; choose another with --place"
        ) from error
    quiet = wandb.Settings(silent=True, console="off", disable_git=True, disable_code=True, x_disable_stats=True)
    made = []
    for export in exports:
        run = wandb.init(
            mode="offline", dir=str(folder), project=key_of(export.project).replace("/", "_"),
            name=key_of(export.name), config=dict(export.settings), settings=quiet, reinit="finish_previous",
        )  # fmt: skip
        made.append(str(Path(run.dir).parent))
        run.summary.update(dict(export.numbers))
        run.finish()
    return made
