"""What costs the most is named by class and sample, and stands with the metric's protocol."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from evalsuite.reports._influence import classes_of, costs
from evalsuite.reports._tables import main_tables
from tests.reports import synthetic

IDS = np.arange(100, 110)
INFLUENCE = np.array([-1, 5, -2, 0, -3, 1, 2, -1, 0, -1], np.float32)
CLASSES = {"bag": IDS[::2], "shirt": IDS[1::2]}
FID = synthetic.measurement("fid", "narrow").model_copy(update={"sample_ids": IDS, "influence": INFLUENCE})


def test_the_costliest_come_first_and_classes_that_cost_nothing_are_left_out():
    assert costs(FID, CLASSES) == "classes shirt +4; samples 101, 106, 105, 103, 108"
    assert costs(FID, {}) == "samples 101, 106, 105, 103, 108"
    assert costs(synthetic.measurement("kid", "narrow"), CLASSES) == ""


def test_classes_are_those_that_a_model_was_measured_on(tmp_path: Path):
    inputs = synthetic.quickstart(tmp_path)
    of_class = synthetic.measurement("kid", "narrow", slice_id="class=bag").model_copy(update={"sample_ids": IDS[::2]})
    record = inputs.record.model_copy(update={"measurements": [FID, of_class]})
    assert classes_of(record)["narrow", "cpu"]["bag"].tolist() == IDS[::2].tolist()
    assert classes_of(record.model_copy(update={"slices": [synthetic.changed("class=bag", 1.0)]})) == {}
    (table,) = main_tables(replace(inputs, record=record))
    protocol = dict(next(row for _, _, rows in table.groups for row in rows if row.label == "fid").protocol)
    assert protocol["what costs narrow most"].endswith("samples 101, 106, 105, 103, 108")
