"""The page: what it shows, what it refuses to run, what it survives."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from evalsuite.records import Comparison, RunRecord, Term, Verdict
from evalsuite.reports.contract import ReportInputs
from evalsuite.reports.html import Html
from evalsuite.reports.single_file import SingleFile
from tests.reports import synthetic
from tests.reports.conftest import Files
from tests.reports.hostile import TEXTS, hostile_inputs

EMPTY = RunRecord(suite={}, suite_hash="0" * 64, environment={}, provenance={})


class Page(HTMLParser):
    """All elements with their attributes, and the visible text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.scripts: list[tuple[dict[str, str | None], str]] = []
        self.hidden = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self.hidden = tag if tag in ("style", "script") else ""

    def handle_endtag(self, tag: str) -> None:
        self.hidden = ""

    def handle_data(self, data: str) -> None:
        if self.hidden == "script":
            self.scripts.append((self.elements[-1][1], data))
        if not self.hidden:
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


def page_of(inputs: ReportInputs) -> Page:
    return Page(Html().render(inputs)["index.html"].decode())


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
    assert sections == ["verdict", "comparison", "tradeoffs", "samples", "slices", "speed", "provenance"]


def test_what_int8_means_is_told_by_the_layers_that_are(page: Page) -> None:
    assert "teacher cpu 1 866 180 7.460 MB none of 31 no" in page.text
    assert "narrow cpu 1 866 180 1.920 MB 31 of 31 no" in page.text


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
    pictures = [image for image in page.all("img") if "data-picture" not in image]  # those the viewer fills
    figures = [image for image in pictures if (image["src"] or "").startswith("figures/")]
    assert len(figures) == 7
    assert all(len(image["alt"] or "") > 80 for image in figures)
    assert any("student-1step (VALID): median" in (image["alt"] or "") for image in figures)
    samples = [image for image in pictures if image not in figures]
    assert len(samples) == 40 + 8 + 3 * 3 * 16
    assert all((image["alt"] or "").endswith(("teacher", "step", "narrow")) for image in samples)


def test_pictures_are_loaded_when_they_are_needed(page: Page) -> None:
    pictures = [image for image in page.all("img") if "data-picture" not in image]
    assert all(image["loading"] == "lazy" for image in pictures)


def test_reason_of_what_is_missing_is_shown(page: Page) -> None:
    assert page.text.count(synthetic.REFUSED) == 2  # under the heat map and in the list of all
    assert "INVALID rounds drift by 14 % (limit 10 %)" in page.text


def digest_of(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def test_policy_allows_the_page_s_own_style_and_scripts_and_nothing_else(files: Files, page: Page) -> None:
    text = files["quickstart"]["index.html"].decode()
    policy = next(meta["content"] for meta in page.all("meta") if meta.get("http-equiv") == "Content-Security-Policy")
    assert policy is not None
    rules = dict(rule.split(" ", 1) for rule in policy.split("; "))
    (style,) = re.findall(r"<style>(.*?)</style>", text, re.S)
    run = [body for attributes, body in page.scripts if attributes.get("type") != "application/json"]
    assert rules["style-src"] == digest_of(style)
    assert rules["script-src"].split() == [digest_of(body) for body in run]
    assert rules["default-src"] == rules["base-uri"] == rules["form-action"] == "'none'"
    assert rules["require-trusted-types-for"] == "'script'"
    assert "unsafe" not in policy


def test_nothing_is_loaded_from_elsewhere(page: Page) -> None:
    pairs = [pair for _, attributes in page.elements for pair in attributes.items()]
    links = [value or "" for key, value in pairs if key in ("src", "href", "xlink:href")]
    assert links
    assert all(link.startswith(("#", "gallery/", "figures/")) for link in links)
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
    shown = {image["src"] for image in page.all("img") if "src" in image}
    linked = {a["href"] for a in page.all("a") if (a["href"] or "").startswith("figures/")}
    assert shown | linked == set(files["quickstart"]) - {"index.html"}


def test_a_single_file_holds_all_pictures(inputs: ReportInputs, page: Page) -> None:
    ((name, content),) = SingleFile().render(inputs).items()
    alone = Page(content.decode())
    assert name == "report.html"
    pictures = [image["src"] or "" for image in alone.all("img") if "src" in image]
    assert len(pictures) == len([image for image in page.all("img") if "src" in image])
    assert all(picture.startswith(("data:image/png;base64,", "data:image/svg+xml;base64,")) for picture in pictures)
    assert not [a for a in alone.all("a") if not (a["href"] or "").startswith("#")]


def test_same_input_gives_the_same_bytes(inputs: ReportInputs, files: Files) -> None:
    assert Html().render(inputs)["index.html"] == files["quickstart"]["index.html"]


def test_hostile_texts_stay_texts(files: Files) -> None:
    text = files["hostile"]["index.html"].decode()
    page = Page(text)
    run = [body for attributes, body in page.scripts if attributes.get("type") != "application/json"]
    assert not any("alert(1)" in body for body in run)
    (data,) = (body for attributes, body in page.scripts if attributes.get("type") == "application/json")
    assert "<" not in data
    assert any(spot["model"] == "<script>alert(1)</script>" for spot in json.loads(data)["spots"].values())
    assert not any(key.startswith("on") for _, attributes in page.elements for key in attributes)
    assert "<script>alert(1)</script>" in page.text
    assert not set(text) & set("\u202e\u2028\u200b\x00")
    assert "<U+202E>" in page.text
    assert all(not (a["href"] or "").startswith("javascript:") for a in page.all("a"))


def test_survives_an_empty_record(tmp_path: Path) -> None:
    page = page_of(ReportInputs(EMPTY, tmp_path, [], [], "evalsuite run x.yaml"))
    assert "Nothing was measured." in page.text
    assert "The record has no cells" in page.text
    assert "every cell of the suite has a number" not in page.text
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
    outside.write_bytes((tmp_path / "run" / pictures[0].file).read_bytes())
    (tmp_path / "run" / pictures[1].file).write_bytes(b"\x89PNG\r\n\x1a\n changed")
    (tmp_path / "run" / pictures[2].file).unlink()
    pictures[0] = pictures[0].model_copy(update={"file": "gallery/../secret.png"})
    page = page_of(replace(with_record(inputs, gallery=pictures), folder=tmp_path / "run"))
    assert len([image for image in page.all("img") if (image.get("src") or "").startswith("gallery/")]) == 1
    assert "outside the run folder" in page.text
    assert "file was changed" in page.text
    assert "file is gone" in page.text


def test_a_large_run_stays_a_light_page(files: Files) -> None:
    page = Page(files["large"]["index.html"].decode())
    assert "kind-19" in page.text
    assert len(files["large"]["index.html"]) < 3e6
    assert not page.all("svg")


def test_other_targets_are_compared_with_the_first(inputs: ReportInputs) -> None:
    there, here = (synthetic.measurement("fid", "narrow", target) for target in ("int8", "cpu"))
    terms = [Term(coefficient=1, identity=there.identity), Term(coefficient=-1, identity=here.identity)]
    dearer = Comparison(name="fid", terms=terms, paired=True, value=1.25, better=False)
    both = with_record(inputs, measurements=[here, there], suite=synthetic.suite(["narrow"], ["cpu", "int8"]))
    page = page_of(replace(both, comparisons=[], across_targets=[dearer], verdicts=[]))
    assert "int8 against cpu" in page.text
    assert "▼ +1.250" in page.text


def test_hostile_texts_are_really_in_the_input(inputs: ReportInputs) -> None:
    assert len({m.model for m in hostile_inputs(inputs).record.measurements}) == len(TEXTS)


def test_a_failed_gate_leads_the_page(inputs: ReportInputs) -> None:
    failed = Verdict(gate="fid: a", outcome="fail", reason="It is worse.")
    assert "Regression It is worse." in page_of(replace(inputs, verdicts=[failed])).text
