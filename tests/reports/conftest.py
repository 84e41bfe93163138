"""The synthetic runs and their pages, once for all tests of the reports."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

import pytest

from evalsuite.reports.contract import ReportInputs
from evalsuite.reports.html import Html
from tests.reports import synthetic
from tests.reports.hostile import hostile_inputs

if TYPE_CHECKING:
    from playwright.sync_api import Browser

CHROMIUM = ("/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome")

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


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One browser for all tests; Debian's, so that nothing is downloaded."""
    from pathlib import Path

    from playwright.sync_api import sync_playwright

    found = [path for path in CHROMIUM if Path(path).exists()]
    if not found:
        pytest.skip("no Chromium on this machine")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found[0], args=["--disable-gpu"])
        yield browser
        browser.close()
