"""Fashion-MNIST (Xiao, Rasul and Vollgraf 2017): 28 px grey pictures of clothing in ten classes."""

from __future__ import annotations

import hashlib
import zlib
from functools import lru_cache
from pathlib import Path
from typing import Annotated, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BeforeValidator

from evalsuite.datasets._idx import read_idx
from evalsuite.errors import Failed, Unavailable
from evalsuite.files import content_key
from evalsuite.settings import Settings, resolve_path

PACKAGED = Path(__file__).parent / "data" / "fashion-mnist"
DEBIAN = Path("/usr/share/datasets/fashion-mnist")

FILES = {
    "test": ("t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz"),
    "train": ("train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz"),
}
CONTENT_SHA256 = {
    "t10k-images-idx3-ubyte.gz": "c867c93ff95360594e8ec3287995350b824dd110b11595c0e13d5423f621867a",
    "t10k-labels-idx1-ubyte.gz": "3d0e6c6ea990b53b6f8f500a41cac93881d981b315f84578b7d915342ade01e9",
    "train-images-idx3-ubyte.gz": "2e487a6c89124f78f2d7521542223cafe96f7123c3ca13d447772ac6ecbb3012",
    "train-labels-idx1-ubyte.gz": "657fbd221bfc9f4198cc14b5619cc33ec57c58dd0e47af4d99d6650759e869a7",
}
"""Of the pixels or labels, not of the compressed file, so that a mirror may compress them anew."""


class FashionMnist(Settings):
    """The test split (10,000 images) comes with the package; the train split (60,000) is read from a folder.

    Attributes:
        split: ``test`` or ``train``.
        path: folder with the ``*-ubyte.gz`` files; None for the packaged test split, and for the train split for where
            Debian's package ``dataset-fashion-mnist`` puts it.
    """

    licence: ClassVar[str] = "MIT"
    source: ClassVar[str] = "https://github.com/zalandoresearch/fashion-mnist"

    split: Literal["test", "train"] = "test"
    path: Annotated[Path | None, BeforeValidator(resolve_path)] = None

    def fingerprint(self) -> str:
        """SHA-256 of the split's pixels and labels; whatever is read is checked against it."""
        return content_key([CONTENT_SHA256[file] for file in FILES[self.split]])

    def size(self) -> int:
        return 10_000 if self.split == "test" else 60_000

    def class_names(self) -> tuple[str, ...]:
        """Names of the ten classes, by label."""
        return ("t-shirt", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle-boot")

    def labels(self) -> NDArray[np.int64]:
        """int64 ``[size]`` in [0, 10).

        Raises:
            Unavailable: the train split is not on this machine.
            Failed: the file is damaged.
        """
        return _read_verified(self._folder() / FILES[self.split][1]).astype(np.int64)

    def images(self, ids: NDArray[np.int64]) -> NDArray[np.uint8]:
        """uint8 ``[len(ids), 1, 28, 28]`` in [0, 255], 0 the background.

        Raises:
            Unavailable, Failed: as for ``labels``.
        """
        return _read_verified(self._folder() / FILES[self.split][0])[ids][:, None]

    def _folder(self) -> Path:
        default = PACKAGED if self.split == "test" else DEBIAN
        folder = self.path or default
        missing = [file for file in FILES[self.split] if not (folder / file).is_file()]
        if missing:
            raise Unavailable(
                f"Fashion-MNIST's {self.split} split: {folder} has no {' and no '.join(missing)}; install Debian's "
                f"package dataset-fashion-mnist, or download the files from {self.source} and set path to their folder"
            )
        return folder


@lru_cache(maxsize=4)
def _read_verified(path: Path) -> NDArray[np.uint8]:
    try:
        values = read_idx(path)
    except (ValueError, OSError, EOFError, zlib.error) as error:
        raise Failed(f"{path} is damaged: {error}; put the original file back") from error
    found, expected = hashlib.sha256(values.tobytes()).hexdigest(), CONTENT_SHA256[path.name]
    if found != expected:
        raise Failed(f"{path} is damaged: its content has SHA-256 {found}, expected {expected}; put the original back")
    values.setflags(write=False)
    return values
