"""A bundled model in all scenarios of requests, frames, energy and size: from a suite to measurements."""

from __future__ import annotations

import pytest

from evalsuite.executors.local import Local
from evalsuite.models.zoo import checkpoint
from evalsuite.pipeline.plan import make_plan
from evalsuite.pipeline.profile import Profiled, profile
from evalsuite.records import Timings
from evalsuite.store import Store
from evalsuite.suite.schema import Suite

METRICS = {
    "server_latency": {"rate": 60, "percentiles": [50]},
    "server_rate": {"bound": 0.5, "percentile": 50},
    "deadline_misses": {"fps": 40},
    "knee": {"batch_sizes": [1, 2]},
    "energy": {},
    "flops": {},
}
SUITE = {
    "suite": "scenarios",
    "task": "class_conditional",
    "reference": {"dataset": "fashion-mnist"},
    "sampling": {"num_samples": 4},
    "models": {"student": {"role": "student", "adapter": "zoo", "settings": {"name": "fashion-1step"}}},
    "targets": {"cpu": {"device": "cpu", "settings": {"threads": 1, "batch_size": 2}}},
    "metrics": [{"name": name, "metric": name, "settings": settings} for name, settings in METRICS.items()],
}


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Profiled:
    """What there is after one session with real processes."""
    suite, store = Suite.model_validate(SUITE), Store(tmp_path_factory.mktemp("cache"))
    return profile(suite, make_plan(suite), executor=Local(), store=store, listener=lambda event: None, profile="ci")


def noted(found: Profiled, scenario: str, series: str = "") -> Timings:
    (timings,) = [t for t in found.timings if t.scenario.partition(":")[0] == scenario and t.series == series]
    return timings


def test_requests_are_answered_in_every_round(found: Profiled) -> None:
    response, service = noted(found, "server"), noted(found, "server", "service")
    assert [len(values) for values in response.values] == [15] * 12
    assert (response.unit, response.batch_size, response.schedule) == ("s", 1, "turns")
    for responses, services in zip(response.values, service.values, strict=True):
        assert all(there >= working for there, working in zip(responses, services, strict=True))


def test_the_search_finds_a_rate_in_every_round(found: Profiled) -> None:
    rates = noted(found, "server_search")
    assert [len(values) for values in rates.values] == [1] * 12
    assert all(rate > 0 for (rate,) in rates.values)
    assert [rates.unit, noted(found, "server_search", "observed").unit] == ["1/s", "s"]


def test_frames_follow_one_another(found: Profiled) -> None:
    delays, shown = noted(found, "realtime"), noted(found, "realtime", "shown")
    assert [len(values) for values in delays.values] == [10] * 12
    assert all(values == sorted(values) for values in shown.values)


def test_a_sweep_has_its_batch_sizes(found: Profiled) -> None:
    sweep = [t for t in found.timings if t.scenario.startswith("offline") and not t.series]
    assert [t.batch_size for t in sweep] == [1, 2]


def test_the_network_is_counted_once(found: Profiled) -> None:
    (parameters,) = noted(found, "footprint", "parameters").values
    assert parameters == [sum(tensor.numel() for tensor in checkpoint.load("fashion-1step").parameters())]
    assert noted(found, "footprint", "flops").values[0][0] > 2e8
    assert noted(found, "footprint", "bytes").unit == "bytes"


def test_energy_is_measured_or_said_to_be_missing(found: Profiled) -> None:
    gaps = [gap for gap in found.missing if gap.name == "energy"]
    if gaps:
        assert [gap.kind for gap in gaps] == ["unavailable"]
        assert "energy counter" in gaps[0].reason
    else:
        assert noted(found, "energy").unit == "J"
    assert [gap.name for gap in found.missing] == [gap.name for gap in gaps]
