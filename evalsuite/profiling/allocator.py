"""What becomes of memory that a model has freed."""

from __future__ import annotations

import ctypes
import sys

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
"""Parameters of glibc's ``mallopt`` (malloc.h)."""

_NEVER = -1
_LARGEST = 32 << 20
"""Bytes; glibc accepts no more, and larger allocations are mapped anew each time, in every process alike."""


def keep_freed_memory() -> None:
    """From now on, memory that this process frees stays with it, where glibc allocates; elsewhere nothing changes.

    By default glibc returns memory from the end of its heap to the system and takes it back page by page. Whether a
    call has to depends on what else lies there: the same model was up to 10 % slower in one process than in another, or
    in the same process some seconds later (mallopt(3), ``M_TRIM_THRESHOLD`` and ``M_MMAP_THRESHOLD``).
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform == "linux" else None
    if mallopt is not None:
        mallopt(_TRIM_THRESHOLD, _NEVER)
        mallopt(_MMAP_THRESHOLD, _LARGEST)
