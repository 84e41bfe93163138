"""The study of how fast a page opens, in small: it reads the browser's own clock."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.reports.conftest import CHROMIUM
from tests.studies.opening import opening


@pytest.mark.browser
@pytest.mark.skipif(not any(Path(path).exists() for path in CHROMIUM), reason="no Chromium on this machine")
def test_a_page_is_painted_and_loaded(tmp_path: Path) -> None:
    page = tmp_path / "index.html"
    page.write_text("<!doctype html><html><head><title>x</title></head><body><p>text</p></body></html>")
    found = opening(page)
    assert found.paint_ms > 0
    assert found.load_ms > 0
    assert found.elements == 5
