"""What all devices have in common: how a network is placed, quantised and compiled, and what is said of it."""

from __future__ import annotations

import time
from abc import abstractmethod
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from itertools import chain, pairwise
from typing import Any, ClassVar

from pydantic import PrivateAttr

from evalsuite.errors import CellError, Failed
from evalsuite.records import Scalar
from evalsuite.targets._compiler import compile_function, compile_module
from evalsuite.targets._memory import exceeded, lack_of_memory
from evalsuite.targets.contract import TargetSettings


class TorchTarget(TargetSettings):
    """A device that PyTorch computes on; see :class:`evalsuite.targets.contract.Target`."""

    device: ClassVar[str]

    _weights: Counter[str] = PrivateAttr(default_factory=Counter)

    @property
    def torch_device(self) -> str:
        return self.device

    def unavailable_reason(self) -> str | None:
        """Asks the system and the list of installed packages, not PyTorch, so that planning a run stays quick."""
        return next(self._reasons(), None)

    @abstractmethod
    def _reasons(self) -> Iterator[str]:
        """All that this machine lacks."""

    @abstractmethod
    def hardware(self) -> dict[str, Scalar]: ...

    def environment(self) -> dict[str, Scalar]:
        return {**self.hardware(), "threads": self.threads, "dtype": self.dtype, **self._network_settings()}

    def pixel_settings(self) -> dict[str, Scalar]:
        settings: dict[str, Scalar] = {"device": self.device, "dtype": self.dtype, "batch_size": self.batch_size}
        if self.memory_limit is not None:
            settings["memory_limit"] = self.memory_limit
        return settings | self._network_settings()

    def import_libraries(self) -> None:
        if self.quantize != "none":
            import_module("evalsuite.targets._int8_network")
        if self.compile:
            import_module("torch._inductor.compile_fx")

    def prepare(self, module: Any, *, keep: Collection[str] = ()) -> Any:
        module = self.place(module, keep=keep)
        if self.compile:
            compile_module(module)
            self._weights["compiled"] += 1
        return module

    def place(self, module: Any, *, keep: Collection[str] = ()) -> Any:
        import torch

        torch.set_grad_enabled(False)
        kept = {name: tensor.data for name, tensor in _tensors(module) if name in keep}
        module = module.eval().to(device=self.torch_device, dtype=getattr(torch, self.dtype))
        if self.channels_last:
            module = module.to(memory_format=torch.channels_last)
        for name, tensor in _tensors(module):
            if name in kept:
                tensor.data = kept[name].to(tensor.device)
        if self.quantize != "none":
            from evalsuite.targets._int8_network import quantize

            quantize(module, self.quantize, keep)
        self._weights.update(_counts(module))
        return module

    def compiled(self, function: Callable[..., Any]) -> Callable[..., Any]:
        if not self.compile:
            return function
        self._weights["compiled"] += 1
        return compile_function(function)

    def weights(self) -> dict[str, Scalar]:
        return dict(self._weights)

    @abstractmethod
    def synchronize(self) -> None: ...

    def mark(self) -> Any:
        self.synchronize()
        return time.perf_counter()

    def seconds_between(self, marks: Sequence[Any]) -> list[float]:
        return [end - begin for begin, end in pairwise(marks)]

    def explained(self, error: CellError) -> CellError:
        quoted = lack_of_memory(error, limited=self.memory_limit is not None)
        return error if quoted is None else Failed(exceeded(self.memory_limit) + quoted)

    def _network_settings(self) -> dict[str, Scalar]:
        """What is not plain about the network, with the version of the library that made it so."""
        settings: dict[str, Scalar] = {name: True for name in ("compile", "channels_last") if getattr(self, name)}
        if self.quantize != "none":
            settings |= {"quantize": self.quantize, "torchao": _torchao_version()}
        return settings

    def _torchao_reasons(self) -> Iterator[str]:
        if self.quantize != "none" and _torchao_version() is None:
            yield (
                f"quantize: {self.quantize} needs the package torchao; install it with: "
                "pip install 'evalsuite[quantize]'"
            )


def _torchao_version() -> str | None:
    try:
        return version("torchao")
    except PackageNotFoundError:
        return None


def _tensors(module: Any) -> Iterator[tuple[str, Any]]:
    return chain(module.named_parameters(), module.named_buffers())


def _counts(module: Any) -> dict[str, int]:
    """What :meth:`evalsuite.targets.contract.Target.weights` adds up."""
    from torch import nn

    layers = [layer for layer in module.modules() if isinstance(layer, nn.Linear | nn.Conv1d | nn.Conv2d | nn.Conv3d)]
    in_int8 = sum(len(_parts(layer.weight)) > 1 for layer in layers)
    return {
        "parameters": sum(parameter.numel() for parameter in module.parameters()),
        "weight_bytes": sum(part.nbytes for _, tensor in _tensors(module) for part in _parts(tensor)),
        "int8_layers": in_int8,
        "float_layers": len(layers) - in_int8,
    }


def _parts(tensor: Any) -> list[Any]:
    """What a tensor is stored as: itself, or the eight-bit values, scales and zero points of a quantised one."""
    from torch.utils._python_dispatch import is_traceable_wrapper_subclass

    if not is_traceable_wrapper_subclass(tensor):
        return [tensor]
    return [getattr(tensor, name) for name in tensor.__tensor_flatten__()[0]]
