"""What trade-offs come to, in names: who is on a Pareto front, and what is best within a latency budget."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from evalsuite.records import BudgetChoice, Family, Front
from evalsuite.reports._format import metric_title, number, plain, scale_for
from evalsuite.reports._models import place
from evalsuite.reports.contract import ReportInputs


@dataclass(frozen=True)
class Standings:
    """One front; names of the cases on it, perhaps on it, and off it, joined by commas."""

    quality: str
    price: str
    target: str
    on: str
    unsure: str
    off: str


@dataclass(frozen=True)
class Choice:
    """One budget on one target; names joined by commas."""

    target: str
    budget: str
    best: str
    rivals: str
    perhaps: str
    beyond: str


def standings(inputs: ReportInputs) -> list[Standings]:
    """One row a front; over several targets, cases are named with theirs."""
    return [_standings(inputs, front) for front in inputs.tradeoffs.fronts]


def _standings(inputs: ReportInputs, front: Front) -> Standings:
    metrics = {m.name: m.metric for m in inputs.record.measurements}
    quality, price = (metric_title(name, metrics.get(name, name)) for name in (front.quality, front.price))

    def named(where: str) -> str:
        found = (standing for standing in front.standings if standing.place == where)
        return ", ".join(plain(s.model if front.target else f"{s.model}@{s.target}") for s in found)

    return Standings(quality, price, front.target or "", named("on"), named("unsure"), named("off"))


def choices(inputs: ReportInputs) -> list[Choice]:
    """One row a budget and target."""
    return [_choice(inputs, choice) for choice in inputs.tradeoffs.choices]


def _choice(inputs: ReportInputs, choice: BudgetChoice) -> Choice:
    def named(case_keys: Iterable[str]) -> str:
        return ", ".join(plain(place(inputs.record, key).model) for key in case_keys)

    scale = scale_for("s", Family.LATENCY, [choice.budget_s])
    budget = f"{number(choice.budget_s / scale.divisor, 0)} {scale.unit}"
    best = named([choice.best]) if choice.best else ""
    return Choice(choice.target, budget, best, named(choice.rivals), named(choice.perhaps), named(choice.beyond))
