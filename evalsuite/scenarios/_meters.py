"""Counters of energy that the machine has: RAPL's of the processor, NVML's of an NVIDIA GPU."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from evalsuite.errors import Unavailable

POWERCAP = Path("/sys/class/powercap")
COUNTED = ("package", "dram")
"""RAPL's domains that hold all others and not one another; ``psys`` holds the packages too."""


class Meter(Protocol):
    """Something that counts joules."""

    def read(self) -> Mapping[str, float]:
        """Joules so far, by part of the machine; only differences mean something.

        Raises:
            Unavailable: it cannot be read.
        """
        ...

    def used(self, before: Mapping[str, float], after: Mapping[str, float]) -> dict[str, float]:
        """Joules between two readings, less than one turn of the counter apart."""
        ...


@dataclass(frozen=True)
class Zone:
    """A domain of RAPL: its folder, its name and where its counter begins again, in microjoules."""

    folder: Path
    name: str
    wraps_at: int


class Rapl:
    """The processor's own counters, by the kernel's powercap interface: packages, and memory where it has its own.

    They count for all that runs on the processor, this process or not, idle power included.

    Raises:
        Unavailable: this machine has none, or does not let this user read them.
    """

    def __init__(self, folder: Path = POWERCAP) -> None:
        zones = [zone for place in sorted(folder.glob("intel-rapl:*")) if (zone := _zone(place)) is not None]
        self._zones = [zone for zone in zones if zone.name.startswith(COUNTED)]
        if not self._zones:
            raise Unavailable(f"this machine has no energy counter of the processor (RAPL) in {folder}")
        self.read()

    def read(self) -> Mapping[str, float]:
        try:
            return {zone.folder.name: int((zone.folder / "energy_uj").read_text()) / 1e6 for zone in self._zones}
        except (OSError, ValueError) as error:
            raise Unavailable(
                f"the energy counters of the processor cannot be read: {error}; let this user read them with: "
                f"sudo chmod a+r {POWERCAP}/intel-rapl:*/energy_uj"
            ) from error

    def used(self, before: Mapping[str, float], after: Mapping[str, float]) -> dict[str, float]:
        found: dict[str, float] = {}
        for zone in self._zones:
            joules = after[zone.folder.name] - before[zone.folder.name]
            joules += zone.wraps_at / 1e6 if joules < 0 else 0.0
            found[zone.name] = found.get(zone.name, 0.0) + joules
        return found


def _zone(place: Path) -> Zone | None:
    """A zone, unless it is not one that counts energy."""
    try:
        return Zone(place, (place / "name").read_text().strip(), int((place / "max_energy_range_uj").read_text()))
    except (OSError, ValueError):
        return None


class Nvml:
    """The counter of the GPU that PyTorch uses, by NVIDIA's management library; it counts for all that runs there.

    Raises:
        Unavailable: the package or the driver is not there, or the GPU (older than Volta) has no counter.
    """

    def __init__(self) -> None:
        try:
            import pynvml
        except ImportError as error:
            raise Unavailable(
                "energy of a GPU needs the package nvidia-ml-py; install it with: pip install 'evalsuite[energy]'"
            ) from error
        self._library: Any = pynvml
        try:
            pynvml.nvmlInit()
            self._gpu = pynvml.nvmlDeviceGetHandleByUUID(f"GPU-{_uuid_in_use()}")
        except pynvml.NVMLError as error:
            raise Unavailable(f"NVIDIA's management library cannot find the GPU: {error}") from error
        self.read()

    def read(self) -> Mapping[str, float]:
        try:
            return {"gpu": self._library.nvmlDeviceGetTotalEnergyConsumption(self._gpu) / 1e3}
        except self._library.NVMLError as error:
            raise Unavailable(f"the energy counter of the GPU cannot be read: {error}") from error

    def used(self, before: Mapping[str, float], after: Mapping[str, float]) -> dict[str, float]:
        return {name: after[name] - before[name] for name in before}


def _uuid_in_use() -> str:
    import torch

    return str(torch.cuda.get_device_properties(torch.cuda.current_device()).uuid)


def meter_of(device: str) -> Meter:
    """What counts the energy of a kind of device.

    Raises:
        Unavailable: nothing does, here or at all.
    """
    if device == "cpu":
        return Rapl(POWERCAP)
    if device == "cuda":
        return Nvml()
    raise Unavailable(f"evalsuite reads no energy counter of the device {device}; it reads those of cpu and cuda")
