"""A bound on this process's memory, and the many errors by which lack of memory shows."""

from __future__ import annotations

import sys
from pathlib import Path

from evalsuite.errors import CellError, Failed

_STATUS = Path("/proc/self/status")
_SAID = (
    "memoryerror",  # of Python; of PyTorch, OutOfMemoryError
    "can't allocate memory",  # PyTorch's allocator of the processor
    "cannot allocate memory",  # the C library, and ImportError
    "not enough memory",
    "failed to map segment from shared object",  # ImportError, of a library that does not fit
    "failed to allocate memory",  # ONNX Runtime
    "bad allocation",
    "std::bad_alloc",  # C++; uncaught, the last output of an aborted process
    "thread creation failed",  # OpenMP: no room for the stack
    "can't start new thread",  # Python
    "cuda out of memory",
    "cuda error: out of memory",
    "mps backend out of memory",
)
_SAID_BY_ONEDNN = ("could not create a primitive", "could not execute a primitive")
"""Of all that can go wrong in it, lack of memory included: taken for that where memory is limited, and quoted."""


def can_limit() -> bool:
    """Whether this platform bounds a process's private memory: Linux from 4.7 on, where ``RLIMIT_DATA`` covers maps."""
    return sys.platform == "linux"


def limit_process(limit: int) -> None:
    """Let this process use so many bytes of private memory, Python, PyTorch and its libraries included.

    The system counts memory that is reserved, used or not, and PyTorch's libraries for devices reserve hundreds of
    megabytes that a processor never uses. So PyTorch is imported first, and what is reserved but not in use then is
    added to the bound. Shared code, which the system can drop and read again, does not count.

    Raises:
        Failed: more is in use already.
    """
    import resource

    import torch  # noqa: F401

    reserved, used = (_status_bytes(field) for field in ("VmData", "RssAnon"))
    if used > limit:
        raise Failed(f"{exceeded(limit)}: Python, PyTorch and what comes with them take {written(used)}")
    hard = resource.getrlimit(resource.RLIMIT_DATA)[1]
    resource.setrlimit(resource.RLIMIT_DATA, (limit + reserved - used, hard))


def lack_of_memory(error: CellError, *, limited: bool) -> str | None:
    """Whether what a child process ended with tells of lack of memory: what to quote of it, or None if it does not.

    Args:
        limited: whether a limit was set, so that lack of memory is likely.
    """
    said = str(error).lower()
    if any(known in said for known in _SAID):
        return ""
    vague = next((words for words in _SAID_BY_ONEDNN if limited and words in said), None)
    return None if vague is None else f" (oneDNN {vague})"


def exceeded(limit: int | None) -> str:
    """The sentence about a model that is too large."""
    if limit is None:
        return "out of memory; try a smaller batch_size"
    return f"needs more memory than the target's limit of {written(limit)}"


def written(size: int) -> str:
    """Bytes in the unit that people write: ``600 MB``, ``1.5 GB``, ``0.2 MB``."""
    return f"{size / 1e9:.3g} GB" if size >= 1e9 else f"{size / 1e6:.3g} MB"


def _status_bytes(field: str) -> int:
    sizes = dict(line.split(":", 1) for line in _STATUS.read_text().splitlines())
    return int(sizes[field].split()[0]) * 1024
