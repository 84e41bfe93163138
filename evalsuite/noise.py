"""The initial noise of samples, standard normal or as a slice changes it: the same for every model adapter."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from evalsuite.records import NoiseSpec

if TYPE_CHECKING:
    import torch
    from torch import Tensor


def initial_noise(seeds: Iterable[int], shape: tuple[int, ...], spec: NoiseSpec = NoiseSpec()) -> Tensor:
    """Noise of each sample from a CPU generator of its own, so that it does not depend on the batch.

    Args:
        seeds: one seed a sample, 0 to 2**63 - 1; an array of them will do.
        shape: of one sample, its last two axes height and width, if there are as many; 16 elements or more (below that,
            ``torch.randn`` draws differently).
        spec: how it differs from a standard normal.

    Returns:
        float32 ``[len(seeds), *shape]``, on the CPU.
    """
    import torch

    return draw([torch.Generator().manual_seed(int(seed)) for seed in seeds], shape, spec)


def draw(generators: Sequence[torch.Generator], shape: tuple[int, ...], spec: NoiseSpec = NoiseSpec()) -> Tensor:
    """As :func:`initial_noise`, from generators that may be drawn from again afterwards.

    Every kind is made of one standard normal draw, so that a generator stands where it would stand without the change,
    and changed noise still resembles the unchanged.
    """
    import torch

    normal = torch.stack([torch.randn(shape, generator=generator) for generator in generators])
    kinds = {"normal": lambda x, _: x, "student_t": _student_t, "low_pass": _low_pass, "tiled": _tiled}
    changed: Tensor = kinds[spec.kind](normal, spec.amount)
    return changed if spec.scale == 1.0 else changed * spec.scale


def _student_t(normal: Tensor, freedom: float) -> Tensor:
    """Each value at its own quantile of Student's t with ``freedom`` > 2, divided by its standard deviation."""
    import torch
    from scipy.stats import norm, t

    # By the upper tail of the absolute value, whose digits survive far out.
    values = normal.double().numpy()
    tails = t.isf(norm.sf(abs(values)), freedom) * ((freedom - 2) / freedom) ** 0.5
    return torch.from_numpy(tails).copysign(normal.double()).to(normal.dtype)


def _low_pass(normal: Tensor, share: float) -> Tensor:
    """Frequencies up to ``share`` of the highest of each axis, as an ellipse; amplified, so that the variance is 1."""
    import torch

    sizes = _plane(normal)
    axes = tuple(range(-len(sizes), 0))
    grid = torch.meshgrid(*(torch.fft.fftfreq(size) * 2 for size in sizes), indexing="ij")
    kept = torch.stack(grid).square().sum(0).sqrt() <= share
    smooth = torch.fft.ifftn(torch.fft.fftn(normal.double(), dim=axes) * kept, dim=axes).real
    whole: Tensor = (smooth * (kept.numel() / kept.sum()).sqrt()).to(normal.dtype)
    return whole


def _tiled(normal: Tensor, times: float) -> Tensor:
    """The upper left corner, ``times`` times on each axis; what does not fit is cut off."""
    tiled = normal
    for axis, size in enumerate(_plane(normal), start=normal.dim() - len(_plane(normal))):
        corner = tiled.narrow(axis, 0, -(-size // int(times)))
        repeats = [int(times) if other == axis else 1 for other in range(normal.dim())]
        tiled = corner.repeat(*repeats).narrow(axis, 0, size)
    return tiled.contiguous()


def _plane(normal: Tensor) -> tuple[int, ...]:
    """Height and width of noise ``[B, ..., H, W]``, or the length of noise ``[B, L]`` that has none."""
    return tuple(normal.shape[1:][-2:])
