"""Steps and slow trends in the series of a history, and between which commits they came about.

A series drifts if its order means something (a step by E-divisive, a trend by Kendall's tau) *and* the change is more
than the noise of its samples. The first alone would take two sets of samples, each measured at ten commits without a
change, for a step; the second alone would take each repetition of a training for one. Holm's correction over both tests
of all series keeps the chance of any false alarm below alpha.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from evalsuite.history.change_points import Step, find_steps
from evalsuite.history.contrasts import chance_of_samples, contrast, slope_weights, step_weights
from evalsuite.history.points import Point
from evalsuite.history.store import Series
from evalsuite.records import Interval
from evalsuite.stats.multiple import holm

Floats = NDArray[np.float64]

MIN_POINTS = 8
"""Of shorter series even the clearest order may be chance."""

LEVEL = 0.95


@dataclass(frozen=True)
class Change:
    """A series that is not where it was.

    Attributes:
        kind: ``step``: from one commit to the next; ``trend``: little by little.
        last_good, first_bad: it came about after the one and by the other; of a step, with a confidence of 95 %.
        likely: of a step, the commit that is the most likely; of a trend ``first_bad``.
        before, after: levels; of a trend, of the line at both ends.
        change: ``after - before``.
        p_value: of the series, after Holm's correction.
        better: whether it is for the better; None where the metric has no direction.
    """

    series: Series
    kind: Literal["step", "trend"]
    last_good: str
    first_bad: str
    likely: str
    before: float
    after: float
    change: float
    interval: Interval
    p_value: float
    better: bool | None

    @property
    def relative(self) -> float | None:
        """The change as a share of the level before; None where that is 0."""
        return self.change / abs(self.before) if self.before else None


@dataclass(frozen=True)
class Drift:
    """What was found.

    Attributes:
        changes: series after series, in each by commit.
        looked_at: series that were tested.
        too_short: series with fewer points than a test can work with.
    """

    changes: tuple[Change, ...]
    looked_at: int
    too_short: int


@dataclass(frozen=True)
class _Tested:
    series: Series
    steps: tuple[Step, ...]
    p_step: float
    p_trend: float


def find_drift(every: Sequence[Series], alpha: float = 0.01, min_change: float = 0.01, seed: int = 0) -> Drift:
    """Look for steps and trends.

    Args:
        every: series, all of them part of one family of tests.
        alpha: chance of any false alarm in the family.
        min_change: a smaller change, as a share of the level before, is none: new libraries change last digits.
        seed: of the random orders.
    """
    long = [series for series in every if len(series.points) >= MIN_POINTS]
    draws = int(np.ceil(2 * 2 * len(long) / alpha))  # twice what the smallest p-value after Holm's correction needs
    tested = [_test(series, alpha, draws, np.random.default_rng([seed, row])) for row, series in enumerate(long)]
    corrected = holm([p for one in tested for p in (one.p_step, one.p_trend)])
    changes: list[Change] = []
    for one, p_step, p_trend in zip(tested, corrected[::2], corrected[1::2], strict=True):
        if min(p_step, p_trend) <= alpha:
            stepped = p_step <= alpha and (p_trend > alpha or _steps_fit_better(one))
            changes += _stepwise(one, p_step, alpha) if stepped else [_gradual(one.series, p_trend)]
    material = [one for one in changes if one.relative is None or abs(one.relative) >= min_change]
    return Drift(tuple(material), len(long), len(every) - len(long))


def _test(series: Series, alpha: float, draws: int, random: np.random.Generator) -> _Tested:
    """Both tests of a series; each asks for an order that means something, and for more than noise of the samples."""
    from scipy.stats import kendalltau

    values = _values(series)
    if np.ptp(values) == 0:
        return _Tested(series, (), 1.0, 1.0)
    found = find_steps(values, alpha, draws, random)
    chances = [_chance_of_step(series.points, step) for step in found.steps]
    p_step = max(found.p_value, len(chances) * min(chances, default=0.0))
    p_order = float(kendalltau(np.arange(len(values)), values).pvalue)
    p_trend = max(p_order, chance_of_samples(series.points, slope_weights(len(values))))
    return _Tested(series, found.steps, p_step, p_trend)


def _chance_of_step(points: Sequence[Point], step: Step) -> float:
    """p-value of "the step is noise of the samples", times the places at which it could have been found."""
    part = points[step.begin : step.end]
    places = sum(a.value != b.value for a, b in pairwise(part))
    return min(1.0, places * chance_of_samples(part, step_weights(len(part), step.first - step.begin)))


def _steps_fit_better(tested: _Tested) -> bool:
    """Whether steps explain more than a line, each step at the price of two parameters (Schwarz 1978)."""
    values = _values(tested.series)
    n = len(values)
    flat, line = _levels(values, tested.steps), _line(values)
    costs = [
        n * np.log(max(float(((values - model) ** 2).sum()), np.finfo(float).tiny)) + parameters * np.log(n)
        for model, parameters in ((flat, 2 * len(tested.steps) + 1), (line, 2))
    ]
    return bool(costs[0] <= costs[1])


def _stepwise(tested: _Tested, p_value: float, alpha: float) -> list[Change]:
    series, points = tested.series, tested.series.points
    real = [step for step in tested.steps if _chance_of_step(points, step) <= alpha]
    changes = []
    for step in real:
        part, first = points[step.begin : step.end], step.first - step.begin
        values = np.array([point.value for point in part])
        levels = np.where(np.arange(len(part)) < first, values[:first].mean(), values[first:].mean())
        evidence = contrast(part, step_weights(len(part), first), values - levels, parameters=2)
        low, high = evidence.interval(LEVEL)
        changes.append(
            Change(
                series=series,
                kind="step",
                last_good=points[step.low - 1].commit,
                first_bad=points[step.high].commit,
                likely=points[step.first].commit,
                before=float(levels[0]),
                after=float(levels[-1]),
                change=evidence.value,
                interval=Interval(low=low, high=high, level=LEVEL, method=evidence.method),
                p_value=p_value,
                better=_better(series, evidence.value),
            )
        )
    return changes


def _gradual(series: Series, p_value: float) -> Change:
    points, values = series.points, _values(series)
    line = _line(values)
    weights = slope_weights(len(values)) * (len(values) - 1)
    evidence = contrast(points, weights, values - line, parameters=2)
    low, high = evidence.interval(LEVEL)
    return Change(
        series=series,
        kind="trend",
        last_good=points[0].commit,
        first_bad=points[-1].commit,
        likely=points[-1].commit,
        before=float(line[0]),
        after=float(line[-1]),
        change=evidence.value,
        interval=Interval(low=low, high=high, level=LEVEL, method=evidence.method),
        p_value=p_value,
        better=_better(series, evidence.value),
    )


def _values(series: Series) -> Floats:
    return np.array([point.value for point in series.points])


def _levels(values: Floats, found: Sequence[Step]) -> Floats:
    """Mean between steps, float64 ``[T]``."""
    parts = np.split(values, [step.first for step in found])
    return np.concatenate([np.full(len(part), part.mean()) for part in parts])


def _line(values: Floats) -> Floats:
    """Least-squares line, float64 ``[T]``."""
    steps_from_middle = np.arange(len(values)) - (len(values) - 1) / 2
    fitted: Floats = values.mean() + (slope_weights(len(values)) @ values) * steps_from_middle
    return fitted


def _better(series: Series, change: float) -> bool | None:
    return None if series.higher_is_better is None else (change > 0) == series.higher_is_better
