"""Repeated requests that are answered much faster than new ones."""

import pytest

from evalsuite.profiling.cache_audit import cached_share


@pytest.mark.parametrize(
    ("pairs", "share"),
    [
        ([(1.0, 0.01), (1.0, 0.02), (2.0, 0.02)], 0.01),
        ([(1.0, 0.7), (1.0, 0.7), (1.0, 0.7)], 0.7),
        ([(1.0, 0.9), (1.0, 0.9), (1.0, 0.9)], None),
        ([(1.0, 0.1), (1.0, 0.1), (1.0, 1.1)], None),
        ([(1.0, 1.0)] * 3, None),
        ([(3e-5, 1e-5)] * 3, None),
    ],
    ids=["cache", "partial cache", "a little faster", "one of them slower", "equal", "no time at all"],
)
def test_what_shows_a_cache(pairs: list[tuple[float, float]], share: float | None) -> None:
    assert cached_share(pairs) == share
