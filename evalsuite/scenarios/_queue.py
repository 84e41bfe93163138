"""A queue with one worker in theory: when requests arrive, how long they stay, and which rate keeps a bound."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

HALVINGS = 60
"""Of the interval that holds the highest rate: more than float64 can tell apart."""


def gaps(count: int, seed: int) -> Floats:
    """Seconds before each of so many arrivals of a Poisson process with one arrival a second on average.

    Divided by a rate they are the gaps at that rate, so that the same seed puts the same pattern to every model.
    """
    return np.random.default_rng(seed).exponential(size=count)


def response_times(between: Floats, service: Floats) -> Floats:
    """Seconds from each arrival to the completion of its request, first come, first served.

    The waiting times follow Lindley's recursion, ``W' = max(0, W + S - A)`` (Lindley 1952), here as a running minimum.

    Args:
        between: float64 ``[N]``, seconds before each arrival.
        service: float64 ``[N]``, seconds that each request takes when its turn has come.
    """
    surplus = np.concatenate([[0.0], np.cumsum(service[:-1] - between[1:])])
    waiting = surplus - np.minimum.accumulate(surplus)
    return waiting + service


def highest_rate(between: Floats, service: Floats, percentile: float, bound: float) -> float | None:
    """The highest rate at which a percentile of the response times keeps a bound.

    Never above the rate that the worker serves when it does not rest: beyond that the queue grows for ever, even where
    a few requests do not show it.

    Args:
        between: float64 ``[N]``, gaps at a rate of 1.
        service: float64 ``[N]``, seconds.
        percentile: 0 to 100.
        bound: seconds.

    Returns:
        Requests a second; None where a request alone breaks the bound.
    """

    def keeps(rate: float) -> bool:
        return bool(np.percentile(response_times(between / rate, service), percentile) <= bound)

    if np.percentile(service, percentile) > bound:
        return None
    low, high = 0.0, float(1 / service.mean())
    if keeps(high):
        return high
    for _ in range(HALVINGS):  # response times only grow with the rate, so halving finds the one crossing
        middle = (low + high) / 2
        low, high = (middle, high) if keeps(middle) else (low, middle)
    return low
