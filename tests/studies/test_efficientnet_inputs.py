"""The evidence for the input of ``efficientnet-lite0``: the table of the documentation, and what follows from it."""

from __future__ import annotations

import pytest

from tests.conftest import ROOT
from tests.studies.efficientnet_inputs import SHOWN, Outcome, outcomes

CHOSEN = ("(x - 127) / 128", "RGB", "middle square")


@pytest.fixture(scope="module")
def found() -> dict[tuple[str, str, str], Outcome]:
    return {outcome.name: outcome for outcome in outcomes()}


def test_the_table_of_the_documentation_is_that_of_the_study(found: dict[tuple[str, str, str], Outcome]) -> None:
    lines = (ROOT / "docs" / "extractors.md").read_text("utf-8").splitlines()
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("|")]
    table = {tuple(row[:3]): [float(cell) for cell in row[3:]] for row in rows if tuple(row[:3]) in found}
    assert table.keys() == found.keys()
    for name, (spread, *likely) in table.items():
        assert spread == pytest.approx(found[name].spread, abs=0.02, rel=0.01)
        assert likely == pytest.approx(list(found[name].likely.values()), abs=0.02)


def test_only_the_chosen_range_gives_the_variances_of_the_training(
    found: dict[tuple[str, str, str], Outcome],
) -> None:
    for (scale, *_), spread, _ in found.values():
        assert (0.5 < spread < 2) == (scale in ("(x - 127) / 128", "[-1, 1]"))


@pytest.mark.parametrize("name", SHOWN)
def test_red_comes_first(name: str, found: dict[tuple[str, str, str], Outcome]) -> None:
    assert found[CHOSEN].likely[name] >= found["(x - 127) / 128", "BGR", "middle square"].likely[name] - 1e-6


def test_the_middle_square_beats_squeezing_where_squeezing_distorts(
    found: dict[tuple[str, str, str], Outcome],
) -> None:
    squeezed = found["(x - 127) / 128", "RGB", "whole, squeezed"]
    assert found[CHOSEN].likely["rocket"] > 3 * squeezed.likely["rocket"]
    assert min(found[CHOSEN].likely.values()) > min(squeezed.likely.values())
