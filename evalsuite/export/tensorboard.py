"""Export to TensorBoard: a folder of events a model and target, to be read by ``tensorboard --logdir DIR``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from evalsuite.errors import UsageError
from evalsuite.export.values import Export, key_of

DEFAULT = "tensorboard"


def send(exports: Sequence[Export], record: Path, place: str | None) -> list[str]:
    """Write scalars at step 0, and the settings as a text.

    Args:
        record: unused: TensorBoard keeps no files.
        place: the folder; None for ``tensorboard/``.

    Returns:
        The folders.

    Raises:
        UsageError: tensorboardX is not installed, or the folder cannot be written.
    """
    try:
        from tensorboardX import SummaryWriter
    except ImportError as error:
        raise UsageError("tensorboardX is not installed; pip install 'evalsuite[tensorboard]' does it") from error
    made = []
    for export in exports:
        parts = (export.project, export.settings["run"], export.name.replace("@", "-"))
        folder = Path(place or DEFAULT).joinpath(*(key_of(part).replace("/", "_").strip(".") or "_" for part in parts))
        try:
            with SummaryWriter(str(folder)) as writer:
                for key, value in export.numbers.items():
                    writer.add_scalar(key, value, 0, walltime=export.ended.timestamp())
                text = "\n".join(f"    {key}: {value}" for key, value in export.settings.items())  # a block of code
                writer.add_text("settings", text, 0, walltime=export.ended.timestamp())
        except OSError as error:
            raise UsageError(
                f"{folder}: cannot be written: {error.strerror or error}; choose another with --place"
            ) from error
        made.append(str(folder))
    return made
