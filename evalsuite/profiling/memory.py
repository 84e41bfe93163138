"""Peak memory of this process above an idle state, from the best source that the machine has."""

from __future__ import annotations

import resource
import sys
from pathlib import Path

_STATUS, _CLEAR_REFS = Path("/proc/self/status"), Path("/proc/self/clear_refs")
_RESET_PEAK = "5"  # proc(5): the value that sets the peak resident size back to the present one


class PeakMemory:
    """Starts at the present state, which counts as idle.

    Attributes:
        source: ``VmHWM``: Linux's peak resident size, reset now. ``ru_maxrss``: the peak since the process began,
            where it cannot be reset; too high if the process was larger before than it is now.
    """

    def __init__(self) -> None:
        try:
            _CLEAR_REFS.write_text(_RESET_PEAK)
            self._idle, self.source = _status_bytes("VmRSS"), "VmHWM"
        except (OSError, LookupError):
            import psutil

            self._idle, self.source = psutil.Process().memory_info().rss, "ru_maxrss"

    def above_idle(self) -> int:
        """Bytes that the process grew by at its largest since this object was made."""
        return max(0, (_status_bytes("VmHWM") if self.source == "VmHWM" else _largest_bytes()) - self._idle)


def _status_bytes(field: str) -> int:
    """A size in ``/proc/self/status``.

    Raises:
        OSError, LookupError: there is no such file or field.
    """
    sizes = dict(line.split(":", 1) for line in _STATUS.read_text().splitlines())
    return int(sizes[field].split()[0]) * 1024


def _largest_bytes() -> int:
    size = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return size if sys.platform == "darwin" else size * 1024
