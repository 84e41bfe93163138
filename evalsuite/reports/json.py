"""Report format ``json``: the run with what was concluded from it, in one file for other programs."""

from __future__ import annotations

import json
from collections.abc import Mapping

from evalsuite.reports.contract import ReportInputs


class Json:
    """``record.json``: the run's record without its arrays, its hash, what was concluded, and the command.

    The run folder's own ``record.json`` is what evalsuite reads back; this one is a copy to hand on. ASCII only, keys
    in the records' order, no NaN.
    """

    def render(self, inputs: ReportInputs) -> Mapping[str, bytes]:
        content = {
            **inputs.record.model_dump(mode="json"),
            "content_hash": inputs.record.content_hash,
            "comparisons": [comparison.model_dump(mode="json") for comparison in inputs.comparisons],
            "across_targets": [comparison.model_dump(mode="json") for comparison in inputs.across_targets],
            "tradeoffs": inputs.tradeoffs.model_dump(mode="json"),
            "verdicts": [verdict.model_dump(mode="json") for verdict in inputs.verdicts],
            "command": inputs.command,
        }
        return {"record.json": json.dumps(content, indent=1, allow_nan=False).encode() + b"\n"}
