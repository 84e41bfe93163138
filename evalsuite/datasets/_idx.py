"""Reader for the IDX format, in which the MNIST family of datasets is distributed (gzip-compressed)."""

from __future__ import annotations

import gzip
import struct
from pathlib import Path

import numpy as np
from numpy.typing import NDArray


def read_idx(path: Path) -> NDArray[np.uint8]:
    """Read one gzip-compressed IDX file of unsigned bytes.

    Returns:
        uint8 array with the dimensions the file's header declares: images ``[N, H, W]`` or labels ``[N]``.

    Raises:
        ValueError: the file is not an IDX file of unsigned bytes, or its size is not what its header says.
        OSError: the file cannot be read, or is not gzip.
    """
    with gzip.open(path, "rb") as file:
        content = file.read()
    if len(content) < 4 or content[:3] != b"\x00\x00\x08":
        raise ValueError(f"{path} is not an IDX file of unsigned bytes (it starts with {content[:4]!r})")
    rank = content[3]
    header = 4 + 4 * rank
    if len(content) < header:
        raise ValueError(f"{path} ends within its header")
    shape = struct.unpack(f">{rank}I", content[4:header])
    values = np.frombuffer(content, dtype=np.uint8, offset=header)
    if values.size != int(np.prod(shape)):
        raise ValueError(f"{path} holds {values.size} bytes of data, but its header says {shape}")
    return values.reshape(shape)
