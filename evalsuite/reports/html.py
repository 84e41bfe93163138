"""Report format ``html``: a page with its pictures and figures beside it, to be opened from a disk."""

from __future__ import annotations

from collections.abc import Mapping

from evalsuite.reports._assets import Assets
from evalsuite.reports._report import report
from evalsuite.reports.contract import ReportInputs


class Html:
    """``index.html``, ``gallery/`` with the pictures it shows, ``figures/`` with each figure as SVG and PNG.

    Every text of the run is hostile: templates escape all of it, invisible characters are spelled out, and the page's
    policy allows its own style sheet and scripts by their hashes, its pictures, and nothing else.
    """

    def render(self, inputs: ReportInputs) -> Mapping[str, bytes]:
        assets = Assets("beside")
        return {"index.html": report(inputs, assets), **assets.files}
