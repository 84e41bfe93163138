"""Scenario ``footprint``: what a model is made of and does for an image, counted once for a checkpoint."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar, Literal

from evalsuite.models.contract import Batch, Countable
from evalsuite.profiles import ProfileName
from evalsuite.scenarios.contract import Pace, Series, Subject
from evalsuite.settings import Settings


class Footprint(Settings):
    """Exact numbers, which no target changes; a series for each that can be had.

    ``parameters`` of all networks that are loaded; ``flops`` for one image, all evaluations of all networks, counted by
    PyTorch as the model runs (a multiplication and an addition are two); ``bytes`` of the files that are read; ``nfe``
    as the model declares it. The scenario's own series is the number of models counted, 1.
    """

    kind: ClassVar[Literal["checkpoint"]] = "checkpoint"
    unit: ClassVar[str] = "count"
    units: ClassVar[Mapping[str, str]] = {"bytes": "bytes"}
    libraries: ClassVar[Sequence[str]] = ("torch.utils.flop_counter", "torch._dynamo")  # the counter imports the latter

    def pace(self, profile: ProfileName) -> Pace:
        return Pace(1, 1)

    def images_per_call(self, of_target: int) -> int:
        return 1

    def measure(self, subject: Subject, batches: Sequence[Batch], seed: int) -> Series:
        """The numbers; one image is generated of a model that shows its networks."""
        numbers: dict[str, float | None] = {"": 1}
        if isinstance(subject.model, Countable):
            numbers["parameters"] = subject.model.num_parameters()
            numbers["flops"] = flops_of(subject, batches[0])
        size = subject.adapter.provenance().get("size_bytes")
        numbers["bytes"] = size if isinstance(size, int) else None
        numbers["nfe"] = subject.adapter.capabilities().nfe
        # Nothing to count is not a count of nothing: code that is no PyTorch passes by its counter.
        return {name: [float(number)] for name, number in numbers.items() if number}

    def flaw(self, rounds: Sequence[Series]) -> str:
        """Counts have none."""
        return ""


def flops_of(subject: Subject, batch: Batch) -> int:
    """Floating-point operations of one call: those of matrix products, convolutions and attention."""
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    # Compiled code would hide its operations in kernels of its own.
    with torch.compiler.set_stance("force_eager"), FlopCounterMode(display=False) as counter:
        subject.generate(batch)
    return int(counter.get_total_flops())
