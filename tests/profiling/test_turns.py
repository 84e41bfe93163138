"""Models take turns forwards and backwards."""

from evalsuite.profiling.turns import abba


def test_order_of_three_models_and_three_rounds() -> None:
    assert "".join(model for _, model in abba("ABC", range(3))) == "ABCCBAABC"
    assert [turn for turn, _ in abba("ABC", range(2))] == [0, 0, 0, 1, 1, 1]


def test_rounds_go_on_in_another_process() -> None:
    assert [*abba("AB", range(3)), *abba("AB", range(3, 5))] == list(abba("AB", range(5)))


def test_linear_drift_falls_on_all_models_alike() -> None:
    positions: dict[str, list[int]] = {model: [] for model in "ABCD"}
    for position, (_, model) in enumerate(abba("ABCD", range(12))):
        positions[model].append(position)
    assert len({sum(places) for places in positions.values()}) == 1


def test_one_model_and_none() -> None:
    assert list(abba("A", range(2))) == [(0, "A"), (1, "A")]
    assert list(abba("", range(2))) == []
