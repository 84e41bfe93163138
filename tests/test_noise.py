import numpy as np
import pytest
import torch
from scipy.stats import kstest, t

from evalsuite.noise import draw, initial_noise
from evalsuite.records import NoiseSpec

SHAPE = (1, 16, 16)
SEEDS = np.arange(200)
KINDS = {
    "student_t": NoiseSpec(kind="student_t", amount=5),
    "low_pass": NoiseSpec(kind="low_pass", amount=0.5),
    "tiled": NoiseSpec(kind="tiled", amount=2),
}


def test_normal_noise_is_what_torch_draws():
    noise = initial_noise([3, 4], SHAPE)
    assert noise.dtype == torch.float32
    assert torch.equal(noise[1], torch.randn(SHAPE, generator=torch.Generator().manual_seed(4)))
    assert torch.equal(initial_noise([3], SHAPE, NoiseSpec(1.5))[0], noise[0] * 1.5)


@pytest.mark.parametrize("spec", KINDS.values(), ids=KINDS)
def test_changed_noise_has_variance_one_and_depends_on_the_sample_alone(spec):
    noise = initial_noise(SEEDS, SHAPE, spec)
    assert abs(float(noise.var()) - 1) < 0.05
    assert torch.equal(noise[7:8], initial_noise([7], SHAPE, spec))
    assert not torch.equal(noise, initial_noise(SEEDS, SHAPE))


@pytest.mark.parametrize("spec", KINDS.values(), ids=KINDS)
def test_a_generator_stands_where_it_would_without_the_change(spec):
    plain, changed = torch.Generator().manual_seed(1), torch.Generator().manual_seed(1)
    draw([plain], SHAPE)
    draw([changed], SHAPE, spec)
    assert torch.equal(torch.randn(5, generator=plain), torch.randn(5, generator=changed))


def test_heavy_tails_are_students():
    values = initial_noise(SEEDS, SHAPE, KINDS["student_t"]).double().numpy().ravel()
    assert kstest(values * np.sqrt(5 / 3), t(5).cdf).pvalue > 0.01
    assert abs(values).max() > 6


def test_low_pass_noise_has_no_high_frequencies():
    power = np.abs(np.fft.fft2(initial_noise(SEEDS, SHAPE, KINDS["low_pass"]).numpy())) ** 2
    frequency = np.hypot(*np.meshgrid(*[np.fft.fftfreq(16) * 2] * 2))
    assert power[..., frequency > 0.5].max() < 1e-6 * power[..., frequency <= 0.5].mean()
    assert np.allclose(initial_noise([1], SHAPE, NoiseSpec(kind="low_pass", amount=2)), initial_noise([1], SHAPE))


@pytest.mark.parametrize(("shape", "times"), [((1, 16, 16), 4), ((2, 7, 9), 2), ((20,), 3)])
def test_tiled_noise_repeats_its_corner(shape, times):
    noise = initial_noise([1], shape, NoiseSpec(kind="tiled", amount=times))[0].numpy()
    assert noise.shape == shape
    plane = shape[-2:]
    corner = noise[(..., *(slice(0, -(-size // times)) for size in plane))]
    whole = np.tile(corner, [1] * (len(shape) - len(plane)) + [times] * len(plane))
    assert np.array_equal(noise, whole[(..., *(slice(0, size) for size in plane))])


def test_noise_without_height_and_width_is_not_mixed_between_samples():
    spec = NoiseSpec(kind="low_pass", amount=0.5)
    together = initial_noise([1, 2], (32,), spec)
    assert torch.allclose(together[1], initial_noise([2], (32,), spec)[0])
