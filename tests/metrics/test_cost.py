"""Dollars from a price and a throughput."""

from dataclasses import replace

import numpy as np
import pytest

from evalsuite.errors import Skipped
from evalsuite.metrics.contract import TimingInputs
from evalsuite.metrics.cost import Cost
from evalsuite.metrics.throughput import Throughput
from tests.metrics.inputs import timing_inputs

ROUNDS = [[0.5, 0.5], [1.0, 2.0], [0.8, 0.8]]


def test_price_over_throughput():
    inputs = replace(timing_inputs(ROUNDS, "offline", batch_size=64), price_per_hour=3.6)
    cost, throughput = (metric().compute(inputs)[""] for metric in (Cost, Throughput))
    assert cost.value == pytest.approx(3.6 / 3600 * 1000 / throughput.value)
    np.testing.assert_allclose(cost.replicates, 1 / throughput.replicates)
    assert cost.protocol["environment.price_per_hour"] == 3.6


def test_a_target_without_a_price():
    with pytest.raises(Skipped, match="price_per_hour"):
        Cost().compute(timing_inputs(ROUNDS, "offline"))


def test_nothing_timed():
    with pytest.raises(Skipped, match="offline"):
        Cost().compute(TimingInputs((), price_per_hour=1.0))
