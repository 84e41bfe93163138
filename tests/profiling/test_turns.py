"""Models take turns forwards and backwards, and processes share the rounds."""

import pytest

from evalsuite.profiling.turns import PROCESSES, in_turns, shares


def test_order_of_three_models_and_five_rounds() -> None:
    assert "".join(model for _, model in in_turns("ABC", range(5))) == "ABCABCCBACBAABC"
    assert [turn for turn, _ in in_turns("ABC", range(2))] == [0, 0, 0, 1, 1, 1]


def test_rounds_go_on_in_another_process() -> None:
    assert [*in_turns("AB", range(3)), *in_turns("AB", range(3, 5))] == list(in_turns("AB", range(5)))


def test_linear_drift_falls_on_all_models_alike() -> None:
    positions: dict[str, list[int]] = {model: [] for model in "ABCD"}
    for position, (_, model) in enumerate(in_turns("ABCD", range(12))):
        positions[model].append(position)
    assert len({sum(places) for places in positions.values()}) == 1


def test_what_slows_a_moment_leaves_neighbouring_rounds_independent() -> None:
    """Noise whose correlation falls with distance in time: over neighbours, the ratios' covariances sum to 0."""
    order = list(in_turns("AB", range(5)))
    at = {turn: position for position, turn in enumerate(order)}

    def covariance(one: int, other: int) -> float:
        signs = {"A": -1, "B": 1}
        return sum(signs[a] * signs[b] * 0.5 ** abs(at[one, a] - at[other, b]) for a in "AB" for b in "AB")

    neighbours = [covariance(turn, turn + 1) for turn in range(4)]
    assert neighbours[0] < 0 < neighbours[1]
    assert sum(neighbours) == pytest.approx(0)


@pytest.mark.parametrize(("rounds", "processes"), [(12, 4), (12, 5), (3, 4), (1, 1)])
def test_shares_are_all_rounds_in_their_order_and_nearly_equal(rounds: int, processes: int) -> None:
    found = shares(rounds, processes)
    assert [turn for share in found for turn in share] == list(range(rounds))
    assert len(found) == min(rounds, processes)
    assert max(map(len, found)) - min(map(len, found)) <= 1


def test_longer_profiles_have_more_processes() -> None:
    assert 1 < PROCESSES["ci"] < PROCESSES["standard"] < PROCESSES["strict"]


def test_one_model_and_none() -> None:
    assert list(in_turns("A", range(2))) == [(0, "A"), (1, "A")]
    assert list(in_turns("", range(2))) == []
