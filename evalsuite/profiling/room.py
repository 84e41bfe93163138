"""Whether the models that are compared fit in memory together, so that all of them can be alive and take turns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

MARGIN = 0.1
"""Share of the memory that is left free, for the system and for what was not seen in advance."""

DEVICE_CONTEXT = 512 << 20
"""Bytes on a device that a process takes beside its tensors."""

_CGROUP = Path("/sys/fs/cgroup")


class Need(NamedTuple):
    """What one model needs, in bytes.

    Attributes:
        host: resident memory of its process at its largest.
        device: on a device with memory of its own; 0 where there is none.
        device_total: the size of that device; 0 where there is none.
    """

    host: int
    device: int = 0
    device_total: int = 0


def fit(needs: Sequence[Need], host_bytes: int) -> bool:
    """Whether so many processes fit in the memory of host and device.

    Args:
        needs: of each process.
        host_bytes: available to all of them.
    """
    device_total = min((need.device_total for need in needs if need.device_total), default=0)
    on_device = sum(need.device + DEVICE_CONTEXT for need in needs)
    fits_host = sum(need.host for need in needs) <= (1 - MARGIN) * host_bytes
    return fits_host and (not device_total or on_device <= (1 - MARGIN) * device_total)


def fit_together(models: Sequence[str], needs: Mapping[str, Need], host_bytes: int) -> bool:
    """Whether so many models fit, as far as that is known.

    Args:
        models: their case keys.
        needs: of those that have been loaded; the others count as the largest, as a student needs no more than its
            teacher.
        host_bytes: available to all of them.
    """
    most = max(needs.values(), default=Need(0))
    return len(models) <= 1 or fit([needs.get(model, most) for model in models], host_bytes)


def available_bytes() -> int:
    """Memory of the host that processes can still get: the system's, or what a container's limit leaves."""
    import psutil

    system: int = psutil.virtual_memory().available
    try:
        limit, used = ((_CGROUP / name).read_text().strip() for name in ("memory.max", "memory.current"))
        return min(system, int(limit) - int(used))
    except (OSError, ValueError):  # no container, or one without a limit
        return system
