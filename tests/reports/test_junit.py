"""Gates as JUnit test cases: counts, what fails, and texts that XML does not allow."""

from __future__ import annotations

from dataclasses import replace
from xml.etree import ElementTree

import pytest

from evalsuite.records import Verdict
from evalsuite.reports.contract import ReportInputs
from evalsuite.reports.junit import Junit
from tests.reports import synthetic
from tests.reports.hostile import TEXTS, hostile_inputs


def rendered(inputs: ReportInputs, *outcomes: str, policy: str = "fail", failed: bool = False) -> ElementTree.Element:
    """The test suite of a run with gates of these outcomes, and perhaps a cell that crashed."""
    verdicts = [Verdict(gate=f"gate {i}", outcome=o, reason=f"It is {o}.") for i, o in enumerate(outcomes)]  # type: ignore[arg-type]
    missing = [synthetic.missing("kid", "narrow", "all", "it crashed", "failed")] if failed else []
    suite = {**inputs.record.suite, "on_inconclusive": policy}
    record = inputs.record.model_copy(update={"suite": suite, "missing": missing})
    root = ElementTree.fromstring(Junit().render(replace(inputs, record=record, verdicts=verdicts))["junit.xml"])
    (found,) = root
    assert root.attrib.items() >= {k: found.attrib[k] for k in ("tests", "failures", "errors", "skipped")}.items()
    return found


@pytest.mark.parametrize(
    ("outcome", "policy", "kind"),
    [
        ("pass", "fail", "system-out"),
        ("fail", "fail", "failure"),
        ("fail", "warn", "failure"),
        ("inconclusive", "fail", "failure"),
        ("inconclusive", "warn", "skipped"),
        ("missing", "fail", "error"),
        ("incomparable", "warn", "error"),
    ],
)
def test_an_outcome_is_what_the_exit_code_makes_of_it(
    inputs: ReportInputs, outcome: str, policy: str, kind: str
) -> None:
    suite = rendered(inputs, outcome, policy=policy)
    case, cells = suite
    assert [child.tag for child in case] == [kind]
    assert f"It is {outcome}." in (case[0].text or case[0].get("message", ""))
    assert (case.get("name"), case.get("classname")) == ("gate 0", "quickstart.gates")
    assert list(cells) == []
    counts = {"failure": "failures", "error": "errors", "skipped": "skipped"}
    for tag, count in counts.items():
        assert suite.get(count) == str(int(tag == kind))
    assert suite.get("tests") == "2"


def test_failed_cells_are_an_error_of_the_run(inputs: ReportInputs) -> None:
    (cells,) = rendered(inputs, failed=True)
    assert cells.get("classname") == "quickstart.run"
    (error,) = cells
    assert error.attrib["message"] == "1 cell of the run failed"
    assert error.text == "kid of narrow@cpu/all: it crashed"


def test_hostile_texts_stay_texts(inputs: ReportInputs) -> None:
    content = Junit().render(hostile_inputs(inputs))["junit.xml"]
    root = ElementTree.fromstring(content)
    assert {element.tag for element in root.iter()} <= {
        "testsuites", "testsuite", "testcase", "failure", "error", "skipped", "system-out",
    }  # fmt: skip
    assert not set(content.decode()) & set("\u202e\u2028\u200b\x00\x1b")
    names = " ".join(case.get("name", "") for case in root.iter("testcase"))
    assert TEXTS[0] in names
