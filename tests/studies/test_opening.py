"""The study of how fast a page opens, in small: it reads the browser's own clock."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.studies.opening import opening

if TYPE_CHECKING:
    from playwright.sync_api import Browser


@pytest.mark.browser
def test_a_page_is_painted_and_loaded(tmp_path: Path, browser: Browser) -> None:
    page = tmp_path / "index.html"
    page.write_text("<!doctype html><html><head><title>x</title></head><body><p>text</p></body></html>")
    found = opening(page, browser)
    assert found.paint_ms > 0
    assert found.load_ms > 0
    assert found.elements == 5
