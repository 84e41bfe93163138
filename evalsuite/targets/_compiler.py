"""Compilation by ``torch.compile``: what it needs of the machine, and how it is told to behave."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any


def cpp_reason() -> str | None:
    """Why networks cannot be compiled for the processor; None where they can."""
    command = os.environ.get("CXX", "clang++" if sys.platform == "darwin" else "g++")
    if shutil.which((shlex.split(command) or [command])[0]) is None:
        return (
            f"compile needs a C++ compiler, and {command} is not there; install one (Debian, Ubuntu: apt install g++), "
            "or name yours in the environment variable CXX"
        )
    return None


def triton_reason() -> str | None:
    """Why networks cannot be compiled for an NVIDIA GPU; None where they can."""
    if find_spec("triton") is None:
        return "compile needs the package triton on a CUDA device; install it with: pip install triton"
    if not any(shutil.which(name) for name in (os.environ.get("CC", "cc"), "gcc", "clang")):
        return "compile needs a C compiler on a CUDA device; install one (Debian, Ubuntu: apt install gcc)"
    return None


def compile_module(module: Any) -> None:
    """Compile a ``torch.nn.Module`` in place, when it is first called: it keeps its class and attributes."""
    _never_fall_back()
    module.compile()


def compile_function(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function that is compiled when it is first called."""
    import torch

    _never_fall_back()
    compiled: Callable[..., Any] = torch.compile(function)
    return compiled


def _never_fall_back() -> None:
    """PyTorch's own default is to compute without compilation, in silence, for a network that it has compiled eight
    times: a timing would be called compiled and not be it."""
    import torch._dynamo.config

    torch._dynamo.config.fail_on_recompile_limit_hit = True
