"""What holds for every metric, found by its plug-in name: a new metric is tested as soon as its file is there."""

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from pydantic import ValidationError

from evalsuite import plugins
from evalsuite.metrics.contract import (
    Estimate,
    FeatureInputs,
    FeaturePairInputs,
    ImageInputs,
    Inputs,
    PairInputs,
    TimingInputs,
)
from evalsuite.records import Family, TextFeatures
from tests.metrics.inputs import (
    clouds,
    feature_inputs,
    feature_pair_inputs,
    images,
    noisy,
    pair_inputs,
    timing_inputs,
)

N = 240
LABELS = np.arange(N) % 4

METRICS = {name: plugins.find("metrics", name) for name in plugins.names("metrics")}
BY_SAMPLE = [name for name, metric in METRICS.items() if metric.inputs != Inputs.TIMINGS]
PERFECT = {"fid": 0.0, "fid_debiased": None, "fid_infinity": None, "kid": None, "cmmd": None,
           "inception_score": 4.0, "precision": 1.0, "recall": 1.0,
           "density": 1.2, "coverage": 1.0, "authenticity": 0.0, "class_accuracy": 1.0, "psnr": 100.0, "ssim": 1.0,
           "ms_ssim": 1.0, "feature_distance": 0.0, "spectrum_distance": None,
           "lpips": 0.0, "dists": 0.0, "clip_score": 100.0, "vendi": 3.98256571, "diversity": 7.54176856,
           "posterior_diversity": 0.09362973}  # fmt: skip
"""Values where candidate and reference are the same; None where an unbiased estimate is only near 0."""


SETTINGS = {
    "ServerLatency": {"rate": 20}, "ServerRate": {"bound": 0.1}, "DeadlineMisses": {"fps": 1}, "Jitter": {"fps": 1},
    "LongestStall": {"fps": 1},
}  # fmt: skip
"""Of metrics by their class, where a setting has no default."""

SERIES = (
    "", "shown", "load", "first_call", "parameters", "flops", "bytes", "nfe",
    "plain", "text_encoder", "denoise", "denoise_step", "decode", "rest",
)  # fmt: skip
"""What scenarios note."""

UNITS = ("", "dB", "s", "bytes", "images", "images/s", "requests/s", "J", "USD", "FLOPs", "parameters")
UNDIRECTED = {"knee"}
RISES = {"authenticity"}
"""With the distance from the reference, although more of it is better."""


def inputs_of(metric, damage=0.0):
    """Inputs of the metric's kind; 0 is perfect, and more is worse."""
    if metric.inputs == Inputs.FEATURES:
        reference = clouds(N)[0]
        generated = reference * (1 - 0.3 * damage) + damage
        sure = 40.0 if damage == 0 else 3 / (1 + damage)
        answers = np.where(np.random.default_rng(3).uniform(size=N) < 0.3 * damage, (LABELS + 1) % 4, LABELS)
        logits = sure * np.eye(4, dtype=np.float32)[answers]
        groups = np.arange(N) // 4 % 20
        found = feature_inputs(generated, reference, logits.astype(np.float32), LABELS, groups=groups)
        texts = TextFeatures(reference.astype(np.float32), np.zeros(N, bool))
        return replace(found, asked=LABELS, texts=texts)
    if metric.inputs == Inputs.FEATURE_PAIRS:
        mine, theirs = clouds(30, m=30)
        return feature_pair_inputs(theirs + damage * mine, theirs)
    if metric.inputs == Inputs.PAIRS:
        pictures = images(30, size={"MsSsim": 176, "Lpips": 64}.get(metric.__name__, 28))
        return pair_inputs(noisy(pictures, 20 * damage), pictures)
    if metric.inputs == Inputs.IMAGES:
        pictures = images(30)
        faded = ((pictures.astype(float) - 128) / (1 + damage) + 128).astype(np.uint8)
        return ImageInputs(np.arange(30), faded, started_from=np.arange(30) % 10)
    calls = np.random.default_rng(0).uniform(0.2, 1.2, (20, 25)) * (1 + damage)
    calls = 1 / calls if metric.higher_is_better and metric.unit == "requests/s" else calls
    noted = {series: calls.cumsum(axis=1) if series == "shown" else calls for series in SERIES}
    timings = [
        timing_inputs(values.tolist(), scenario, series=series).timings[0]
        for scenario in made(metric).scenarios
        for series, values in noted.items()
    ]
    return TimingInputs(tuple(timings), price_per_hour=1.0)


def made(metric):
    return metric(**SETTINGS.get(metric.__name__, {}))


def estimates(metric, inputs):
    found = made(metric).compute(inputs)
    assert all(isinstance(value, Estimate) for value in found.values())
    return found


@pytest.mark.parametrize("name", METRICS)
def test_it_says_what_it_is(name):
    metric = METRICS[name]
    assert metric.__doc__
    assert metric.paper
    assert metric.unit in UNITS
    assert metric.higher_is_better in ((None,) if name in UNDIRECTED else (True, False))
    assert metric.compute.__doc__
    assert sys.modules[metric.__module__].__doc__


@pytest.mark.parametrize("name", METRICS)
def test_unknown_settings_are_refused(name):
    with pytest.raises(ValidationError, match="unknown_setting"):
        METRICS[name].model_validate({"unknown_setting": 1})


@pytest.mark.parametrize("name", BY_SAMPLE)
def test_the_perfect_candidate(name):
    value = estimates(METRICS[name], inputs_of(METRICS[name]))[""].value
    expected = PERFECT[name]
    if expected is None:
        assert abs(value) < 0.2
    else:
        assert value == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("name", sorted(METRICS.keys() - UNDIRECTED - RISES))
def test_damage_moves_the_value_the_right_way(name):
    metric = METRICS[name]
    series = [estimates(metric, inputs_of(metric, damage)) for damage in (0.2, 0.6, 1.5)]
    for label in series[0]:
        values = np.array([found[label].value for found in series])
        steps = np.diff(values)
        assert (steps < 0 if metric.higher_is_better else steps > 0).all(), (label, values)


@pytest.mark.parametrize("name", METRICS)
def test_the_same_input_gives_the_same_bits(name):
    first, second = (estimates(METRICS[name], inputs_of(METRICS[name], 0.5)) for _ in range(2))
    for label, estimate in first.items():
        assert estimate.value == second[label].value
        for field in ("per_sample", "replicates", "group_sizes"):
            np.testing.assert_array_equal(getattr(estimate, field), getattr(second[label], field))


@pytest.mark.parametrize("name", BY_SAMPLE)
def test_the_order_of_samples_does_not_matter(name):
    metric = METRICS[name]
    inputs = inputs_of(metric, 0.5)
    order = np.random.default_rng(0).permutation(N if metric.inputs == Inputs.FEATURES else 30)
    (plain,) = estimates(metric, inputs).values()
    (mixed,) = estimates(metric, reordered(inputs, order)).values()
    assert mixed.value == pytest.approx(plain.value, rel=1e-9)
    if plain.per_sample is not None:
        np.testing.assert_allclose(mixed.per_sample, plain.per_sample[order], rtol=1e-9)
    if plain.replicates is not None:
        np.testing.assert_allclose(mixed.replicates, plain.replicates, rtol=1e-9)


def reordered(inputs, order):
    if isinstance(inputs, FeatureInputs):
        generated, reference = inputs.generated.select(order), inputs.reference.select(order[::-1])
        texts, groups, asked = inputs.texts.select(order), inputs.groups[order], inputs.asked[order]
        return replace(inputs, generated=generated, reference=reference, groups=groups, asked=asked, texts=texts)
    if isinstance(inputs, FeaturePairInputs):
        return FeaturePairInputs(inputs.a.select(order), inputs.b.select(order))
    if isinstance(inputs, ImageInputs):
        return ImageInputs(inputs.sample_ids[order], inputs.images[order], started_from=inputs.started_from[order])
    return PairInputs(inputs.sample_ids[order], inputs.a[order], inputs.b[order])


@pytest.mark.parametrize("name", METRICS)
def test_estimates_carry_what_their_family_needs(name):
    for estimate in estimates(METRICS[name], inputs_of(METRICS[name], 0.5)).values():
        assert np.isfinite(estimate.value)
        assert estimate.protocol["estimator"]
        if estimate.family in (Family.MEAN, Family.PROPORTION, Family.MMD):
            assert estimate.per_sample.shape == (estimate.n,)
            assert estimate.per_sample.dtype == np.float64
            assert np.isfinite(estimate.per_sample).all()
        elif estimate.family is not Family.COUNT:
            assert estimate.replicates.dtype == np.float64
            assert np.isfinite(estimate.replicates).all()
        if estimate.family in (Family.MEAN, Family.PROPORTION):
            assert estimate.per_sample.mean() == pytest.approx(estimate.value)
        if estimate.family in (Family.FRECHET, Family.FRECHET_DEBIASED, Family.JACKKNIFE):
            assert len(estimate.replicates) == len(estimate.group_sizes) == 20
            assert estimate.group_sizes.sum() == estimate.n


@pytest.mark.parametrize("name", [name for name, m in METRICS.items() if m.inputs == Inputs.TIMINGS])
def test_a_broken_protocol_is_told(name):
    inputs = inputs_of(METRICS[name])
    timings = tuple(t.model_copy(update={"valid": False, "reason": "busy machine"}) for t in inputs.timings)
    for estimate in estimates(METRICS[name], replace(inputs, timings=timings)).values():
        assert estimate.invalid == ("" if estimate.family is Family.COUNT else "busy machine")


def test_metrics_need_no_torch():
    program = """
import sys
from evalsuite import plugins
for name in plugins.names("metrics"):
    plugins.find("metrics", name)
print([module for module in ("torch", "torchmetrics", "skimage") if module in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
