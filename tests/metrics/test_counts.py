"""Exact numbers of a footprint, each from its series."""

import pytest

from evalsuite.errors import Skipped
from evalsuite.metrics.contract import TimingInputs
from evalsuite.metrics.flops import Flops
from evalsuite.metrics.model_size import ModelSize
from evalsuite.metrics.nfe import Nfe
from evalsuite.metrics.num_parameters import NumParameters
from evalsuite.records import Family
from tests.metrics.inputs import timing_inputs

SERIES = {NumParameters: "parameters", Flops: "flops", ModelSize: "bytes", Nfe: "nfe"}
LACKING = {
    NumParameters: "does not show its networks", Flops: "PyTorch counted none", ModelSize: "does not know its files",
    Nfe: "its setting nfe can",
}  # fmt: skip


def counted(**numbers):
    (own,) = timing_inputs([[1.0]], "footprint").timings
    series = {"": 1.0, **numbers}
    return TimingInputs(
        tuple(own.model_copy(update={"series": name, "values": [[value]]}) for name, value in series.items())
    )


@pytest.mark.parametrize("metric", SERIES)
def test_a_number_is_exact_wherever_it_was_counted(metric):
    found = metric().compute(counted(**{SERIES[metric]: 1784.0}))[""]
    assert (found.value, found.family, found.n) == (1784, Family.COUNT, 1)
    assert found.protocol == {"estimator": "exact count", "scenario": "footprint"}


@pytest.mark.parametrize("metric", SERIES)
def test_a_model_without_this_number(metric):
    others = {series: 1.0 for other, series in SERIES.items() if other is not metric}
    with pytest.raises(Skipped, match=LACKING[metric]):
        metric().compute(counted(**others))


@pytest.mark.parametrize("metric", SERIES)
def test_nothing_counted(metric):
    with pytest.raises(Skipped, match="nothing was measured in the scenario footprint"):
        metric().compute(TimingInputs(()))
