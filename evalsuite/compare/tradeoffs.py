"""Which numbers of a run are quality and which are prices, and what follows: fronts, choices and curves."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

from evalsuite.compare.budget import choice_at
from evalsuite.compare.contrast import RATIO_FAMILIES
from evalsuite.compare.pareto import Offer, pareto_front
from evalsuite.compare.sides import NOT_COMPARED
from evalsuite.files import canonical_json
from evalsuite.records import BudgetChoice, Curve, Front, Measurement, RunRecord, Tradeoffs
from evalsuite.suite.recorded import recorded_suite
from evalsuite.suite.schema import Suite

LATENCY, PRICES = "latency", ("latency", "peak_memory", "cost")
"""Metrics whose values are drawn against quality: time, memory, money."""

Cells = Sequence[Measurement]
"""The values of one metric, one a case."""


def tradeoffs(record: RunRecord) -> Tradeoffs:
    """All of a run, over whole sample sets (slice ``all``); no fronts or choices where there is no quality or no price.

    Quality is the suite's first ``fid``, else its first metric of quality with a direction. Prices are the median
    latency, peak memory and cost, each under the first label that the suite gives it.
    """
    suite = recorded_suite(record)
    quality, prices = _quality(record), list(_prices(record))
    return Tradeoffs(
        quality=quality[0].name if quality else "",
        prices=[price[0].name for price in prices],
        fronts=list(_fronts(quality, prices)),
        choices=list(_choices(quality, prices, suite)),
        curves=curves(suite),
    )


def curves(suite: Suite) -> list[Curve]:
    """Models that differ in ``num_steps`` alone, at least two: one checkpoint along its steps."""
    alike: dict[bytes, list[tuple[int, str]]] = defaultdict(list)
    for name, model in suite.models.items():
        steps = model.settings.get("num_steps")
        if isinstance(steps, int):
            rest = {key: value for key, value in model.settings.items() if key != "num_steps"}
            alike[canonical_json([model.adapter, rest])].append((steps, name))
    found = [sorted(models) for models in alike.values() if len(models) > 1]
    return [Curve(models=[name for _, name in line], num_steps=[steps for steps, _ in line]) for line in found]


def _fronts(quality: Cells, prices: Sequence[Cells]) -> Iterator[Front]:
    """One a target and price; where several targets have numbers, also one over all of them."""
    for price in prices:
        offers = _offers(quality, price)
        by_target: dict[str, list[Offer]] = defaultdict(list)
        for offer in offers:
            by_target[offer.price.target].append(offer)
        for target, there in by_target.items():
            yield pareto_front(there, target)
        if len(by_target) > 1:
            yield pareto_front(offers, None)


def _choices(quality: Cells, prices: Sequence[Cells], suite: Suite) -> Iterator[BudgetChoice]:
    budget = suite.report.latency_budget
    if budget is None:
        return
    for price in (price for price in prices if price[0].metric == LATENCY):
        offers = _offers(quality, price)
        for target in dict.fromkeys(offer.price.target for offer in offers):
            yield choice_at([offer for offer in offers if offer.price.target == target], target, budget)


def _quality(record: RunRecord) -> list[Measurement]:
    """The values of the metric of quality, one a case; what was measured in a scenario is none."""
    found = [
        m
        for m in _whole(record)
        if m.higher_is_better is not None and m.against in NOT_COMPARED and "scenario" not in m.protocol
    ]
    found = [m for m in found if m.family not in RATIO_FAMILIES]
    first = next((m for m in found if m.metric == "fid"), next(iter(found), None))
    return [m for m in found if first is not None and m.name == first.name]


def _prices(record: RunRecord) -> Iterator[list[Measurement]]:
    """The values of each metric of price, one a case."""
    for metric in PRICES:
        labels = [m.name for m in _whole(record) if m.metric == metric]
        medians = [label for label in labels if label.endswith("_p50")]
        label = next(iter(medians or labels), None)
        found = [m for m in _whole(record) if m.name == label and m.higher_is_better is False]
        if found:
            yield found


def _whole(record: RunRecord) -> list[Measurement]:
    return [m for m in record.measurements if m.slice == "all"]


def _offers(quality: Cells, price: Cells) -> list[Offer]:
    prices = {m.case_key: m for m in price}
    return [Offer(m, prices[m.case_key]) for m in quality if m.case_key in prices]
