"""Report format ``single_file``: the page of ``html`` as one file, to be mailed or attached."""

from __future__ import annotations

from collections.abc import Mapping

from evalsuite.reports._assets import Assets
from evalsuite.reports._report import report
from evalsuite.reports.contract import ReportInputs


class SingleFile:
    """``report.html``, with every picture inside it."""

    def render(self, inputs: ReportInputs) -> Mapping[str, bytes]:
        return {"report.html": report(inputs, Assets("inside"))}
