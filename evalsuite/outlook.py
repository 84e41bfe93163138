"""Before a run: what the gates of a suite will be able to decide, and whether all its stages can be run."""

from __future__ import annotations

import math
from itertools import islice
from pathlib import Path

from evalsuite.compare.baseline import BASELINES, load_all
from evalsuite.compare.looks import looks_of
from evalsuite.compare.power import GatePower, power_of_gates
from evalsuite.errors import UsageError
from evalsuite.pipeline.cells import least_samples
from evalsuite.pipeline.history import finished_records
from evalsuite.pipeline.plan import make_plan, with_samples
from evalsuite.suite.schema import Suite

MOST_RUNS = 5
"""Earlier runs of a suite that are asked for standard errors; older ones tell no more."""


def power(suite: Suite, baselines: str | Path = BASELINES) -> list[GatePower]:
    """What each gate of a suite can decide, from its latest runs below ``runs/``, newest first, and from baselines.

    Raises:
        RecordError: a baseline cannot be read.
    """
    if not suite.gates:
        return []
    own = ((name, record) for name, record in finished_records() if record.suite.get("suite") == suite.suite)
    return power_of_gates(suite, dict(islice(own, MOST_RUNS)), load_all(suite.suite, Path(baselines)))


def refuse_hopeless(suite: Suite, baselines: str | Path = BASELINES) -> list[GatePower]:
    """What each gate can decide, if none is known to be unable to; a suite that only warns is let through.

    Raises:
        UsageError: a margin lies below the effect that so many samples can detect; names the number that would do.
        RecordError: a baseline cannot be read.
    """
    powers = power(suite, baselines)
    hopeless = [gate for gate in powers if gate.hopeless]
    if not hopeless or suite.on_inconclusive == "warn":
        return powers
    most = looks_of(suite)[-1].num_samples
    raise UsageError(
        f"{suite.suite}: found {len(hopeless)} of {len(powers)} gates whose margin is smaller than what {most} samples "
        "can detect, expected a wider margin or more samples; to run all the same, write on_inconclusive: warn"
        + "".join(f"\n  {gate.gate}: {_remedy(gate)} (known from {gate.source})" for gate in hopeless)
    )


def _remedy(gate: GatePower) -> str:
    return "no number of samples would do" if gate.needed is None else f"about {gate.needed} samples would do"


def check_stages(suite: Suite, allow_code: bool = False) -> None:
    """Plan every later stage, so that the last does not fail when the first has taken an hour.

    Raises:
        UsageError: a number of samples does not fit the suite's prompts or inputs.
    """
    for look in looks_of(suite)[1:]:
        make_plan(with_samples(suite, look.num_samples), allow_code=allow_code)


def pilot_size(suite: Suite) -> int:
    """Samples of a pilot: a fifth of the suite's, but no fewer than the metrics of its gates can work with."""
    planned = suite.sampling.num_samples
    judged = [spec for spec in suite.metrics if any(gate.metric == spec.name for gate in suite.gates)]
    return min(planned, max(math.ceil(planned / 5), *(least_samples(spec) for spec in judged), 1))
