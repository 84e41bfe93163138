import numpy as np
import pytest

from evalsuite.metrics import _square_root
from evalsuite.metrics._square_root import TOLERANCE, change_of_trace, nodes, sum_of_roots, trace_of_root


@pytest.mark.parametrize("low", [0.9, 0.1, 1e-6, 1e-12, 1e-24])
def test_nodes_approximate_the_inverse_root_within_tolerance(low):
    nodes_, weights = nodes(3 * low, 3.0)
    x = np.geomspace(3 * low, 3, 2001)
    found = (weights / (x[:, None] + nodes_)).sum(axis=1)
    assert np.abs(found * np.sqrt(x) - 1).max() < TOLERANCE


def downdate(rank, rows, samples, spread=1.0, seed=0):
    """The scatter of samples on its eigenbasis, and some rows of them."""
    random = np.random.default_rng(seed)
    x = random.standard_t(5, (samples, rank)) * np.geomspace(1, spread, rank)
    values, vectors = np.linalg.eigh(x.T @ x)
    return values, (x @ vectors)[:rows]


@pytest.mark.parametrize(
    ("rank", "rows", "samples", "spread"),
    [(300, 40, 2000, 1.0), (300, 40, 2000, 1e-3), (300, 16, 317, 1.0), (300, 16, 320, 1e-4), (40, 1, 100, 1e-6)],
)
def test_the_change_is_that_of_all_eigenvalues(rank, rows, samples, spread):
    values, removed = downdate(rank, rows, samples, spread)
    left = np.linalg.eigvalsh(np.diag(values) - removed.T @ removed)
    exact = np.sqrt(left.clip(min=0)).sum() - np.sqrt(values).sum()
    assert change_of_trace(values, removed) == pytest.approx(exact, rel=2e-5)


@pytest.mark.parametrize("rows", [20, 76])
def test_few_rows_of_a_large_matrix_leave_by_the_rational_form_and_many_exactly(monkeypatch, rows):
    values, removed = downdate(300, rows, 900)
    called = []
    monkeypatch.setattr(_square_root, "change_of_trace", lambda *given: called.append(given) or change_of_trace(*given))
    found = trace_of_root(values, removed, rank=900 - rows)
    exact = sum_of_roots(np.linalg.eigvalsh(np.diag(values) - removed.T @ removed), 300)
    assert found == pytest.approx(exact, rel=1e-7)
    assert len(called) == (rows == 20)


def test_what_becomes_singular_is_exact():
    """The rows span directions that nothing else has, so rounding may make what is left indefinite."""
    values = np.geomspace(1, 1e-14, 300)
    removed = np.zeros((20, 300))
    removed[np.arange(20), np.arange(280, 300)] = np.sqrt(values[280:]) * (1 + 1e-12)
    assert trace_of_root(values, removed, rank=300) == pytest.approx(np.sqrt(values[:280]).sum(), rel=1e-6)


def test_rounding_is_not_rooted():
    random = np.random.default_rng(0)
    thin = random.normal(size=(100, 5))
    eigenvalues = np.linalg.eigvalsh(thin @ thin.T)
    expected = np.linalg.svd(thin, compute_uv=False).sum()
    assert sum_of_roots(eigenvalues, 5) == pytest.approx(expected, rel=1e-12)
    assert sum_of_roots(eigenvalues, 99) == pytest.approx(expected, rel=1e-7)
    assert sum_of_roots(np.zeros(0), 3) == sum_of_roots(np.zeros(4), 3) == 0
