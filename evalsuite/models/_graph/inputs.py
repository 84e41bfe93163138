"""Which input of an exported network takes the noise, the time and the label, and how each is filled."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from evalsuite.errors import Failed
from evalsuite.models._graph.declaration import GraphSettings

if TYPE_CHECKING:
    import torch
    from torch import Tensor

Role = Literal["noise", "time", "label"]

USUAL_NAMES: Mapping[Role, frozenset[str]] = {
    "noise": frozenset({"noise", "latent", "latents", "sample", "x", "x_t", "z"}),
    "time": frozenset({"noise_level", "sigma", "sigmas", "t", "time", "timestep", "timesteps"}),
    "label": frozenset({"class_label", "class_labels", "label", "labels", "y"}),
}
"""What exporters call them; asked only where types and shapes leave a choice."""


@dataclass(frozen=True)
class Input:
    """One input of a network.

    Attributes:
        shape: None for a size that is free, such as the batch's.
    """

    name: str
    shape: tuple[int | None, ...]
    dtype: torch.dtype

    def __str__(self) -> str:
        return f"{self.name} ({typed(self.dtype, self.shape)})"

    @property
    def one_hot(self) -> int | None:
        """Length of the rows, for labels ``[B, K]`` in floating point; None for labels that are numbers."""
        return self.shape[1] if len(self.shape) == 2 and self.dtype.is_floating_point else None


def typed(dtype: torch.dtype, shape: Sequence[int | None]) -> str:
    """``float32 [batch, 1, 28, 28]``."""
    first = ["batch" if size is None else str(size) for size in shape[:1]]
    rest = ["any" if size is None else str(size) for size in shape[1:]]
    return f"{str(dtype).removeprefix('torch.')} [{', '.join(first + rest)}]"


def bind(settings: GraphSettings, inputs: Sequence[Input]) -> dict[Role, Input]:
    """The input of each role: by the declared name, else as the only one that fits, else by its usual name.

    Raises:
        Failed: an input cannot be told, cannot take what it is for, or has nothing to take.
    """
    needed: dict[Role, bool] = {
        "noise": True,
        "time": settings.sampler is not None,
        "label": settings.condition == "class",
    }
    wanted = [role for role, is_needed in needed.items() if is_needed]
    declared = settings.inputs.model_dump(exclude_none=True)
    found = {role: _named(settings, role, declared[role], inputs) for role in wanted if role in declared}
    while missing := [role for role in wanted if role not in found]:
        free = [one for one in inputs if one not in found.values()]
        choices = {role: [one for one in free if _fits(settings, role, one)] for role in missing}
        told = _only_choice(choices) or _usual_choice(choices)
        if not told:
            raise _untold(settings, missing[0], choices[missing[0]], inputs, wanted)
        found |= told
    idle = [one.name for one in inputs if one not in found.values()]
    if idle:
        raise Failed(
            f"{settings.path}: found inputs {_listed(inputs)}, expected {' and '.join(wanted)} alone; nothing feeds "
            f"{', '.join(idle)} (a time is fed with a sampler, a label with condition: class)"
        )
    return found


def time_tensor(one: Input, time: float, x: Tensor) -> Tensor:
    """The time in the type and shape that the network takes: a scalar, one a sample, or one for all."""
    import torch

    sizes = [len(x) if size is None else size for size in one.shape[:1]] + [1] * len(one.shape[1:])
    return torch.full(sizes, time, dtype=one.dtype, device=x.device)


def label_tensor(settings: GraphSettings, one: Input, labels: Tensor) -> Tensor:
    """Labels in the type and shape that the network takes: ``[B]``, ``[B, 1]`` or one-hot rows.

    Args:
        labels: int64 ``[B]``.

    Raises:
        Failed: a label has no place in the rows, and is not ``null_class``.
    """
    import torch

    if one.one_hot is None:
        return labels.reshape(len(labels), *[1] * len(one.shape[1:])).to(one.dtype)
    beyond = labels[(labels >= one.one_hot) & (labels != settings.null_class)]
    if len(beyond):
        raise Failed(
            f"{settings.path}: found label {int(beyond[0])}, expected at most {one.one_hot - 1} for its input {one}"
        )
    return (labels[:, None] == torch.arange(one.one_hot, device=labels.device)).to(one.dtype)


def _named(settings: GraphSettings, role: Role, name: str, inputs: Sequence[Input]) -> Input:
    one = next((one for one in inputs if one.name == name), None)
    if one is None:
        raise Failed(f"{settings.path}: found no input {name!r} for inputs.{role}; there are: {_listed(inputs)}")
    if not _fits(settings, role, one):
        raise Failed(f"{settings.path}: its input {one} cannot take the {role}, expected {_expected(settings, role)}")
    return one


def _fits(settings: GraphSettings, role: Role, one: Input) -> bool:
    rank, rest = len(one.shape), one.shape[1:]
    if role == "noise":
        sizes = zip(rest, settings.noise_dims, strict=False)
        same = rank == 1 + len(settings.noise_dims) and all(a in (None, b) for a, b in sizes)
        return one.dtype.is_floating_point and same
    if role == "time":
        whole = settings.sampler is not None and settings.sampler.chosen.whole_times
        return (one.dtype.is_floating_point or whole) and all(size in (None, 1) for size in rest)
    if one.dtype.is_floating_point:
        return rank == 2 and (rest[0] or 0) > 1
    return rank == 1 or (rank == 2 and rest[0] in (None, 1))


def _only_choice(choices: Mapping[Role, Sequence[Input]]) -> dict[Role, Input]:
    """One role with its input, where just one fits; empty if there is no such role."""
    return next(({role: fitting[0]} for role, fitting in choices.items() if len(fitting) == 1), {})


def _usual_choice(choices: Mapping[Role, Sequence[Input]]) -> dict[Role, Input]:
    """One role with the one of the fitting inputs that is called as usual; empty if there is no such role."""
    named = {role: [one for one in choices[role] if one.name.lower() in USUAL_NAMES[role]] for role in choices}
    return _only_choice(named)


def _untold(
    settings: GraphSettings, role: Role, fitting: Sequence[Input], inputs: Sequence[Input], wanted: Sequence[Role]
) -> Failed:
    found = f"{settings.path}: found inputs {_listed(inputs) or 'none'}, expected {' and '.join(wanted)}"
    if fitting:
        names = " or ".join(one.name for one in fitting)
        return Failed(f"{found}; {role} could be {names}: say which, as in inputs: {{{role}: {fitting[0].name}}}")
    return Failed(f"{found}; none can take the {role}: {_expected(settings, role)}")


def _expected(settings: GraphSettings, role: Role) -> str:
    if role == "noise":
        return f"floating point [batch, {', '.join(map(str, settings.noise_dims))}]"
    if role == "label":
        return "whole numbers [batch] or [batch, 1], or floating point [batch, K] for one-hot rows"
    whole = settings.sampler is not None and settings.sampler.chosen.whole_times
    return f"{'numbers' if whole else 'floating point'} [batch], or one number for all"


def _listed(inputs: Sequence[Input]) -> str:
    return ", ".join(map(str, inputs))
