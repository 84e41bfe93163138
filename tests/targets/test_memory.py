"""The memory limit: enforced in a child process, and told as what it is however lack of memory shows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from evalsuite.errors import Failed
from evalsuite.executors.contract import Result, Task
from evalsuite.executors.local import Local
from evalsuite.models.contract import Batch, NoProbe
from evalsuite.pipeline.generate import Samples, generate
from evalsuite.pipeline.plan import make_plan
from evalsuite.profiling.entrant import Entrant
from evalsuite.profiling.subject import SubjectSpec
from evalsuite.store import Store
from evalsuite.targets import _memory
from evalsuite.targets._memory import written
from evalsuite.targets.cpu import Cpu
from evalsuite.targets.edge import Edge
from tests.pipeline.user_models import suite_of

enforced = pytest.mark.skipif(not _memory.can_limit(), reason="memory of a process is limited on Linux only")

MODELS = '''
import ctypes
from contextlib import contextmanager

import numpy as np


def good(seeds, labels):
    return np.zeros((len(seeds), 1, 8, 8), np.uint8)


def python(seeds, labels):
    return b"x" * 1_000_000_000


def tensor(seeds, labels):
    import torch
    return torch.ones(250_000_000).numpy()


def aborted(seeds, labels):
    """C++ that allocates too much where nobody catches what it throws."""
    new = ctypes.CDLL("libstdc++.so.6")["_Znwm"]
    new.argtypes, new.restype = [ctypes.c_size_t], ctypes.c_void_p
    return new(1_000_000_000)
'''


def generated(folder: Path, models: list[str], target: dict[str, Any]) -> Samples:
    (folder / "models.py").write_text(MODELS)
    named = {
        name: {"role": "student", "adapter": "python", "settings": {"callable": f"{folder / 'models.py'}:{name}"}}
        for name in models
    }
    suite = suite_of(named, targets={"small": target}, num_samples=4)
    plan = make_plan(suite, allow_code=True)
    return generate(
        suite, plan, executor=Local(), store=Store(folder / "cache"), listener=lambda event: None, timeout_s=60
    )


@enforced
def test_a_model_over_the_limit_is_missing_with_the_reason_and_the_others_go_on(tmp_path: Path) -> None:
    settings = {"memory_limit": "600 MB", "threads": 1}
    samples = generated(tmp_path, ["python", "tensor", "aborted", "good"], {"device": "cpu", "settings": settings})
    assert set(samples.sets) == {"good@small/all"}
    reasons = {str(error) for error in samples.errors.values()}
    assert reasons == {"needs more memory than the target's limit of 600 MB"}
    assert all(isinstance(error, Failed) for error in samples.errors.values())


def zoo_memory(limit: int | None, batch_size: int, report: Any) -> int:
    """Private memory of a process that has generated; a task of an executor."""
    from evalsuite.models.zoo import Zoo

    target = Edge(memory_limit=limit)
    target.start()
    ids = np.arange(batch_size)
    with Zoo(name="fashion-1step").open(target) as model:
        model.generate(Batch(ids, ids, ids % 10), NoProbe())
    return _memory._status_bytes("RssAnon")


def answer(limit: int | None, batch_size: int) -> Any:
    (result,) = Local().map([Task("zoo", zoo_memory, (limit, batch_size))])
    assert isinstance(result, Result)
    return result.value if result.error is None else Edge(memory_limit=limit).explained(result.error)


@enforced
def test_a_bundled_model_fits_as_exactly_as_the_limit_says() -> None:
    """Not what libraries reserve counts, but what is used; a batch that needs 60 MB more is over the limit."""
    used = answer(None, 1)
    limit = used + 40_000_000
    assert answer(limit, 1) < limit
    assert str(answer(limit, 256)) == f"needs more memory than the target's limit of {written(limit)}"
    alone = str(answer(100_000_000, 1))
    assert alone.startswith(
        "needs more memory than the target's limit of 100 MB: Python, PyTorch and what comes with them take "
    )


@pytest.mark.parametrize(
    ("said", "lacking"),
    [
        ("samples 0-4: MemoryError: ", True),
        ("RuntimeError: DefaultCPUAllocator: can't allocate memory: you tried to allocate 8 bytes", True),
        ("OutOfMemoryError: Tried to allocate", True),
        ("RuntimeError: CUDA error: out of memory", True),
        ("RuntimeError: MPS backend out of memory (MPS allocated: 1 GB)", True),
        ("killed by SIGABRT; its last output: what():  std::bad_alloc", True),
        ("ended with exit code 1; its last output: libgomp: Thread creation failed: Resource", True),
        ("ImportError: libx.so: failed to map segment from shared object", True),
        ("OSError: [Errno 12] Cannot allocate memory", True),
        ("RuntimeError: shape mismatch", False),
        ("killed by SIGKILL, probably out of memory", False),
        ("ValueError: a title: out of memory", False),
    ],
)
def test_lack_of_memory_is_known_by_what_libraries_say(said: str, lacking: bool) -> None:
    error = Failed(said)
    told = Cpu(memory_limit=600_000_000).explained(error)
    assert (str(told) == "needs more memory than the target's limit of 600 MB") == lacking
    assert lacking or told is error
    assert (str(Cpu().explained(error)) == "out of memory; try a smaller batch_size") == lacking


def test_a_vague_error_is_taken_for_lack_of_memory_where_it_is_limited_and_quoted() -> None:
    vague = Failed("RuntimeError: could not create a primitive (conv.py, line 3)")
    assert Cpu().explained(vague) is vague
    told = str(Cpu(memory_limit=1_500_000_000).explained(vague))
    assert told == "needs more memory than the target's limit of 1.5 GB (oneDNN could not create a primitive)"


def test_profiling_tells_it_too() -> None:
    spec = SubjectSpec("zoo", {"name": "fashion-1step"}, "edge", {"memory_limit": "300 MB"})
    entrant = Entrant("m@edge/all", spec, lambda ids: Batch(ids, ids), 4)
    with entrant.dropping_out():
        raise Failed("killed by SIGABRT; its last output: what():  std::bad_alloc")
    assert str(entrant.error) == "needs more memory than the target's limit of 300 MB"


def test_a_platform_that_cannot_limit_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("evalsuite.targets.cpu.can_limit", lambda: False)
    assert Cpu().unavailable_reason() is None
    assert "can be enforced on Linux only" in str(Cpu(memory_limit=1).unavailable_reason())


@pytest.mark.parametrize(("text", "size"), [("600 MB", 600_000_000), ("1.5 GB", 1_500_000_000), ("2 GiB", 2**31)])
def test_the_limit_is_written_with_its_unit(text: str, size: int) -> None:
    assert Cpu.model_validate({"memory_limit": text}).memory_limit == size
    assert written(size) == ("2.15 GB" if text == "2 GiB" else text)
