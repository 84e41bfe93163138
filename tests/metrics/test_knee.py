"""The knee of sweeps whose curve is known."""

import pytest
from pydantic import ValidationError

from evalsuite.errors import Skipped
from evalsuite.metrics.contract import TimingInputs
from evalsuite.metrics.knee import Knee
from tests.metrics.inputs import timing_inputs

SIZES = (1, 2, 4, 8, 16, 32)


def sweep(seconds, rounds=12):
    """A batch of each size takes as long as the function of its size says."""
    scenarios = zip(Knee().scenarios, SIZES, strict=True)
    return TimingInputs(
        tuple(timing_inputs([[seconds(n)]] * rounds, name, batch_size=n).timings[0] for name, n in scenarios)
    )


def knee(seconds, **settings):
    return Knee(**settings).compute(sweep(seconds))[""]


def test_a_fixed_cost_beside_that_of_an_image():
    """Throughput is n / (a + b n): with a = 4 b, 8 images reach 67 %, 16 reach 80 % and 32 reach 89 % of the limit."""
    found = knee(lambda n: 0.04 + 0.01 * n)
    assert found.value == 32
    assert found.warning == "throughput still grows at the largest batch size of the sweep, 32"
    assert knee(lambda n: 0.04 + 0.01 * n, tolerance="11%").value == 16
    assert knee(lambda n: 0.04 + 0.01 * n, tolerance=0.26).value == 8


def test_a_device_that_is_full():
    found = knee(lambda n: 0.1 * max(1, n / 8))
    assert (found.value, found.warning) == (8, "")
    assert found.replicates.tolist() == [8] * 12
    assert found.protocol["batch_sizes"] == "1,2,4,8,16,32"


def test_larger_batches_that_are_slower():
    assert knee(lambda n: 0.01 * n**1.5).value == 1


def test_a_size_that_was_not_measured():
    timings = sweep(lambda n: 0.01 * n).timings
    with pytest.raises(Skipped, match="offline:batch_size=32"):
        Knee().compute(TimingInputs(timings[:-1]))


@pytest.mark.parametrize("sizes", [(4,), (4, 2), (2, 2), (0, 1)])
def test_sweeps_that_are_none(sizes):
    with pytest.raises(ValidationError):
        Knee(batch_sizes=sizes)
