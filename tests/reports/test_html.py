"""The page: what it shows, what it refuses to run, what it survives."""

from __future__ import annotations

import base64
import hashlib
import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from evalsuite.files import write_atomically
from evalsuite.records import Comparison, Measurement, RunRecord, Verdict
from evalsuite.reports.contract import ReportInputs
from evalsuite.reports.html import Html
from tests.reports import synthetic
from tests.reports.hostile import TEXTS, hostile_inputs

EMPTY = RunRecord(suite={}, suite_hash="0" * 64, environment={}, provenance={})


class Page(HTMLParser):
    """All elements with their attributes, and the visible text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.hidden = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self.hidden = tag == "style"

    def handle_endtag(self, tag: str) -> None:
        self.hidden = False

    def handle_data(self, data: str) -> None:
        if not self.hidden:
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


def page_of(inputs: ReportInputs) -> Page:
    return Page(Html().render(inputs)["index.html"].decode())


Files = dict[str, Mapping[str, bytes]]


@pytest.fixture(scope="module")
def files(inputs: ReportInputs) -> Files:
    """The files of three runs: an ordinary one, one whose texts attack, and a large one."""
    runs = {"quickstart": inputs, "hostile": hostile_inputs(inputs), "large": large(inputs)}
    return {name: Html().render(run) for name, run in runs.items()}


@pytest.fixture(scope="module")
def page(files: Files) -> Page:
    return Page(files["quickstart"]["index.html"].decode())


def with_record(inputs: ReportInputs, **changes: Any) -> ReportInputs:
    return replace(inputs, record=inputs.record.model_copy(update=changes))


def test_shows_verdict_values_and_differences(page: Page) -> None:
    assert "Of 2 gates, 1 is undecided and 1 passes." in page.text
    assert "9.4 [8.8, 10.0]" in page.text
    assert "▼ +3.9 [+3.4, +4.4]" in page.text
    assert "×0.479 [0.470, 0.489]" in page.text
    assert "71.3 [70.7, 71.9]" in page.text
    assert "bias-corrected; not the difference of the printed values" in page.text


def test_sections_come_in_order_with_the_verdict_first(page: Page) -> None:
    sections = [attributes["id"] for attributes in page.all("section")]
    assert sections == [
        "verdict", "comparison", "variations", "tradeoff", "samples", "slices", "latency", "missing", "provenance",
    ]  # fmt: skip


def test_what_scrolls_can_be_reached_by_keyboard(page: Page) -> None:
    scrolling = [e for e in page.all("div") if "scroll" in (e.get("class") or "").split()] + page.all("pre")
    assert len(scrolling) > 5
    assert all(e.get("tabindex") == "0" and e.get("role") == "region" and e.get("aria-label") for e in scrolling)


def test_a_single_gate_s_reason_is_said_once(inputs: ReportInputs) -> None:
    page = page_of(replace(inputs, verdicts=[synthetic.undecided()]))
    assert page.text.count(synthetic.undecided().reason) == 1


def test_psnr_is_fidelity_and_not_quality(page: Page) -> None:
    assert page.text.index("Quality") < page.text.index("Fidelity to the teacher") < page.text.index("PSNR")


def test_every_figure_and_picture_has_a_text(page: Page) -> None:
    graphics = page.all("svg")
    assert len(graphics) == 2
    assert all(len(svg["aria-label"] or "") > 40 and svg["role"] == "img" for svg in graphics)
    assert "student-1step: median" in (graphics[1]["aria-label"] or "")
    pictures = page.all("img")
    assert len(pictures) == 40
    assert all((img["alt"] or "").endswith(("teacher", "step", "narrow")) for img in pictures)


def test_reason_of_what_is_missing_is_shown(page: Page) -> None:
    assert page.text.count(synthetic.REFUSED) == 2  # under the heat map and in the list of all
    assert "INVALID rounds drift by 14 % (limit 10 %)" in page.text


def test_policy_allows_the_style_sheet_and_no_script(files: Files, page: Page) -> None:
    text = files["quickstart"]["index.html"].decode()
    policy = next(meta["content"] for meta in page.all("meta") if meta.get("http-equiv") == "Content-Security-Policy")
    styles = re.findall(r"<style>(.*?)</style>", text, re.S)
    digest = base64.b64encode(hashlib.sha256(styles[0].encode()).digest()).decode()
    assert policy is not None
    assert len(styles) == 1
    assert f"style-src 'sha256-{digest}'" in policy
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert not page.all("script")


def test_nothing_is_loaded_from_elsewhere(page: Page) -> None:
    pairs = [pair for _, attributes in page.elements for pair in attributes.items()]
    links = [value or "" for key, value in pairs if key in ("src", "href", "xlink:href")]
    assert links
    assert all(link.startswith(("#", "data:image/png;base64,", "figures/")) for link in links)
    assert not any(key.startswith("on") or key == "style" for _, attributes in page.elements for key in attributes)


def test_identifiers_are_unique_and_links_within_the_page_lead_somewhere(page: Page) -> None:
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    within = {(a["href"] or "")[1:] for a in page.all("a") if (a["href"] or "").startswith("#")}
    assert within <= set(ids)


def test_tables_have_captions_and_scopes(page: Page) -> None:
    assert len(page.all("caption")) == len(page.all("table"))
    assert all("scope" in header for header in page.all("th"))


def test_files_lie_beside_the_page(files: Files, page: Page) -> None:
    linked = {a["href"] for a in page.all("a") if (a["href"] or "").startswith("figures/")}
    assert linked == set(files["quickstart"]) - {"index.html"}


def test_same_input_gives_the_same_bytes(inputs: ReportInputs, files: Files) -> None:
    assert Html().render(inputs) == files["quickstart"]


def test_hostile_texts_stay_texts(files: Files) -> None:
    text = files["hostile"]["index.html"].decode()
    page = Page(text)
    assert not page.all("script")
    assert not any(key.startswith("on") for _, attributes in page.elements for key in attributes)
    assert "<script>alert(1)</script>" in page.text
    assert not set(text) & set("\u202e\u2028\u200b\x00")
    assert "<U+202E>" in page.text
    assert all(not (a["href"] or "").startswith("javascript:") for a in page.all("a"))


def test_survives_an_empty_record(tmp_path: Path) -> None:
    page = page_of(ReportInputs(EMPTY, tmp_path, [], [], "evalsuite run x.yaml"))
    assert "Nothing was measured." in page.text
    assert "The run kept no thumbnails." in page.text


def test_survives_a_record_where_everything_is_missing(inputs: ReportInputs) -> None:
    cells = [synthetic.missing(name, "teacher", "all", "killed by signal 9", "failed") for name in synthetic.KINDS]
    bare = with_record(inputs, measurements=[], timings=[], gallery=[], missing=cells)
    page = page_of(replace(bare, comparisons=[], verdicts=[]))
    assert f"{len(cells)} cells of the run failed." in page.text
    assert "failed: killed by signal 9" in page.text


@pytest.mark.parametrize("kept", [("teacher",), ("narrow",), ("student-4step", "narrow")])
def test_survives_few_models_and_no_teacher(inputs: ReportInputs, kept: tuple[str, ...]) -> None:
    measured = [m for m in inputs.record.measurements if m.model in kept]
    few = with_record(inputs, measurements=measured, suite=synthetic.suite(kept), missing=[], gallery=[])
    assert f"{len(kept)} model" in page_of(replace(few, comparisons=[], verdicts=[])).text


def test_survives_no_gates_timings_or_pictures(inputs: ReportInputs) -> None:
    page = page_of(replace(with_record(inputs, timings=[], gallery=[]), verdicts=[]))
    assert "This suite declares no gates" in page.text
    assert "Nothing was timed." in page.text


def test_a_run_from_python_has_no_command(inputs: ReportInputs) -> None:
    page = page_of(replace(inputs, command=""))
    assert "kept no command" in page.text


def test_incomparable_says_which_field_differs(inputs: ReportInputs) -> None:
    student = synthetic.measurement("fid", "narrow")
    terms = synthetic.comparison("fid", "narrow").terms
    unlike = Comparison(name="fid", terms=terms, incomparable="protocol.n: 500 and 1000")
    page = page_of(replace(with_record(inputs, measurements=[student]), comparisons=[unlike], verdicts=[]))
    assert "no difference to the teacher: protocol.n: 500 and 1000" in page.text


def test_changed_or_escaping_thumbnails_are_not_shown(inputs: ReportInputs, tmp_path: Path) -> None:
    pictures = synthetic.gallery(tmp_path / "run", ["teacher"], columns=4)
    outside = tmp_path / "run" / "secret.png"
    write_atomically(outside, (tmp_path / "run" / pictures[0].file).read_bytes())
    (tmp_path / "run" / pictures[1].file).write_bytes(b"\x89PNG\r\n\x1a\n changed")
    (tmp_path / "run" / pictures[2].file).unlink()
    pictures[0] = pictures[0].model_copy(update={"file": "gallery/../secret.png"})
    page = page_of(replace(with_record(inputs, gallery=pictures), folder=tmp_path / "run"))
    assert len(page.all("img")) == 1
    assert "outside the run folder" in page.text
    assert "file was changed" in page.text
    assert "file is gone" in page.text


def large(inputs: ReportInputs) -> ReportInputs:
    """Ten models, five targets, forty slices."""
    names = ["teacher", *(f"student-with-a-long-name-{i}" for i in range(9))]
    targets = [f"target-{i}" for i in range(5)]
    slices = ["all", *(f"class=kind-{i}" for i in range(40))]
    cells: list[Measurement] = []
    found: list[Comparison] = []
    for target in targets:
        for model in names:
            for slice_id in slices:
                for name in ("fid", "class_accuracy", "latency_p50") if slice_id == "all" else ("class_accuracy",):
                    cells.append(synthetic.measurement(name, model, target, slice_id))
                    if model != "teacher":
                        found.append(synthetic.comparison(name, model, target, slice_id))
    timed = [synthetic.timings(model, target) for model in names for target in targets]
    big = with_record(
        inputs, suite=synthetic.suite(names, targets), measurements=cells, missing=[], timings=timed, gallery=[]
    )
    return replace(big, comparisons=found)


def test_survives_many_models_targets_and_slices(files: Files) -> None:
    page = Page(files["large"]["index.html"].decode())
    assert len(page.all("svg")) == 10
    assert "kind-39" in page.text


CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


@pytest.fixture
def browse(tmp_path: Path) -> Any:
    """Open a page in headless Chromium; returns the document after loading and what the console said."""
    if CHROMIUM is None:
        pytest.skip("no Chromium on this machine")

    def opened(file: Path, width: int) -> tuple[str, list[str]]:
        done = subprocess.run(
            [
                CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
                "--disable-background-networking", "--disable-component-update", "--disable-sync",
                f"--user-data-dir={tmp_path / 'profile'}", "--enable-logging=stderr", "--hide-scrollbars",
                f"--window-size={width},1000", "--dump-dom", file.as_uri(),
            ],
            capture_output=True, text=True, timeout=120, check=True,
        )  # fmt: skip
        return done.stdout, [line for line in done.stderr.splitlines() if "CONSOLE" in line]

    return opened


@pytest.mark.browser
@pytest.mark.parametrize("kind", ["quickstart", "hostile", "large"])
def test_fits_the_window_and_keeps_its_policy(files: Files, tmp_path: Path, browse: Any, kind: str) -> None:
    content = files[kind]["index.html"]
    write_atomically(tmp_path / "index.html", content)
    _, console = browse(tmp_path / "index.html", 1280)
    assert console == []
    # A copy without the policy may run the script that measures it.
    probe = "<script>document.title = `${document.documentElement.scrollWidth} of ${innerWidth}`</script></body>"
    unguarded = re.sub(r"<meta http-equiv[^>]*>", "", content.decode()).replace("</body>", probe)
    write_atomically(tmp_path / "measured.html", unguarded.encode())
    for width in (600, 1280):
        document, _ = browse(tmp_path / "measured.html", width)
        needed, available = re.findall(r"<title>(\d+) of (\d+)</title>", document)[0]
        assert int(needed) <= int(available)


def test_hostile_texts_are_really_in_the_input(inputs: ReportInputs) -> None:
    assert len({m.model for m in hostile_inputs(inputs).record.measurements}) == len(TEXTS)


def test_a_failed_gate_leads_the_page(inputs: ReportInputs) -> None:
    failed = Verdict(gate="fid: a", outcome="fail", reason="It is worse.")
    assert "Regression It is worse." in page_of(replace(inputs, verdicts=[failed])).text
