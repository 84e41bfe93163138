"""Report format ``comment``: the verdict and the main table, short enough for a comment on a pull request."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from evalsuite.reports._format import counted
from evalsuite.reports._summary import gate_rows, headline
from evalsuite.reports._tables import Table, main_tables
from evalsuite.reports.contract import ReportInputs
from evalsuite.reports.markdown import READING, code, escaped, table_lines

SIGNS = {"pass": "✅", "fail": "❌", "inconclusive": "⚠️", "incomparable": "⛔", "missing": "⛔", "none": "➖"}
LARGEST = 60_000
"""Characters; forges take 65,536, and cut or refuse what is longer."""


class Comment:
    """``comment.md``. Texts of the run are escaped: they can make no link, mention, heading, table cell or HTML."""

    def render(self, inputs: ReportInputs) -> Mapping[str, bytes]:
        text = "\n".join([*_verdict(inputs), ""])
        foot = "\n".join(_foot(inputs))
        for table in main_tables(inputs):
            folded = "\n".join(_folded(table))
            if len(text) + len(folded) + len(foot) > LARGEST:
                text += "More tables are in the report: this comment has no room for them.\n\n"
                break
            text += folded
        return {"comment.md": (text + foot + "\n").encode()}


def _verdict(inputs: ReportInputs) -> Iterator[str]:
    top = headline(inputs)
    name = escaped(str(inputs.record.suite.get("suite", "unnamed suite")))
    yield f"### {SIGNS[top.outcome]} {name}: {escaped(top.word)}"
    yield ""
    yield escaped(top.sentence)
    gates = gate_rows(inputs.verdicts)
    if gates:
        yield ""
        yield "| | Gate | What was found |"
        yield "|:-:|:--|:--|"
        for outcome, word, gate, reason in gates:
            yield f"| {SIGNS[outcome]} {escaped(word)} | {escaped(gate)} | {escaped(reason)} |"


def _folded(table: Table) -> Iterator[str]:
    yield f"<details><summary>Teacher against students on target {escaped(table.target)}</summary>"
    yield ""
    yield READING
    yield ""
    yield from table_lines(table)
    yield "</details>"
    yield ""
    yield ""


def _foot(inputs: ReportInputs) -> Iterator[str]:
    record = inputs.record
    failed = sum(cell.kind == "failed" for cell in record.missing)
    facts = [
        f"[Full report](<{inputs.link}>)" if inputs.link else "",
        f"{record.suite.get('sampling', {}).get('num_samples', '?')} samples a model",
        f"{counted(failed, 'cell')} failed" if failed else "",
        f"suite {code(record.suite_hash[:12])}",
        code(inputs.command) if inputs.command else "",
    ]
    yield f"<sub>{' · '.join(filter(None, facts))}</sub>"
