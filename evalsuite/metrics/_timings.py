"""What metrics of timings share: the scenario's raw values, and where they come from."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

import numpy as np
from pydantic import AfterValidator

from evalsuite import plugins
from evalsuite.errors import Skipped
from evalsuite.metrics._features import Floats
from evalsuite.metrics.contract import Estimate, TimingInputs
from evalsuite.records import Family, Scalar, Timings


def timings_of(inputs: TimingInputs, scenario: str, series: str = "") -> Timings:
    """The timings of a scenario.

    Raises:
        Skipped: nothing was timed in it.
    """
    timings = inputs.of(scenario, series)
    if timings is None or not any(timings.values):
        raise Skipped(f"nothing was measured in the scenario {scenario}" + (f" of {series}" if series else ""))
    return timings


def rounds_of(timings: Timings) -> list[Floats]:
    """Raw values of each round that has any, float64 ``[calls]``."""
    return [np.array(values, np.float64) for values in timings.values if values]


def estimate_of(
    timings: Timings, estimator: str, statistic: Callable[[Floats], Any], family: Family = Family.LATENCY
) -> Estimate:
    """A statistic of all calls; its replicates are that of each round."""
    rounds = rounds_of(timings)
    values = np.concatenate(rounds)
    return Estimate(
        value=float(statistic(values)),
        family=family,
        n=len(values),
        replicates=np.array([float(statistic(one)) for one in rounds]),
        protocol=protocol_of(timings, estimator),
        invalid=timings.reason,
    )


def protocol_of(timings: Timings, estimator: str) -> dict[str, Scalar]:
    """What made the number: two values compare only if measured under the same conditions."""
    environment = {f"environment.{key}": value for key, value in timings.environment.items()}
    return {
        "estimator": estimator,
        "scenario": timings.scenario,
        "schedule": timings.schedule,
        "batch_size": timings.batch_size,
        "warmups": timings.warmups,
        **environment,
    }


def named(scenario: str, **settings: Scalar) -> str:
    """A scenario with its settings as it is named everywhere: in the order of its fields, without defaults, and whole
    numbers without a point."""
    made = plugins.find("scenarios", scenario).model_validate(settings)
    changed = made.model_dump(mode="json", exclude_defaults=True)
    texts = [f"{name}={str(value).removesuffix('.0')}" for name, value in changed.items()]
    return ":".join(filter(None, [scenario, ",".join(texts)]))


def _canonical(text: str) -> str:
    plugins.accepted("scenarios", text)
    name, settings = plugins.parse(text)
    return named(name, **settings)


ScenarioText = Annotated[str, AfterValidator(_canonical)]
"""A scenario with its settings, as in ``offline:batch_size=4``."""
