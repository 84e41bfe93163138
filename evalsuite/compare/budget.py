"""Quality at a latency budget: who keeps it, and who of those is best."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import permutations

from evalsuite.compare.better import better
from evalsuite.compare.pareto import LEVEL, Offer
from evalsuite.records import BudgetChoice, Measurement
from evalsuite.stats.multiple import holm


def choice_at(offers: Sequence[Offer], target: str, budget_s: float, level: float = LEVEL) -> BudgetChoice:
    """Sort cases by where their latency interval lies, and find the best of those below the budget.

    Whether one is worse than another in quality is tested over all ordered pairs at once, by Holm, since nobody knows
    beforehand which will look best.

    Args:
        offers: at least one; the price is a latency in seconds.
        target: of all cases.
        budget_s: seconds a call may take.
        level: chance of any case being wrongly called worse.
    """
    sign = -1.0 if offers[0].quality.higher_is_better else 1.0
    best_first = sorted(offers, key=lambda offer: sign * offer.quality.value)
    places = {offer.quality.case_key: _place(offer.price, budget_s) for offer in best_first}
    by_place = {place: [key for key in places if places[key] == place] for place in ("within", "perhaps", "beyond")}
    within, perhaps = by_place["within"], by_place["perhaps"]
    worse = _shown_worse([o for o in best_first if places[o.quality.case_key] != "beyond"], set(within), level)
    return BudgetChoice(
        target=target,
        budget_s=budget_s,
        latency=offers[0].price.name,
        quality=offers[0].quality.name,
        level=level,
        **by_place,
        best=within[0] if within else None,
        rivals=[key for key in within[1:] if key not in worse],
        contenders=[key for key in perhaps if key not in worse],
    )


def _place(latency: Measurement, budget_s: float) -> str:
    interval = latency.interval
    if latency.invalid or interval is None:
        return "perhaps"
    return "within" if interval.high < budget_s else "beyond" if interval.low > budget_s else "perhaps"


def _shown_worse(offers: Sequence[Offer], judges: set[str], level: float) -> set[str]:
    """Keys of the cases that one of the judges is shown to be better than."""
    pairs = [(a, b) for a, b in permutations(offers, 2) if b.quality.case_key in judges]
    corrected = holm([better(a.quality, b.quality).second for a, b in pairs])
    return {a.quality.case_key for (a, _), p in zip(pairs, corrected, strict=True) if p <= level}
