"""The synthetic runs and their pages, once for all tests of the reports."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from evalsuite.reports.contract import ReportInputs
from evalsuite.reports.html import Html
from tests.reports import synthetic
from tests.reports.hostile import hostile_inputs

Files = dict[str, Mapping[str, bytes]]


@pytest.fixture(scope="session")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> ReportInputs:
    return synthetic.quickstart(tmp_path_factory.mktemp("run"))


@pytest.fixture(scope="session")
def files(inputs: ReportInputs, tmp_path_factory: pytest.TempPathFactory) -> Files:
    """The files of three runs: an ordinary one, one whose texts attack, and a large one."""
    large = synthetic.large(tmp_path_factory.mktemp("large"))
    runs = {"quickstart": inputs, "hostile": hostile_inputs(inputs), "large": large}
    return {name: Html().render(run) for name, run in runs.items()}
