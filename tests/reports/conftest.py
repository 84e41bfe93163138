"""The synthetic run, once for all tests of the reports."""

from __future__ import annotations

import pytest

from evalsuite.reports.contract import ReportInputs
from tests.reports import synthetic


@pytest.fixture(scope="session")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> ReportInputs:
    return synthetic.quickstart(tmp_path_factory.mktemp("run"))
