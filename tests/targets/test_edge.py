"""A small device: one core and little memory, really enforced in a child process."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from pydantic import ValidationError

from evalsuite import plugins
from evalsuite.targets import edge
from evalsuite.targets._processor import available_cores
from evalsuite.targets.contract import Target
from evalsuite.targets.cpu import Cpu
from evalsuite.targets.edge import Edge

bound = pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="cores are bound on Linux only")


def printed(code: str) -> list[str]:
    """What a fresh process prints, word by word."""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120)
    return done.stdout.split()


def test_is_found_by_its_name_and_keeps_the_contract() -> None:
    target: Target = Edge()
    assert plugins.find("targets", target.device) is Edge
    assert target.torch_device == "cpu"
    assert target.demands() == {"memory_limit": 600_000_000}


@bound
def test_all_threads_and_children_of_the_process_stay_on_its_cores() -> None:
    code = (
        "import os, subprocess, sys, threading, time\n"
        "threading.Thread(target=time.sleep, args=(30,), daemon=True).start()\n"
        "from evalsuite.targets.edge import Edge; Edge(memory_limit=None).start()\n"
        "import torch\n"
        "print(len({frozenset(os.sched_getaffinity(int(thread))) for thread in os.listdir('/proc/self/task')}))\n"
        "print(len(os.sched_getaffinity(0)), torch.get_num_threads(), flush=True)\n"
        "subprocess.run([sys.executable, '-c', 'import os; print(len(os.sched_getaffinity(0)))'])"
    )
    assert printed(code) == ["1", "1", "1", "1"]


@bound
def test_libraries_are_imported_before_its_cores_are_all_there_are() -> None:
    code = (
        "import sys; from evalsuite.targets import edge\n"
        "edge.bind = lambda cores: print(cores, 'torch' in sys.modules)\n"
        "edge.Edge().start()"
    )
    assert printed(code) == ["1", "True"]


@bound
def test_a_suite_can_have_more_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    cores = available_cores()
    assert Edge(cores=cores).unavailable_reason() is None
    assert Edge(cores=cores).hardware()["cores"] == cores
    reason = f"it asks for {cores + 1} cores and this process may use {cores} of the machine's cores"
    assert Edge(cores=cores + 1).unavailable_reason() == reason
    monkeypatch.setattr(edge, "can_bind", lambda: False)
    assert "on Linux only; take the target cpu" in str(Edge().unavailable_reason())


def test_more_threads_than_cores_are_refused() -> None:
    with pytest.raises(ValidationError, match="found 2 threads on 1 cores, expected at most one thread a core"):
        Edge(threads=2)


def test_its_images_are_those_of_a_processor_with_as_many_threads_and_its_timings_are_not() -> None:
    assert Edge(cores=2, memory_limit=None).pixel_settings() == Cpu(threads=2).pixel_settings()
    assert Edge(memory_limit=10**9).pixel_settings() == Cpu(threads=1, memory_limit=10**9).pixel_settings()
    assert Edge().environment() != Cpu(threads=1).environment()
