"""How often drift is found where there is none, and where there is: ``python -m tests.studies.drift --repetitions 300``

Of histories: series of 30 commits whose values have noise of their own beside that of their samples. Of inputs: two
sets of normal features.
"""

from __future__ import annotations

from typing import Annotated

import numpy as np
import typer

from evalsuite.direct.drift import InputDrift, drift
from evalsuite.history.drift import Change, find_drift
from evalsuite.history.store import Series
from tests.history.test_drift import series

COMMITS, GROUPS = 30, 20
LEVEL, NOISE, SAMPLES_SE = 10.0, 0.4, 0.8
"""Noise between commits is 4 % of the value; the samples' is twice as large, and nine tenths of it is common."""

COMMON = 0.9
STEP_AT = 18
SIZES, DIM = (200, 300), 16


def history(random: np.random.Generator, levels: np.ndarray) -> Series:
    """Values around these levels, with the deviations of their groups, as runs would leave them."""
    shared = random.normal(0, COMMON**0.5, GROUPS)
    groups = shared + random.normal(0, (1 - COMMON) ** 0.5, (len(levels), GROUPS))
    groups *= SAMPLES_SE * GROUPS**0.5
    values = levels + random.normal(0, NOISE, len(levels)) + groups.mean(axis=1)
    return series(values, (groups - groups.mean(axis=1, keepdims=True)).astype(np.float32))


def alarms(repetitions: int, alpha: float, family: int) -> float:
    """Share of families of series without drift in which something is found."""
    found = []
    for seed in range(repetitions):
        random = np.random.default_rng([seed, family])
        every = [history(random, np.full(COMMITS, LEVEL)) for _ in range(family)]
        found.append(bool(find_drift(every, alpha, min_change=0.0, seed=seed).changes))
    return float(np.mean(found))


def found_at(repetitions: int, levels: np.ndarray) -> list[tuple[Change, ...]]:
    """What is found in each of so many series around these levels, at 1 %."""
    return [
        find_drift([history(np.random.default_rng([seed, 7]), levels)], seed=seed).changes
        for seed in range(repetitions)
    ]


def in_range(changes: tuple[Change, ...]) -> bool:
    """Whether the true step lies between the commits that are named."""
    (change,) = changes
    commits = [point.commit for point in change.series.points]
    return commits.index(change.last_good) < STEP_AT <= commits.index(change.first_bad)


def inputs(repetitions: int, shift: float, alpha: float) -> list[InputDrift]:
    """Two sets of features, the second of them moved in one direction."""
    found = []
    for seed in range(repetitions):
        random = np.random.default_rng([seed, 11])
        reference, current = (random.normal(size=(n, DIM)) for n in SIZES)
        current[:, 0] += shift
        found.append(drift(reference=reference, current=current, alpha=alpha, permutations=399, seed=seed))
    return found


def main(
    repetitions: Annotated[int, typer.Option(min=1, help="Of each row.")] = 300,
) -> None:
    """Print both tables."""
    typer.echo("| history | any change found |\n|---|---:|")
    for alpha, family in ((0.01, 1), (0.05, 1), (0.01, 20), (0.05, 20)):
        rate = alarms(max(1, repetitions if family == 1 else repetitions // 3), alpha, family)
        typer.echo(f"| no drift, {family} series at {alpha:g} | {rate:.1%} |")
    for percent in (5, 10, 15):
        levels = LEVEL * np.where(np.arange(COMMITS) < STEP_AT, 1, 1 + percent / 100)
        every = found_at(repetitions, levels)
        alone = [changes for changes in every if len(changes) == 1 and changes[0].kind == "step"]
        right = f"{np.mean([in_range(changes) for changes in alone]):.1%}" if alone else "none"
        typer.echo(
            f"| step of {percent} %: found; named range holds it | {np.mean([*map(bool, every)]):.1%}; {right} |"
        )
    for percent in (0.5, 1):
        every = found_at(repetitions, LEVEL * (1 + percent / 100) ** np.arange(COMMITS))
        typer.echo(f"| {percent:g} % a commit | {np.mean([*map(bool, every)]):.1%} |")
    typer.echo("\n| inputs | drift found at 5 % | interval of fid holds the truth |\n|---|---:|---:|")
    for shift in (0.0, 0.25, 0.5):
        results = inputs(repetitions, shift, 0.05)
        covers = [
            one.fid.interval.low <= shift**2 <= one.fid.interval.high for one in results if not isinstance(one.fid, str)
        ]
        rate = np.mean([one.drifted for one in results])
        typer.echo(f"| shift of {shift:g} standard deviations | {rate:.1%} | {np.mean(covers):.1%} |")


if __name__ == "__main__":
    typer.run(main)
