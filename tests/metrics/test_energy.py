"""Joules by round."""

import pytest

from evalsuite.errors import Skipped
from evalsuite.metrics.contract import TimingInputs
from evalsuite.metrics.energy import Energy
from tests.metrics.inputs import timing_inputs


def test_the_mean_of_the_rounds_and_what_was_counted():
    units = {"": "J", "package-0": "J", "dram": "J", "clock": "s"}
    noted = [timing_inputs([[3.0], [5.0]], "energy", series=name).timings[0] for name in units]
    series = [t.model_copy(update={"unit": unit}) for t, unit in zip(noted, units.values(), strict=True)]
    found = Energy().compute(TimingInputs(tuple(series)))[""]
    assert found.value == 4
    assert found.replicates.tolist() == [3, 5]
    assert found.protocol["environment.energy_of"] == "dram+package-0"


def test_nothing_measured():
    with pytest.raises(Skipped, match="energy"):
        Energy().compute(TimingInputs(()))
