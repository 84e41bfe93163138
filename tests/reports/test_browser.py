"""The page in a real browser: what a reader can do with it, that it keeps to itself, and that everyone can use it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from evalsuite.files import write_atomically
from evalsuite.records import RunRecord
from evalsuite.reports.contract import ReportInputs
from evalsuite.reports.html import Html
from evalsuite.reports.single_file import SingleFile
from tests.reports.conftest import Files

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Locator, Page

pytestmark = pytest.mark.browser

KINDS = ("quickstart", "hostile", "large")


@pytest.fixture(scope="module")
def folder(files: Files, inputs: ReportInputs, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The pages on a disk: each in a folder of its own, one as a single file, one of an empty record."""
    root = tmp_path_factory.mktemp("pages")
    empty = RunRecord(suite={}, suite_hash="0" * 64, environment={}, provenance={})
    bare = Html().render(ReportInputs(empty, root, [], [], ""))
    single = {"index.html": SingleFile().render(inputs)["report.html"]}
    for kind, content in {**files, "empty": bare, "single": single}.items():
        for name, data in content.items():
            write_atomically(root / kind / name, data)
    return root


@pytest.fixture
def visit(browser: Browser, folder: Path) -> Iterator[Any]:
    """Open a page; at the end of the test nothing may have been asked of a network, and nothing complained of."""
    opened: list[Page] = []
    left: list[str] = []
    said: list[str] = []

    def go(kind: str = "quickstart", **settings: Any) -> Page:
        page = browser.new_page(viewport={"width": 1280, "height": 900}, **settings)
        page.set_default_timeout(10_000)
        opened.append(page)
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("dialog", lambda dialog: (said.append(dialog.message), dialog.dismiss()))
        here = (folder / kind).as_uri()
        page.on("request", lambda request: request.url.startswith((here, "data:")) or left.append(request.url))
        page.goto(f"{here}/index.html")
        return page

    yield go
    for page in opened:
        page.close()
    assert left == []
    assert said == []


def width_of(picture: Locator) -> int:
    """Of a picture that is loaded when it comes near."""
    picture.scroll_into_view_if_needed()
    return int(picture.evaluate("image => image.decode().then(() => image.naturalWidth)"))


@pytest.mark.parametrize(
    ("kind", "scheme"),
    [("quickstart", "light"), ("quickstart", "dark"), ("hostile", "light"), ("empty", "dark")],
)
def test_no_accessibility_fault_and_nothing_leaves_the_page(visit: Any, kind: str, scheme: str) -> None:
    from axe_playwright_python.sync_playwright import Axe

    page = visit(kind, color_scheme=scheme)
    found = Axe().run(page)
    faults = [
        (one["id"], one["impact"], [node["html"][:160] for node in one["nodes"]][:3])
        for one in found.response["violations"]
        if one["impact"] in ("serious", "critical")
    ]
    assert faults == []


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("width", [400, 1280])
def test_fits_the_window(visit: Any, kind: str, width: int) -> None:
    page = visit(kind)
    page.set_viewport_size({"width": width, "height": 900})
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_every_section_shows_something(visit: Any) -> None:
    page = visit()
    for name in ("verdict", "comparison", "tradeoffs", "samples", "slices", "speed", "provenance"):
        page.locator(f"nav a[href='#{name}']").click()
        section = page.locator(f"#{name}")
        section.scroll_into_view_if_needed()
        assert section.locator("h2").is_visible()
        assert len(section.inner_text()) > 100
    assert width_of(page.locator("#speed img").first) > 300


def test_without_scripts_everything_is_there_to_read(visit: Any) -> None:
    page = visit(java_script_enabled=False)
    assert page.locator("#comparison td .value").count() > 40
    assert page.locator("#tradeoffs figure img").first.is_visible()
    assert page.locator(".scripted:visible").count() == 0
    page.get_by_role("button", name="FID", exact=True).click()
    assert page.locator(".protocol:popover-open dt", has_text="extractor").is_visible()


def test_a_single_file_shows_its_pictures(visit: Any) -> None:
    page = visit("single")
    assert width_of(page.locator("#samples img").first) == 28


def test_the_theme_follows_the_reader_s_system(visit: Any) -> None:
    page = visit(color_scheme="dark")
    ground = "getComputedStyle(document.body).backgroundColor"
    assert page.evaluate(ground) == "rgb(19, 21, 24)"
    page.emulate_media(color_scheme="light")
    assert page.evaluate(ground) == "rgb(253, 253, 252)"


def test_metrics_are_filtered_by_words(visit: Any) -> None:
    page = visit()
    page.get_by_label("Filter metrics").fill("latency")
    rows = page.locator("#comparison tbody tr:not(.group):visible th")
    assert [text.split()[0:2] for text in rows.all_inner_texts()] == [["Latency", "p50"], ["Latency", "p90"]]
    assert page.locator("#comparison tr.group:visible").count() == 1
    assert page.locator("[data-count='comparison']").inner_text() == "2 of 13"
    page.get_by_label("Filter metrics").fill("")
    assert rows.count() == 13


def test_models_are_sorted_by_a_metric(visit: Any) -> None:
    page = visit()
    heads = page.locator("#comparison thead bdi")
    natural = ["teacher", "student-4step", "student-1step", "narrow"]
    assert heads.all_inner_texts() == natural
    button = page.get_by_role("button", name="Sort models by Latency p50")
    button.click()
    assert heads.all_inner_texts() == ["student-1step", "narrow", "student-4step", "teacher"]
    first = page.locator("#comparison tbody tr", has_text="Latency p50").locator("td").first
    assert first.inner_text().startswith("4.8")
    button.click()
    assert heads.all_inner_texts() == natural


def test_rows_are_sorted_by_a_column(visit: Any) -> None:
    page = visit()
    slices = page.locator("#breaks tbody td:nth-child(2)")
    page.locator("#breaks th:nth-child(2) button").click()
    ascending = slices.all_inner_texts()
    assert ascending == sorted(ascending)
    assert page.locator("#breaks th[aria-sort='ascending']").inner_text().startswith("Slice")
    page.locator("#breaks th:nth-child(2) button").click()
    assert slices.all_inner_texts() == sorted(ascending, reverse=True)


def test_a_metric_s_name_tells_its_protocol_on_hover_and_focus(visit: Any) -> None:
    page = visit()
    name = page.get_by_role("button", name="FID", exact=True)
    told = page.locator(".protocol:popover-open")
    name.hover()
    assert "fashion-cnn" in told.inner_text()
    page.mouse.move(5, 5)
    told.wait_for(state="detached")
    name.focus()
    page.keyboard.press("Tab")
    page.keyboard.press("Shift+Tab")
    assert "fashion-cnn" in told.inner_text()
    page.keyboard.press("Escape")
    assert told.count() == 0


def test_a_model_is_hidden_everywhere_at_once(visit: Any) -> None:
    page = visit()
    narrow = page.locator("#comparison th[data-model='3']")
    toggle = page.locator("[data-toggle='3']")
    assert narrow.is_visible()
    toggle.click()
    assert toggle.get_attribute("aria-pressed") == "false"
    assert not narrow.is_visible()
    assert page.locator(".chart .spot").count() == 3
    toggle.click()
    assert narrow.is_visible()


def test_one_target_is_shown_at_a_time(visit: Any) -> None:
    page = visit("large")
    tables = page.locator("#comparison table.metrics:visible")
    assert tables.count() == 1
    page.locator("[data-targets]").select_option("target-3")
    assert "target-3" in tables.locator("caption").inner_text()
    page.locator("[data-targets]").select_option("all 5")
    assert tables.count() == 5
    assert page.locator(".chart .spot").count() == 50


def test_the_axes_of_the_chart_are_the_reader_s_choice(visit: Any) -> None:
    page = visit()
    spots = page.locator(".chart .spot")
    assert "student-1step: FID 29.2" in (spots.nth(2).get_attribute("aria-label") or "")
    assert "INVALID" in (spots.nth(3).get_attribute("aria-label") or "")
    page.locator(".choices select").nth(1).select_option("Peak memory")
    page.locator(".choices select").nth(0).select_option("Class accuracy")
    label = spots.nth(2).get_attribute("aria-label") or ""
    assert label.startswith("student-1step: Class accuracy 89.89 [")
    assert "Peak memory 60" in label
    assert page.locator(".chart .front").count() == 1
    spots.nth(2).focus()
    assert page.locator(".tip.shown").inner_text() == label


def test_curves_are_the_reader_s_choice_and_follow_what_is_shown(visit: Any) -> None:
    page = visit()
    curves = page.locator("[data-curves]")
    curves.scroll_into_view_if_needed()
    assert curves.locator(".line").count() == 4
    curves.locator("select").nth(0).select_option("PSNR")
    assert curves.locator("svg").get_attribute("aria-label") == "PSNR along latent.scale: 3 lines"
    page.locator("[data-toggle='3']").click()
    assert curves.locator(".band").count() == 2
    knot = curves.locator(".knot").first
    knot.focus()
    told = page.locator(".tip.shown").inner_text()
    assert told == knot.get_attribute("aria-label")
    assert re.fullmatch(r"student-4step, latent.scale 1.1: PSNR [\d.]+ \[[\d.]+, [\d.]+\] dB", told)


def test_curves_are_of_one_target(visit: Any) -> None:
    page = visit("large")
    page.locator("[data-targets]").select_option("target-3")
    label = page.locator("[data-curves] svg").get_attribute("aria-label")
    assert label == "KID along corruption.fog on target-3: 10 lines"


def test_cells_of_a_heat_map_are_walked_with_the_arrow_keys(visit: Any) -> None:
    page = visit()
    table = page.locator("table.heat", has_text="sneaker").first
    table.locator("td").first.focus()
    tip = page.locator(".tip.shown")
    first = tip.inner_text()
    assert "n = 1000" in first
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowRight")
    assert page.evaluate("document.activeElement.cellIndex") == 2
    assert page.evaluate("document.activeElement.parentElement.rowIndex") == 2
    assert tip.inner_text() != first
    assert table.locator("td[tabindex='0']").count() == 1


def test_a_slice_leads_to_its_pictures(visit: Any) -> None:
    page = visit()
    page.locator("table.heat a[data-drill='class=sneaker']").first.click()
    assert page.evaluate("document.querySelector('[data-subset]').selectedOptions[0].text") == "class=sneaker"
    shown = page.locator("#samples .gallery").first.locator("thead th:visible")
    assert shown.all_inner_texts() == ["sneaker"]
    large = visit("large")
    large.locator("a[data-drill='corruption.fog=3']").first.click()
    assert large.locator("details[data-slice='corruption.fog=3'] img").first.is_visible()


def test_samples_are_filtered_by_label(visit: Any) -> None:
    page = visit()
    page.get_by_label("Label or prompt").fill("boot")
    first = page.locator("#samples .gallery").first
    assert first.locator("thead th:visible").all_inner_texts() == ["ankle-boot"]
    assert first.locator("img:visible").count() == 4


def test_two_pictures_are_compared_by_keyboard_alone(visit: Any) -> None:
    page = visit()
    table = page.locator("#samples .gallery").first
    table.locator("img[tabindex='0']").focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    viewer = page.locator("#viewer")
    assert viewer.locator("h3").inner_text() == "t-shirt, sample 0"
    right = viewer.locator("[data-facts='right']")
    assert right.inner_text().startswith("student-1step: adds ")
    assert "PSNR" in right.inner_text()
    page.keyboard.press("ArrowRight")
    assert viewer.locator("h3").inner_text() == "trouser, sample 1"
    page.keyboard.press("Escape")
    assert not viewer.is_visible()
    assert page.evaluate("document.activeElement.alt") == "t-shirt, sample 0, by student-1step"


def test_the_slider_cuts_between_two_pictures(visit: Any) -> None:
    page = visit()
    page.locator("#samples .gallery").first.locator("tr:nth-child(3) img").first.click()
    viewer = page.locator("#viewer")
    viewer.get_by_role("button", name="Slider").click()
    cut = viewer.get_by_label("Before and after")
    front = viewer.locator(".frame").nth(1)
    box = front.bounding_box()
    assert box is not None

    def shown(share: float) -> str:
        """Which picture is uppermost at this share of the width."""
        x, y = box["x"] + share * box["width"], box["y"] + box["height"] / 2
        return str(page.evaluate(f"document.elementFromPoint({x}, {y}).dataset.picture"))

    assert [shown(0.25), shown(0.75)] == ["left", "right"]
    cut.fill("90")
    assert [shown(0.25), shown(0.75)] == ["left", "left"]
    cut.focus()
    for _ in range(5):
        page.keyboard.press("PageDown")
    assert [shown(0.25), shown(0.75)] == ["left", "right"]


def test_the_difference_of_a_picture_to_itself_is_black(visit: Any) -> None:
    from io import BytesIO

    import numpy as np
    from PIL import Image

    page = visit()
    page.locator("#samples .gallery").first.locator("tr:nth-child(3) img").first.click()
    viewer = page.locator("#viewer")
    viewer.get_by_role("button", name="Difference").click()
    frame = viewer.locator(".frame").first

    def brightest() -> int:
        box = frame.bounding_box()
        assert box is not None
        clip = {"x": box["x"] + 20, "y": box["y"] + 20, "width": box["width"] - 40, "height": box["height"] - 40}
        with Image.open(BytesIO(page.screenshot(clip=clip))) as image:
            return int(np.asarray(image.convert("L")).max())

    assert brightest() > 100
    viewer.get_by_label("Right").select_option("teacher")
    assert brightest() == 0


def test_print_shows_the_figures_and_no_controls(visit: Any) -> None:
    page = visit()
    page.emulate_media(media="print")
    assert not page.locator(".bar").is_visible()
    for figure in ("#tradeoffs figure img", "#slices figure img"):
        assert width_of(page.locator(figure).first) > 0
        assert page.locator(figure).first.is_visible()
    assert page.locator(".chart:visible").count() == 0


def test_a_large_page_opens_quickly(visit: Any) -> None:
    """What a reader waits for is bound by its size; seconds would depend on the machine."""
    page = visit("large")
    assert page.evaluate("document.querySelectorAll('*').length") < 60_000
    loaded = page.evaluate("[...document.images].filter((image) => image.complete && image.naturalWidth).length")
    assert loaded < 100
