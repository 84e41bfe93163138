"""Energy counters: a powercap tree as the kernel shows it, and NVML as its library answers."""

from __future__ import annotations

import sys
from pathlib import Path

import pynvml
import pytest

from evalsuite.errors import Unavailable
from evalsuite.scenarios import _meters
from evalsuite.scenarios._meters import Nvml, Rapl, meter_of
from evalsuite.scenarios.energy import Energy
from evalsuite.targets.edge import Edge
from tests.scenarios.subjects import Sleeper, batches

RANGE = 262_143_328_850
ZONES = {
    "intel-rapl:0": "package-0", "intel-rapl:0:0": "core", "intel-rapl:0:1": "dram", "intel-rapl:1": "package-1",
    "intel-rapl:2": "psys",
}  # fmt: skip


@pytest.fixture
def powercap(tmp_path: Path) -> Path:
    """Two packages, one with memory that is counted apart, cores inside it, and the platform around all."""
    (tmp_path / "intel-rapl").mkdir()
    for place, name in ZONES.items():
        folder = tmp_path / place
        folder.mkdir()
        (folder / "name").write_text(f"{name}\n")
        (folder / "max_energy_range_uj").write_text(f"{RANGE}\n")
        count(tmp_path, place, 5_000_000)
    return tmp_path


def count(powercap: Path, place: str, microjoules: int) -> None:
    (powercap / place / "energy_uj").write_text(f"{microjoules}\n")


class Consuming(Sleeper):
    """Each call takes two joules of the first package and one of its memory."""

    powercap: Path

    def generate(self, batch, probe=None):
        done = len(self.calls) + 1
        count(self.powercap, "intel-rapl:0", 5_000_000 + 2_000_000 * done)
        count(self.powercap, "intel-rapl:0:1", 5_000_000 + 1_000_000 * done)
        return super().generate(batch, probe)


def test_joules_for_an_image(powercap, monkeypatch):
    monkeypatch.setattr(_meters, "POWERCAP", powercap)
    subject = Consuming()
    subject.powercap = powercap
    found = Energy().measure(subject, batches(4, size=8), seed=0)
    assert found == {"": [3 / 8], "package-0": [2 / 8], "dram": [1 / 8], "package-1": [0.0]}


def test_an_edge_device_is_counted_as_the_processor_that_it_is(powercap, monkeypatch):
    monkeypatch.setattr(_meters, "POWERCAP", powercap)
    subject = Consuming(target=Edge())
    subject.powercap = powercap
    assert Energy().measure(subject, batches(4, size=8), seed=0)[""] == [3 / 8]


def test_a_counter_that_began_again(powercap):
    meter = Rapl(powercap)
    count(powercap, "intel-rapl:0", RANGE - 1_000_000)
    before = meter.read()
    count(powercap, "intel-rapl:0", 2_000_000)
    assert meter.used(before, meter.read())["package-0"] == pytest.approx(3.0)


def test_counters_that_stand_still_are_no_measurement(powercap, monkeypatch):
    monkeypatch.setattr(_meters, "POWERCAP", powercap)
    with pytest.raises(Unavailable, match="did not move while 4 images were generated"):
        Energy().measure(Sleeper(), batches(2, size=2), seed=0)


def test_a_machine_without_counters(tmp_path):
    with pytest.raises(Unavailable, match=r"no energy counter of the processor \(RAPL\)"):
        Rapl(tmp_path)


def test_counters_that_this_user_may_not_read(powercap):
    (powercap / "intel-rapl:1" / "energy_uj").unlink()
    with pytest.raises(Unavailable, match=r"cannot be read: .*sudo chmod"):
        Rapl(powercap)


@pytest.fixture
def gpu(monkeypatch: pytest.MonkeyPatch) -> dict[str, int]:
    """NVML's library with one GPU, whose counter in millijoules the test moves."""
    counter = {"GPU-1234": 7_000_000}
    monkeypatch.setattr(pynvml, "nvmlInit", lambda: None)
    monkeypatch.setattr(pynvml, "nvmlDeviceGetHandleByUUID", lambda uuid: uuid)
    monkeypatch.setattr(pynvml, "nvmlDeviceGetTotalEnergyConsumption", counter.__getitem__)
    monkeypatch.setattr(_meters, "_uuid_in_use", lambda: "1234")
    return counter


def test_a_gpus_joules(gpu):
    meter = meter_of("cuda")
    before = meter.read()
    gpu["GPU-1234"] += 1500
    assert meter.used(before, meter.read()) == {"gpu": 1.5}


def test_a_gpu_without_a_counter(gpu, monkeypatch):
    def refuse(handle):
        raise pynvml.NVMLError(pynvml.NVML_ERROR_NOT_SUPPORTED)

    monkeypatch.setattr(pynvml, "nvmlDeviceGetTotalEnergyConsumption", refuse)
    with pytest.raises(Unavailable, match="energy counter of the GPU cannot be read: Not Supported"):
        Nvml()


def test_a_machine_without_a_driver(monkeypatch):
    def refuse():
        raise pynvml.NVMLError(pynvml.NVML_ERROR_LIBRARY_NOT_FOUND)

    monkeypatch.setattr(pynvml, "nvmlInit", refuse)
    with pytest.raises(Unavailable, match="management library cannot find the GPU"):
        Nvml()


def test_a_device_whose_counters_are_not_read():
    with pytest.raises(Unavailable, match="device mps"):
        meter_of("mps")


def test_without_the_package(monkeypatch):
    monkeypatch.setitem(sys.modules, "pynvml", None)
    with pytest.raises(Unavailable, match=r"pip install 'evalsuite\[energy\]'"):
        Nvml()


def test_turns_are_long_beside_the_counters():
    assert Energy().pace("standard").seconds >= 2
    assert Energy().images_per_call(64) == 64
    assert "needs 12" in Energy().flaw([{"": [1.0]}] * 6)
    assert Energy().flaw([{"": [1.0]}] * 12) == ""
