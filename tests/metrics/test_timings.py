import numpy as np
import pytest
from pydantic import ValidationError

from evalsuite.errors import Skipped
from evalsuite.metrics.cold_start import ColdStart
from evalsuite.metrics.contract import TimingInputs
from evalsuite.metrics.latency import Latency
from evalsuite.metrics.peak_memory import PeakMemory
from evalsuite.metrics.stage_time import StageTime
from evalsuite.metrics.throughput import Throughput
from tests.metrics.inputs import timing_inputs

ROUNDS = np.arange(1, 97).reshape(12, 8) / 100.0


def test_latency_over_all_calls_and_by_round():
    found = Latency().compute(timing_inputs(ROUNDS.tolist()))
    assert found["p50"].value == pytest.approx(0.485)
    assert found["mean"].value == pytest.approx(0.485)
    assert found["p90"].value == pytest.approx(np.percentile(ROUNDS, 90))
    np.testing.assert_allclose(found["p50"].replicates, np.median(ROUNDS, axis=1))
    assert found["p50"].n == 96
    assert found["p99"] == "the 99th percentile needs at least 459 values, has 96"


def test_labels_are_those_it_promises():
    metric = Latency(percentiles=(50, 95))
    assert tuple(metric.compute(timing_inputs(ROUNDS.tolist()))) == metric.values == ("p50", "p95", "mean", "std")


@pytest.mark.parametrize(("percentile", "needed"), [(90, 44), (95, 90), (99, 459), (50, 7)])
def test_values_that_a_percentile_needs(percentile, needed):
    metric = Latency(percentiles=(percentile,))
    enough = metric.compute(timing_inputs([[1.0] * needed]))
    short = metric.compute(timing_inputs([[1.0] * (needed - 1)]))
    assert enough[f"p{percentile}"].value == 1
    assert str(needed) in short[f"p{percentile}"]


def test_rounds_may_differ_in_length_or_be_empty():
    found = Latency(percentiles=(50,)).compute(timing_inputs([[1.0] * 6, [], [3.0, 5.0]]))
    assert found["p50"].replicates.tolist() == [1, 4]


def test_throughput_is_images_over_the_time_of_all_calls():
    estimate = Throughput().compute(timing_inputs([[0.5, 0.5], [1.0, 2.0]], "offline", batch_size=64))[""]
    assert estimate.value == pytest.approx(4 * 64 / 4.0)
    assert estimate.replicates.tolist() == pytest.approx([128, 64 / 1.5])


def test_peak_memory_is_the_median_process():
    estimate = PeakMemory().compute(timing_inputs([[300e6], [310e6], [900e6]], "memory", batch_size=64))[""]
    assert estimate.value == 310e6
    assert estimate.replicates.tolist() == [300e6, 310e6, 900e6]
    assert estimate.n == 3


def test_peak_memory_of_a_device_with_its_own_is_a_second_value():
    sizes = {"": 3e8, "load": 2e8, "device": 2e9}
    series = [timing_inputs([[size]] * 3, "memory", series=name).timings[0] for name, size in sizes.items()]
    found = PeakMemory().compute(TimingInputs(tuple(series)))
    assert {value: estimate.value for value, estimate in found.items()} == sizes


@pytest.mark.parametrize("metric", [Latency, Throughput, PeakMemory, ColdStart, StageTime])
def test_what_was_not_timed_is_skipped(metric):
    with pytest.raises(Skipped, match=f"scenario {metric().scenarios[0]}"):
        metric().compute(TimingInputs(()))


def test_cold_start_is_the_median_process_and_its_parts():
    processes = {"": [5.0, 6.0, 9.0], "load": [4.0, 5.0, 7.0], "first_call": [1.0, 1.0, 2.0]}
    series = [
        timing_inputs([[value] for value in values], "cold_start", series=name).timings[0]
        for name, values in processes.items()
    ]
    found = ColdStart().compute(TimingInputs(tuple(series)))
    assert {value: estimate.value for value, estimate in found.items()} == {"": 6.0, "load": 5.0, "first_call": 1.0}
    assert found["load"].replicates.tolist() == processes["load"]


def stages(**seconds):
    series = [timing_inputs([[value] * 2] * 12, "stages", series=name) for name, value in seconds.items()]
    return TimingInputs(tuple(one.timings[0] for one in series))


def test_stages_are_means_that_add_up():
    parts = {"denoise": 3.0, "denoise_step": 0.75, "rest": 0.5, "request": 0.5}
    found = StageTime().compute(stages(plain=4.0, clock=9.0, waiting=0.5, **parts, **{"": 4.0}))
    assert {name: one.value for name, one in found.items()} == parts
    assert {one.warning for one in found.values()} == {""}


def test_probing_that_slows_the_calls_is_told():
    found = StageTime().compute(stages(plain=4.0, rest=4.2, **{"": 4.2}))
    assert found["rest"].warning == "probing slowed the calls by 5%"


def test_stage_that_is_not_in_every_call_has_no_mean():
    found = StageTime().compute(stages(plain=4.0, decode=0.0, rest=4.0, **{"": 4.0}))
    assert found["decode"] == "the model is not in the stage decode in every call"


def test_settings_of_a_scenario_are_checked_and_written_in_one_way():
    assert Throughput(scenario="offline:batch_size=4").scenarios == ("offline:batch_size=4",)
    with pytest.raises(ValidationError, match="did you mean 'offline'"):
        Throughput(scenario="ofline")
    with pytest.raises(ValidationError, match="found batch_size=0, expected"):
        Latency(scenario="offline:batch_size=0")


def test_standard_deviation_needs_rounds_with_a_spread():
    found = Latency().compute(timing_inputs(ROUNDS.tolist()))
    assert found["std"].value == pytest.approx(np.std(ROUNDS, ddof=1))
    np.testing.assert_allclose(found["std"].replicates, np.std(ROUNDS, axis=1, ddof=1))
    assert "at least 2 calls" in Latency().compute(timing_inputs([[1.0], [2.0]]))["std"]


def test_other_series_of_a_scenario_are_left_alone():
    parts = timing_inputs([[9.0] * 8] * 12, series="service").timings
    whole = timing_inputs([[1.0] * 8] * 12).timings
    assert Latency().compute(TimingInputs(parts + whole))["p50"].value == 1


def test_the_protocol_holds_the_conditions():
    protocol = Latency().compute(timing_inputs(ROUNDS.tolist()))["p50"].protocol
    assert protocol["scenario"] == "single_stream"
    assert protocol["schedule"] == "turns"
    assert protocol["batch_size"] == 1
    assert protocol["environment.threads"] == 2
