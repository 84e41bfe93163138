"""What a hardware target is."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Any, ClassVar, Literal, Protocol

from pydantic import Field

from evalsuite.errors import CellError
from evalsuite.records import Scalar
from evalsuite.settings import Bytes, Settings

Dtype = Literal["float32", "bfloat16", "float16"]
Quantization = Literal["none", "int8_weight_only", "int8_dynamic"]

DEMANDS = ("dtype", "compile", "quantize", "channels_last", "memory_limit")
"""Settings that mean something only if the model obeys them."""


class TargetSettings(Settings):
    """Fields that every target has; one class a device kind derives from it and adds its methods.

    Attributes:
        dtype: of weights and computation.
        compile: whether networks are compiled, by ``torch.compile`` in its mode ``default``.
        quantize: ``int8_weight_only``: weights of linear layers and convolutions are kept in eight bits and computed
            with in ``dtype``. ``int8_dynamic``: the same, and linear layers compute in eight bits.
        channels_last: whether images lie in memory with their channels last, which many convolutions prefer.
        threads: CPU threads of the child process; None for all cores.
        batch_size: images in one call of generation and of the throughput scenario.
        memory_limit: bytes that a model may use, or ``600 MB``; what needs more ends as failed. On a processor all
            private memory of the process counts, Python and PyTorch included; on a device, tensors on the device.
        price_per_hour: of the machine, in USD, for cost metrics.
    """

    dtype: Dtype = "float32"
    compile: bool = False
    quantize: Quantization = "none"
    channels_last: bool = False
    threads: int | None = Field(default=None, ge=1)
    batch_size: int = Field(default=64, ge=1)
    memory_limit: Bytes | None = Field(default=None, ge=1)
    price_per_hour: float | None = Field(default=None, ge=0, allow_inf_nan=False)

    def demands(self) -> dict[str, Scalar]:
        """The settings that a model must obey for its numbers to mean what they say, where they are not the plain ones.

        A model that cannot (an exported network, a service, a folder of images) is skipped; see
        :attr:`evalsuite.models.contract.Capabilities.obeys`.
        """
        plain = {name: TargetSettings.model_fields[name].default for name in DEMANDS}
        return {name: getattr(self, name) for name in DEMANDS if getattr(self, name) != plain[name]}

    def pin(self) -> None:
        """See :meth:`Target.pin`."""


class Target(Protocol):
    """A device kind with its settings; derives from :class:`TargetSettings`. Import and description need no torch."""

    device: ClassVar[str]

    @property
    def dtype(self) -> str: ...

    @property
    def compile(self) -> bool: ...

    @property
    def threads(self) -> int | None: ...

    @property
    def batch_size(self) -> int: ...

    @property
    def memory_limit(self) -> int | None: ...

    @property
    def price_per_hour(self) -> float | None: ...

    @property
    def torch_device(self) -> str:
        """PyTorch's name of the device: ``cpu``, ``cuda:1``."""
        ...

    def unavailable_reason(self) -> str | None:
        """Why this machine cannot run it: no such device, fewer cores, no compiler, no package, no way to enforce the
        memory limit; None where it can."""
        ...

    def demands(self) -> dict[str, Scalar]:
        """See :meth:`TargetSettings.demands`."""
        ...

    def hardware(self) -> dict[str, Scalar]:
        """Names of the processor and of the device: timings from other hardware are not compared or re-used."""
        ...

    def environment(self) -> dict[str, Scalar]:
        """The hardware and every setting that can change a timing; two timings compare only where all of it is equal.
        Neither the price nor the memory limit is part of it: they change no timing."""
        ...

    def pixel_settings(self) -> dict[str, Scalar]:
        """What can change the images, for the cache key: device kind, dtype, threads, batch size, and quantisation,
        compilation and memory format where they are not the plain ones. The memory limit too, since it decides whether
        there are images: what was made without it is no proof that a model keeps it."""
        ...

    def import_libraries(self) -> None:
        """Import what quantisation and compilation need: part of ``start``, or before it, in a process that waits."""
        ...

    def start(self) -> None:
        """Once in a fresh child process, before a model is loaded: cores, threads, determinism, memory limit; and
        ``import_libraries``, so that no model is charged for them.

        Raises:
            Unavailable: PyTorch cannot use the device.
            Failed: PyTorch alone needs more memory than the limit.
        """
        ...

    def pin(self) -> None:
        """After ``start``, in a process that is timed: keep to as many cores as there are threads, the same for every
        model, because one core may be slower than the next. Nothing where that cannot be done or said."""
        ...

    def prepare(self, module: Any, *, keep: Collection[str] = ()) -> Any:
        """:meth:`place`, and compiled where the target says so. Compilation happens in the first call, so that its
        time shows there. A second batch size makes programs that serve all others; a network that would be compiled
        for ever ends with an error, and is never computed without compilation in silence.

        Returns:
            the same ``torch.nn.Module``.
        """
        ...

    def place(self, module: Any, *, keep: Collection[str] = ()) -> Any:
        """Move a ``torch.nn.Module`` to the device, in eval mode: in the target's dtype, memory format, quantisation.

        Args:
            module: changed in place.
            keep: names of parameters and buffers that stay in the dtype they have, and are not quantised.
        """
        ...

    def compiled(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """A function of tensors, compiled where the target says so; for models whose network is not one module."""
        ...

    def weights(self) -> dict[str, Scalar]:
        """What has been placed and compiled so far; empty where nothing was.

        ``parameters``; ``weight_bytes`` in memory, buffers and scales included; of the linear layers and convolutions
        those with weights in eight bits, ``int8_layers``, and the others, ``float_layers``; ``compiled``, the modules
        and functions that are compiled when they are first called.
        """
        ...

    def explained(self, error: CellError) -> CellError:
        """What a child process ended with; a sentence on the memory limit in its place, where memory was lacking.

        Known by the errors of Python, PyTorch and other libraries, and by the last output of a process that C++ ended.
        """
        ...

    def synchronize(self) -> None:
        """Wait for the device's work to end."""
        ...

    def mark(self) -> Any:
        """A moment for :meth:`seconds_between`: when the device has done all that was asked of it so far.

        CUDA notes it by an event of its own, which nobody waits for, so that marks within a call do not slow it down;
        elsewhere it is read from the monotonic clock, after waiting for the device.
        """
        ...

    def seconds_between(self, marks: Sequence[Any]) -> list[float]:
        """Seconds from each mark to the next, one fewer than there are marks; waits for the last of them."""
        ...

    def peak_device_bytes(self) -> tuple[int, int] | None:
        """Largest memory of tensors, and largest that PyTorch has reserved for them, on the device since ``start`` or
        the last reset; None where it has no memory of its own."""
        ...

    def reset_device_peak(self) -> None:
        """Forget the peak so far."""
        ...
