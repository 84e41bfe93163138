"""How long a browser needs to open the report of ten models on five targets and forty slices.

    python -m tests.studies.opening

Times are from the beginning of the navigation, in a fresh browser without a cache: the first paint, and the load event,
after which the page has all that it did not put off until a reader comes near.
"""

from __future__ import annotations

import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, NamedTuple

from evalsuite.files import write_atomically
from evalsuite.reports.html import Html
from tests.browser import chromium
from tests.reports import synthetic

if TYPE_CHECKING:
    from playwright.sync_api import Browser

TIMES = """() => {
  const paint = performance.getEntriesByName("first-contentful-paint")[0]
  const page = performance.getEntriesByType("navigation")[0]
  return [paint.startTime, page.loadEventEnd, document.querySelectorAll("*").length]
}"""


class Opening(NamedTuple):
    """Milliseconds to the first paint and to the end of the load event, and how many elements the page has."""

    paint_ms: float
    load_ms: float
    elements: int


def write_page(folder: Path) -> Path:
    """The page with its pictures beside it."""
    for name, content in Html().render(synthetic.large(folder / "run")).items():
        write_atomically(folder / name, content)
    return folder / "index.html"


def opening(page: Path, browser: Browser) -> Opening:
    """Of a page on a disk, without a cache."""
    with browser.new_context(viewport={"width": 1280, "height": 900}) as context:
        tab = context.new_page()
        tab.goto(page.as_uri())
        tab.wait_for_function("performance.getEntriesByName('first-contentful-paint').length")
        return Opening(*tab.evaluate(TIMES))


if __name__ == "__main__":
    with TemporaryDirectory() as folder:
        page = Path(sys.argv[1]).resolve() if sys.argv[1:] else write_page(Path(folder))
        for _ in range(3):
            with chromium() as browser:
                print(opening(page, browser))
