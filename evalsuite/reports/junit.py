"""Report format ``junit``: gates as test cases, in the XML that continuous integration systems show."""

from __future__ import annotations

from collections.abc import Mapping
from xml.etree import ElementTree

from evalsuite.records import Missing, Verdict
from evalsuite.reports._format import counted, plain
from evalsuite.reports._summary import WORDS
from evalsuite.reports.contract import ReportInputs

ERRORS = ("missing", "incomparable")


class Junit:
    """``junit.xml``: one test case a gate, and one for the cells of the run.

    A regression is a failure; a gate without its numbers, and cells that failed, are errors; an inconclusive gate is a
    failure where the suite lets it fail the run, else skipped. What the exit code calls a success has neither.
    """

    def render(self, inputs: ReportInputs) -> Mapping[str, bytes]:
        suite = inputs.record.suite
        name = plain(str(suite.get("suite", "unnamed suite")))
        cases = [_gate(verdict, name, suite.get("on_inconclusive") == "warn") for verdict in inputs.verdicts]
        cases.append(_cells([cell for cell in inputs.record.missing if cell.kind == "failed"], name))
        counts = {kind: str(sum(case.find(kind[:-1]) is not None for case in cases)) for kind in ("failures", "errors")}
        skipped = str(sum(case.find("skipped") is not None for case in cases))
        totals = {"tests": str(len(cases)), **counts, "skipped": skipped}
        root = ElementTree.Element("testsuites", {"name": "evalsuite", **totals})
        ElementTree.SubElement(root, "testsuite", {"name": name, **totals}).extend(cases)
        ElementTree.indent(root)
        return {"junit.xml": ElementTree.tostring(root, encoding="utf-8", xml_declaration=True) + b"\n"}


def _gate(verdict: Verdict, suite: str, only_warns: bool) -> ElementTree.Element:
    case = ElementTree.Element("testcase", {"classname": f"{suite}.gates", "name": plain(verdict.gate)})
    reason = plain(verdict.reason)
    if verdict.outcome in ERRORS:
        _because(case, "error", verdict.outcome, reason)
    elif verdict.outcome == "fail" or (verdict.outcome == "inconclusive" and not only_warns):
        _because(case, "failure", verdict.outcome, reason)
    elif verdict.outcome == "inconclusive":
        ElementTree.SubElement(case, "skipped", {"message": reason})
    else:
        ElementTree.SubElement(case, "system-out").text = reason
    return case


def _because(case: ElementTree.Element, kind: str, outcome: str, reason: str) -> None:
    attributes = {"type": outcome, "message": f"{WORDS[outcome]}: {reason}"}  # type: ignore[index]
    ElementTree.SubElement(case, kind, attributes).text = reason


def _cells(failed: list[Missing], suite: str) -> ElementTree.Element:
    case = ElementTree.Element("testcase", {"classname": f"{suite}.run", "name": "every cell ran"})
    if failed:
        reasons = "\n".join(plain(f"{cell.name} of {cell.case_key}: {cell.reason}") for cell in failed)
        message = f"{counted(len(failed), 'cell')} of the run failed"
        ElementTree.SubElement(case, "error", {"type": "failed", "message": message}).text = reasons
    return case
