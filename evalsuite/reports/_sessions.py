"""Raw timings in the order that figures and tables show them: by target and scenario, models in their order."""

from __future__ import annotations

import math
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from evalsuite.records import RunRecord, Timings
from evalsuite.reports._models import Model, models, places

Values = NDArray[np.float64]


@dataclass(frozen=True)
class Timed:
    """One model under one scenario.

    Attributes:
        model: which.
        timings: the scenario's own series, or its first.
        series: finite values of each series over all rounds, by name; "" is the scenario's own.
    """

    model: Model
    timings: Timings
    series: Mapping[str, Values]

    @property
    def values(self) -> Values:
        """Of the scenario's own series."""
        return self.series.get("", np.empty(0))


def sessions(record: RunRecord) -> dict[str, dict[str, list[Timed]]]:
    """What was timed over all samples, by target and scenario; models that no cell names are left out."""
    by_name, where = {model.name: model for model in models(record)}, places(record)
    found: dict[str, dict[str, dict[str, list[Timings]]]] = {}
    for timings in record.timings:
        place = where[timings.case_key]
        if place.model in by_name and place.slice == "all":
            session = found.setdefault(place.target, {}).setdefault(timings.scenario, {})
            session.setdefault(place.model, []).append(timings)
    return {
        target: {
            scenario: [_timed(model, session[name]) for name, model in by_name.items() if name in session]
            for scenario, session in scenarios.items()
        }
        for target, scenarios in found.items()
    }


def _timed(model: Model, all_series: list[Timings]) -> Timed:
    own = next((timings for timings in all_series if not timings.series), all_series[0])
    return Timed(model, own, {timings.series: _finite(timings) for timings in all_series})


def _finite(timings: Timings) -> Values:
    values = np.array([value for one_round in timings.values for value in one_round], dtype=np.float64)
    return values[np.isfinite(values)]


def kind_of(scenario: str) -> str:
    """``server:rate=20`` is a ``server``."""
    return scenario.partition(":")[0]


def setting(scenario: str, name: str) -> float | None:
    """The number behind a setting: 20 for ``rate`` of ``server:rate=20``; None where there is none above 0."""
    for one in scenario.partition(":")[2].split(","):
        key, _, text = one.partition("=")
        if key == name:
            with suppress(ValueError):
                value = float(text)
                return value if 0 < value < math.inf else None
    return None


def scenario_title(scenario: str) -> str:
    """``server:rate=20`` as "Server, rate 20"."""
    name, _, settings = scenario.partition(":")
    told = [setting.replace("=", " ").replace("_", " ") for setting in settings.split(",") if setting]
    return ", ".join([name.replace("_", " ").capitalize(), *told])
