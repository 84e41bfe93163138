"""Peak memory of this process above an idle state, and of its device, over any part of its life."""

from __future__ import annotations

import resource
import sys
from pathlib import Path

from evalsuite.scenarios.contract import Peak
from evalsuite.targets.contract import Target

_STATUS, _CLEAR_REFS = Path("/proc/self/status"), Path("/proc/self/clear_refs")
_RESET_PEAK = "5"  # proc(5): the value that sets the peak resident size back to the present one


class PeakMemory:
    """Starts at the present state, which counts as idle.

    Attributes:
        idle: bytes that were resident then.
        source: ``VmHWM``: Linux's peak resident size, which can be reset. ``ru_maxrss``: the peak since the process
            began, where it cannot; too high if the process was larger before than it is now.
    """

    def __init__(self) -> None:
        try:
            _reset()
            self.idle, self.source = _status_bytes("VmRSS"), "VmHWM"
        except (OSError, LookupError):
            import psutil

            self.idle, self.source = psutil.Process().memory_info().rss, "ru_maxrss"

    def reset(self) -> None:
        """Forget the peak so far, where the machine can; what counts as idle stays."""
        if self.source == "VmHWM":
            _reset()

    def above_idle(self) -> int:
        """Bytes above idle that the process had at its largest since the last reset."""
        return max(0, (_status_bytes("VmHWM") if self.source == "VmHWM" else _largest_bytes()) - self.idle)

    def peak(self, target: Target) -> Peak:
        """That, and the device's."""
        device, reserved = target.peak_device_bytes() or (None, None)
        return Peak(self.above_idle(), device, reserved)


def _reset() -> None:
    _CLEAR_REFS.write_text(_RESET_PEAK)


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
