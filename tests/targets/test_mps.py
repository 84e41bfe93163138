"""Apple's GPU as a target; what needs one is skipped without it."""

from __future__ import annotations

import pytest

from evalsuite import plugins
from evalsuite.errors import Failed, Unavailable
from evalsuite.targets import mps
from evalsuite.targets.contract import Target
from evalsuite.targets.mps import Mps

needs_device = pytest.mark.skipif(Mps().unavailable_reason() is not None, reason=str(Mps().unavailable_reason()))


def test_is_found_by_its_name_and_keeps_the_contract() -> None:
    target: Target = Mps()
    assert plugins.find("targets", target.device) is Mps
    assert target.torch_device == "mps"


@pytest.mark.parametrize(
    ("system", "machine", "available"),
    [("Darwin", "arm64", True), ("Darwin", "x86_64", False), ("Linux", "aarch64", False)],
)
def test_other_machines_are_told_what_they_are(
    monkeypatch: pytest.MonkeyPatch, system: str, machine: str, available: bool
) -> None:
    monkeypatch.setattr(mps.platform, "system", lambda: system)
    monkeypatch.setattr(mps.platform, "machine", lambda: machine)
    reason = Mps().unavailable_reason()
    assert (reason is None) == available
    assert available or f"no MPS device: this machine runs {system} on {machine}" in str(reason)


@pytest.mark.skipif(Mps().unavailable_reason() is None, reason="this machine has the device")
def test_start_refuses_a_machine_without_the_device() -> None:
    with pytest.raises(Unavailable, match="PyTorch cannot use the MPS device"):
        Mps().start()


@pytest.mark.gpu
@needs_device
def test_a_network_runs_and_its_memory_is_limited_and_counted() -> None:
    import torch

    target = Mps(memory_limit=500_000_000, dtype="float16")
    target.start()
    network = target.prepare(torch.nn.Conv2d(3, 3, 3))
    network(torch.ones(1, 3, 8, 8, device=target.torch_device, dtype=torch.float16))
    target.synchronize()
    assert target.peak_device_bytes()[0] > 0
    with pytest.raises(RuntimeError) as caught:
        torch.ones(10**9, device=target.torch_device)
    assert "limit of 500 MB" in str(target.explained(Failed(str(caught.value))))
