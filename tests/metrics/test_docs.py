"""The table of metrics in the documentation is that of the code."""

from pathlib import Path

import pytest

from evalsuite import plugins

TABLE = {
    cells[0].strip("`"): cells[1:]
    for line in (Path(__file__).parents[2] / "docs" / "metrics.md").read_text("utf-8").splitlines()
    if line.startswith("| `") and (cells := [cell.strip() for cell in line.strip("|").split("|")])
}


def test_every_metric_is_listed():
    assert set(TABLE) == set(plugins.names("metrics"))


@pytest.mark.parametrize("name", sorted(TABLE))
def test_a_row_says_what_the_class_says(name):
    metric = plugins.find("metrics", name)
    unit, better, reads, *_ = TABLE[name]
    assert unit == metric.unit
    assert better == {True: "higher", False: "lower", None: ""}[metric.higher_is_better]
    assert reads == metric.inputs.value
