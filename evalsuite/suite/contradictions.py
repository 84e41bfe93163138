"""Parts of a suite that are right by themselves and cannot hold together: gates, and stages beside the sampling."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

from evalsuite.errors import Problem
from evalsuite.suite.document import Node
from evalsuite.suite.schema import GateSpec
from evalsuite.suite.validate import validate
from evalsuite.suite.wording import shown

_WHAT_A_GATE_IS_ABOUT = ("metric", "against", "slice")
"""Beside its candidates."""


def stage_problems(sections: Mapping[str, Node]) -> Iterator[Problem]:
    """The first stage has to be the run as it begins."""
    stages, sampling = sections.get("stages"), sections.get("sampling")
    first = next(iter((stages.items or []) if stages is not None else []), None)
    planned = (sampling.mapping or {}).get("num_samples") if sampling is not None else None
    if first is not None and planned is not None and first.value != planned.value:
        expected = f"{shown(planned.value)}, the num_samples of sampling"
        yield first.problem(shown(first.value), expected, "the first stage is the run as it begins")


def gate_problems(gates: Sequence[Node], students: Collection[str]) -> Iterator[Problem]:
    """Gates that a candidate cannot meet together; those with other faults are left out.

    Args:
        students: names of the models that the candidate ``*`` stands for.
    """
    readable = [(node, gate) for node in gates if (gate := validate(GateSpec, node)[0]) is not None]
    for position, (node, gate) in enumerate(readable):
        for earlier, other in readable[:position]:
            if _concern_one_candidate(gate, other, students) and (both := _contradiction(gate, other)):
                hint = f"see the gate in line {earlier.place.line}"
                yield node.problem(both, "gates that can pass together", hint)


def _concern_one_candidate(gate: GateSpec, other: GateSpec, students: Collection[str]) -> bool:
    """Whether there is a model on a target that both gates judge."""
    (models, target), (others, place) = (_candidates(one, students) for one in (gate, other))
    return not models.isdisjoint(others) and (not target or not place or target == place)


def _candidates(gate: GateSpec, students: Collection[str]) -> tuple[set[str], str]:
    """Names of models, and the target; "" for any."""
    model, _, target = gate.candidate.partition("@")
    return set(students) if model == "*" else {model}, gate.target or target


def _contradiction(gate: GateSpec, other: GateSpec) -> str:
    """What two gates ask of one candidate, if nothing can be so; else ""."""
    if any(getattr(gate, field) != getattr(other, field) for field in _WHAT_A_GATE_IS_ABOUT):
        return ""
    if gate.test == other.test == "limit":
        lows = [one.min for one in (gate, other) if one.min is not None]
        highs = [one.max for one in (gate, other) if one.max is not None]
        crossed = bool(lows and highs) and max(lows) > min(highs)
        return f"{gate.metric} at least {max(lows):g} and at most {min(highs):g}" if crossed else ""
    by_test = {gate.test: gate, other.test: other}
    if set(by_test) != {"superiority", "equivalence"}:
        return ""
    kind, away = _margin_of(by_test["superiority"])
    other_kind, near = _margin_of(by_test["equivalence"])
    apart = kind in ("none", other_kind) and away >= near
    return f"{gate.metric} better by more than {away:g} and equal within {near:g}" if apart else ""


def _margin_of(gate: GateSpec) -> tuple[str, float]:
    """Kind and size of a margin; a ratio and its inverse are as far from equality."""
    given = gate.margin.model_dump(exclude_none=True) if gate.margin is not None else {}
    kind, size = next(iter(given.items()), ("none", 0.0))
    return kind, max(size, 1 / size) if kind == "ratio" else size
