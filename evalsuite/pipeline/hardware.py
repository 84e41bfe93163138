"""What this machine is, as far as timings and memory depend on it: cores, limits, clocks, noise, instruction sets."""

from __future__ import annotations

import os
import platform
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from evalsuite.pipeline.environment import describe_machine

BUSY_SHARE = 0.5
"""Load per core above which timings are noisy."""

BFLOAT16 = ("amx_bf16", "avx512_bf16", "bf16")
INT8 = ("amx_int8", "avx512_vnni", "avx_vnni", "i8mm", "asimddp")
VECTORS = ("avx512f", "avx2", "sve", "asimd", "neon")
"""Instruction sets as Linux names them, of x86 and of ARM, the best first."""

State = Literal["good", "limited", "missing", "broken"]


@dataclass(frozen=True)
class Check:
    """One thing that was looked at.

    Attributes:
        name: of the thing.
        state: ``limited``: it is there, with a caveat. ``missing``: something cannot be measured without it.
            ``broken``: nothing can.
        finding: what was seen.
        advice: what to do, or what it means; or "".
    """

    name: str
    state: State
    finding: str
    advice: str = ""


@dataclass(frozen=True)
class Machine:
    """Where the system tells about itself; elsewhere than in ``/`` for tests.

    Attributes:
        root: the root of ``/proc`` and ``/sys``.
    """

    root: Path = Path("/")

    def checks(self) -> Iterator[Check]:
        """Everything about the machine."""
        described = describe_machine()
        yield Check("system", "good", f"{described['os']}, {described['machine']}, Python {described['python']}")
        yield Check("processor", "good", str(described["processor"]))
        yield self._cores()
        yield self._memory()
        yield self._vectors()
        yield from self._number_formats()
        yield self._clock()
        yield self._driver()
        yield _load()
        yield self._run_queue()

    def _cores(self) -> Check:
        """Of the machine, and those left by affinity and by a control group's quota."""
        import psutil

        logical = os.cpu_count() or 1
        physical = psutil.cpu_count(logical=False) or logical
        allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else logical
        quota = self._quota()
        finding = f"{physical} cores, {logical} hardware threads; this process may use {allowed}"
        if quota is not None and quota < allowed:
            advice = "the quota stops a process in the middle of a timing; use threads: 1, or lift it"
            return Check("cores", "limited", f"{finding}, for {quota:g} cores' worth of time", advice)
        if allowed < logical:
            return Check("cores", "limited", finding, "other work may run on the others, and share caches and clocks")
        return Check("cores", "good", finding)

    def _quota(self) -> float | None:
        """Cores' worth of time that the control group (version 2) allows; None for no limit."""
        limit, _, period = self._text("sys/fs/cgroup/cpu.max").partition(" ")
        return int(limit) / int(period) if limit.isdigit() and period.isdigit() else None

    def _memory(self) -> Check:
        import psutil

        memory = psutil.virtual_memory()
        limits = [self._text(f"sys/fs/cgroup/{name}") for name in ("memory.max", "memory/memory.limit_in_bytes")]
        limit = min((int(text) for text in limits if text.isdigit()), default=memory.total)
        finding = f"{_gigabytes(memory.total)}, {_gigabytes(memory.available)} of it free"
        if limit < memory.total:
            advice = "models that need more are killed; a target's memory_limit below it says so in words"
            return Check("memory", "limited", f"{finding}; this process may use {_gigabytes(limit)}", advice)
        return Check("memory", "good", finding)

    def _vectors(self) -> Check:
        found = [name for name in VECTORS if name in self._flags()]
        if not self._flags():
            return Check("vector instructions", "limited", "unknown: this system does not list them")
        state: State = "good" if found else "limited"
        return Check("vector instructions", state, ", ".join(found) or "none", "" if found else "models run slowly")

    def _number_formats(self) -> Iterator[Check]:
        """Whether the processor computes in bfloat16 and in eight bits itself."""
        for name, sets, slow in (
            ("bfloat16", BFLOAT16, "dtype: bfloat16 works, and is slower than float32"),
            ("int8", INT8, "quantize: int8_dynamic works, with little or no gain"),
        ):
            found = [flag for flag in sets if flag in self._flags()]
            if found:
                yield Check(name, "good", f"in hardware: {', '.join(found)}")
            else:
                seen = "no instructions for it" if self._flags() else "unknown: this system does not list instructions"
                yield Check(name, "limited", seen, slow)

    def _flags(self) -> frozenset[str]:
        """Instruction sets of the first core."""
        for line in self._text("proc/cpuinfo").splitlines():
            key, _, value = line.partition(":")
            if key.strip() in ("flags", "Features"):
                return frozenset(value.split())
        return frozenset()

    def _clock(self) -> Check:
        governor = self._text("sys/devices/system/cpu/cpu0/cpufreq/scaling_governor")
        if not governor:
            advice = "a change of clock speed shows in the timings alone; their drift is checked in any case"
            return Check("clock speed", "limited", "the frequency governor cannot be read here", advice)
        if governor == "performance":
            return Check("clock speed", "good", "governor performance")
        advice = "timings drift with it; for the time of a run: sudo cpupower frequency-set -g performance"
        return Check("clock speed", "limited", f"governor {governor}", advice)

    def _driver(self) -> Check:
        """Of NVIDIA's GPUs: which GPUs there are, the target ``cuda`` says."""
        text = self._text("proc/driver/nvidia/version")
        found = re.search(r"\d+\.\d+(\.\d+)?", text)
        if found is None:
            return Check("GPU driver", "missing", "no NVIDIA driver", "nothing can be measured on a CUDA device")
        return Check("GPU driver", "good", f"NVIDIA {found[0]}")

    def _run_queue(self) -> Check:
        """Linux counts how long a process waited for a core, which tells noise of others from that of the model."""
        if len(self._text("proc/self/schedstat").split()) == 3:
            return Check("run-queue statistics", "good", "time spent waiting for a core is counted")
        advice = "other work on the cores is not noticed, except by the noise of timings"
        return Check(
            "run-queue statistics", "missing", "the system does not count time spent waiting for a core", advice
        )

    def _text(self, name: str) -> str:
        try:
            return (self.root / name).read_text("utf-8", "replace").strip()
        except OSError:
            return ""


def _load() -> Check:
    load, cores = os.getloadavg()[0], os.cpu_count() or 1
    finding = f"{load:.1f} on {cores} cores"
    if load > BUSY_SHARE * cores:
        return Check("load", "limited", finding, f"other work runs on {platform.node() or 'it'}: timings will be noisy")
    return Check("load", "good", finding)


def _gigabytes(count: float) -> str:
    return f"{count / 1e9:.1f} GB"
