"""Compilation: what it needs, and that it neither falls back nor goes on for ever."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from torch import nn
from torch._dynamo.exc import FailOnRecompileLimitHit
from torch._dynamo.utils import counters

from evalsuite.targets import _compiler
from evalsuite.targets._compiler import cpp_reason, triton_reason
from evalsuite.targets.cpu import Cpu

COMPILED = Cpu(compile=True, threads=1)


@pytest.fixture(autouse=True)
def _forgotten() -> Iterator[None]:
    """Each test compiles anew, and leaves nothing behind."""
    torch.compiler.reset()
    counters.clear()
    with torch._dynamo.config.patch(fail_on_recompile_limit_hit=False):
        yield
    torch.compiler.reset()


@pytest.fixture
def traced(monkeypatch: pytest.MonkeyPatch) -> None:
    """The real compiler up to machine code, which takes a minute on a busy core."""
    original = nn.Module.compile
    monkeypatch.setattr(nn.Module, "compile", lambda module: original(module, backend="eager"))


def programs() -> int:
    return int(counters["stats"]["unique_graphs"])


@pytest.mark.usefixtures("traced")
def test_a_module_keeps_its_class_and_computes_the_same_for_all_batch_sizes_with_few_programs() -> None:
    target = Cpu(compile=True, threads=1)
    network = nn.Conv2d(3, 2, 3)
    prepared = target.prepare(network)
    assert prepared is network
    assert target.weights()["compiled"] == 1
    assert programs() == 0, "not before the first call"
    with torch.inference_mode():
        for size in (4, 7, 2, 9, 64, 3, 5, 6, 8, 10, 11, 12, 1):
            images = torch.randn(size, 3, 8, 8)
            torch.testing.assert_close(network(images), network.forward(images))
    assert programs() <= 4, "the first size, one image, few and many: PyTorch chooses other convolutions from 16 on"


@pytest.mark.usefixtures("traced")
def test_too_many_programs_are_an_error_and_not_a_silent_return_to_none() -> None:
    class Fickle(nn.Module):
        def forward(self, rows: torch.Tensor, name: str) -> torch.Tensor:
            return rows + len(name) if name != "ten" else rows

    network = Cpu(compile=True, threads=1).prepare(Fickle())
    with pytest.raises(FailOnRecompileLimitHit):
        all(network(torch.ones(2), f"name {number}").any() for number in range(20))


@pytest.mark.slow
def test_machine_code_of_the_real_compiler_computes_the_same() -> None:
    function = Cpu(compile=True, threads=1).compiled(lambda rows: (rows * 2 + 1).relu())
    rows = torch.randn(3, 5)
    torch.testing.assert_close(function(rows), (rows * 2 + 1).relu())
    assert programs() == 1


def test_what_is_not_to_be_compiled_is_left_as_it_is() -> None:
    target, function = Cpu(), abs
    assert target.compiled(function) is function
    network = target.prepare(nn.Linear(2, 2))
    assert network._compiled_call_impl is None
    assert target.weights().get("compiled", 0) == 0


def test_a_missing_cpp_compiler_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("CXX", raising=False)
    monkeypatch.setattr(_compiler.sys, "platform", "linux")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert Cpu().unavailable_reason() is None
    assert "compile needs a C++ compiler, and g++ is not there; install one" in str(COMPILED.unavailable_reason())
    monkeypatch.setenv("CXX", "ccache my-compiler")
    assert "and ccache my-compiler is not there" in str(cpp_reason())
    (tmp_path / "ccache").touch(mode=0o755)
    assert cpp_reason() is None


def test_what_a_cuda_device_needs_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(_compiler, "find_spec", lambda package: None)
    assert "needs the package triton" in str(triton_reason())
    monkeypatch.setattr(_compiler, "find_spec", lambda package: object())
    monkeypatch.delenv("CC", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "needs a C compiler" in str(triton_reason())
    (tmp_path / "clang").touch(mode=0o755)
    assert triton_reason() is None


def test_images_and_timings_are_told_apart() -> None:
    assert COMPILED.pixel_settings() != Cpu(threads=1).pixel_settings()
    assert COMPILED.environment() != Cpu(threads=1).environment()
