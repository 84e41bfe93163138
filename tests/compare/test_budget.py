"""Quality at a latency budget: who is within, and who is best."""

from __future__ import annotations

import numpy as np

from evalsuite.compare.budget import choice_at
from evalsuite.compare.pareto import Offer
from tests.compare.inputs import of_rounds
from tests.compare.test_pareto import latency, offer, quality

OFFERS = [offer("teacher", 4, 1.0), offer("four", 2, 0.2), offer("one", 0, 0.05), offer("weak", -3, 0.04)]


def test_the_best_below_the_budget_is_chosen():
    choice = choice_at(OFFERS, "cpu", 0.5)
    assert choice.within == ["four@cpu/all", "one@cpu/all", "weak@cpu/all"]  # best quality first
    assert (choice.perhaps, choice.beyond) == ([], ["teacher@cpu/all"])
    assert choice.best == "four@cpu/all"
    assert (choice.rivals, choice.contenders) == ([], [])
    assert (choice.quality, choice.latency, choice.budget_s) == ("psnr", "latency_p50", 0.5)


def test_an_interval_around_the_budget_is_perhaps_within():
    choice = choice_at(OFFERS, "cpu", 1.0)
    assert choice.perhaps == ["teacher@cpu/all"]
    assert choice.contenders == ["teacher@cpu/all"]
    assert choice.best == "four@cpu/all"


def test_who_is_perhaps_within_but_shown_to_be_worse_is_no_contender():
    slow = Offer(quality("slow", -3), latency("slow", 0.5))
    assert choice_at([*OFFERS[1:2], slow], "cpu", 0.5).contenders == []


def test_a_rival_is_one_that_is_not_shown_to_be_worse():
    twin = Offer(quality("twin", 2), latency("twin", 0.3))
    choice = choice_at([*OFFERS, twin], "cpu", 0.5)
    assert {choice.best, *choice.rivals} == {"four@cpu/all", "twin@cpu/all"}


def test_a_budget_that_nobody_keeps():
    choice = choice_at(OFFERS, "cpu", 0.001)
    assert (choice.best, choice.within) == (None, [])
    assert len(choice.beyond) == 4


def test_invalid_timings_are_perhaps_within():
    flawed = latency("one", 0.05).model_copy(update={"invalid": "6 rounds"})
    single = of_rounds(np.array([0.05]), model="x")
    assert single.interval is None
    choice = choice_at([Offer(quality("one", 0), flawed), Offer(quality("x", 0), single)], "cpu", 0.5)
    assert set(choice.perhaps) == {"one@cpu/all", "x@cpu/all"}
