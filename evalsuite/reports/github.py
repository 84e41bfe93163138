"""Report format ``github``: workflow commands that become annotations of a GitHub Actions run."""

from __future__ import annotations

from collections.abc import Mapping

from evalsuite.reports._format import counted, plain
from evalsuite.reports._summary import gate_rows
from evalsuite.reports.contract import ReportInputs

LEVELS = {"pass": "notice", "fail": "error", "inconclusive": "error", "incomparable": "error", "missing": "error"}


class Github:
    """``annotations.txt``: a line a gate, for the log of a job; the most urgent first, since few are shown."""

    def render(self, inputs: ReportInputs) -> Mapping[str, bytes]:
        suite = plain(str(inputs.record.suite.get("suite", "unnamed suite")))
        levels = dict(LEVELS)
        if inputs.record.suite.get("on_inconclusive") == "warn":
            levels["inconclusive"] = "warning"
        lines = [
            _command(levels[outcome], f"{suite}: {word}", f"{gate}: {reason}")
            for outcome, word, gate, reason in gate_rows(inputs.verdicts)
        ]
        failed = [cell for cell in inputs.record.missing if cell.kind == "failed"]
        if failed:
            first = f"{failed[0].name} of {failed[0].case_key}: {failed[0].reason}"
            lines.append(_command("error", f"{suite}: {counted(len(failed), 'cell')} failed", first))
        return {"annotations.txt": "".join(f"{line}\n" for line in lines).encode()}


def _command(level: str, title: str, message: str) -> str:
    """``::error title=...::...``, whose parts cannot begin a command of their own."""
    return f"::{level} title={_property(title)}::{_data(message)}"


def _data(text: str) -> str:
    return plain(text).replace("%", "%25")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
