"""What the targets made of each model's networks, for a reader who doubts a word such as int8."""

from __future__ import annotations

from dataclasses import dataclass

from evalsuite.records import Family, RunRecord, Weights
from evalsuite.reports._format import Scale, decimals, number, scale_for
from evalsuite.reports._models import Model, models


@dataclass(frozen=True)
class Held:
    """One model on one target.

    Attributes:
        parameters, size: as text.
        in_int8: how many of the layers that could be are.
        compiled: how many modules and functions are, or "no".
    """

    model: Model
    target: str
    parameters: str
    size: str
    in_int8: str
    compiled: str


def held(record: RunRecord) -> list[Held]:
    """One row for each model and target that the run noted."""
    scale = scale_for("bytes", Family.MEMORY, (one.weight_bytes for one in record.weights))
    by_name = {model.name: model for model in models(record)}
    return [_held(one, by_name[one.model], scale) for one in record.weights if one.model in by_name]


def _held(one: Weights, model: Model, scale: Scale) -> Held:
    layers = one.int8_layers + one.float_layers
    return Held(
        model,
        one.target,
        number(one.parameters, 0),
        f"{number(one.weight_bytes / scale.divisor, decimals(one.weight_bytes, None, scale.divisor))} {scale.unit}",
        f"{one.int8_layers or 'none'} of {layers}",
        str(one.compiled or "no"),
    )
