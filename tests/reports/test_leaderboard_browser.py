"""The leaderboard in a real browser: search, budgets, pages, sorting, keyboard, accessibility, and that it is quiet."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from evalsuite.compare.leaderboard import leaderboards
from evalsuite.files import write_atomically
from evalsuite.reports._leaderboard import site
from tests.reports.many_runs import results

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.browser

MODELS = [f"student-{i:03}" for i in range(120)]
ROWS = ".ranks tbody tr:visible"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("leaderboard")
    for name, content in site(leaderboards(results(120, MODELS))).items():
        write_atomically(root / name, content)
    return root


@pytest.fixture
def visit(browser: Browser, folder: Path) -> Iterator[Any]:
    """Open the board; at the end nothing may have been asked of a network, and nothing complained of."""
    heard: list[str] = []
    opened: list[Page] = []

    def go(**settings: Any) -> Page:
        page = browser.new_page(viewport={"width": 1280, "height": 900}, **settings)
        opened.append(page)
        page.on("console", lambda message: heard.append(message.text))
        page.on("pageerror", lambda error: heard.append(str(error)))
        page.on("request", lambda r: r.url.startswith((folder.as_uri(), "data:")) or heard.append(r.url))
        page.goto((folder / "board-1.html").as_uri())
        return page

    yield go
    for page in opened:
        page.close()
    assert heard == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_accessibility_fault(visit: Any, scheme: str) -> None:
    from axe_playwright_python.sync_playwright import Axe

    found = Axe().run(visit(color_scheme=scheme)).response["violations"]
    assert [one["id"] for one in found if one["impact"] in ("serious", "critical")] == []


def test_long_tables_have_pages(visit: Any) -> None:
    page = visit()
    assert page.locator(ROWS).count() == 50
    assert page.locator("[data-board-count]").inner_text() == "1 to 50 of 121"
    page.get_by_role("button", name="Next").press("Enter")
    page.get_by_role("button", name="Next").press("Enter")
    assert page.locator(ROWS).count() == 21
    assert page.get_by_role("button", name="Next").is_disabled()


def test_search_and_budgets_leave_what_fits_everywhere(visit: Any) -> None:
    page = visit()
    page.get_by_label("Find").fill("student-00")
    assert page.locator(ROWS).count() == 10
    assert page.locator("#by-slice tbody tr:visible").count() == 10
    assert page.locator("#tradeoffs .spot").count() == 10
    page.get_by_role("spinbutton", name="Latency").fill("0.001")
    assert page.locator(ROWS).count() == 0
    assert page.get_by_text("No entry fits").is_visible()


def test_sorting_starts_with_the_first_of_all_pages(visit: Any) -> None:
    page = visit()
    page.get_by_role("button", name="Model").first.click()
    assert page.locator(ROWS).first.locator("th").inner_text().startswith("student-000")


def test_everything_is_there_without_scripts(visit: Any) -> None:
    page = visit(java_script_enabled=False)
    assert page.locator(ROWS).count() == 121
    assert not page.locator("form").first.is_visible()
