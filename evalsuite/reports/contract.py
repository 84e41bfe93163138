"""What a renderer is: a pure function from a run folder to files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from evalsuite.records import Comparison, Identity, Robustness, RunRecord, Tradeoffs, Verdict


@dataclass(frozen=True)
class ReportInputs:
    """What a report shows.

    Attributes:
        record: the run.
        folder: the run folder, for ``gallery/`` thumbnails; nothing outside it is read.
        comparisons: every student against its teacher, and slice tables, by metric.
        verdicts: of the suite's gates.
        command: the command that makes the run again.
        across_targets: every model on a target against the same model on the first target that ran it.
        tradeoffs: of quality against latency, memory and cost.
        robustness: slice by slice: what a slice does to a model, to its gap to the teacher, and how sure that is; the
            worst slices, robustness relative to the teacher, and curves over severity. Empty without slices.
        best: measurements that are better than those of all other models on their target, beyond chance.
        link: where others can read the report, http or https; "" where it lies in the run folder only.
    """

    record: RunRecord
    folder: Path
    comparisons: Sequence[Comparison]
    verdicts: Sequence[Verdict]
    command: str
    across_targets: Sequence[Comparison] = ()
    tradeoffs: Tradeoffs = field(default_factory=Tradeoffs)
    robustness: Robustness = field(default_factory=Robustness)
    best: frozenset[Identity] = frozenset()
    link: str = ""


class Renderer(Protocol):
    """A report format; its class is made without arguments."""

    def render(self, inputs: ReportInputs) -> Mapping[str, bytes]:
        """File contents by relative file name, below the run folder's ``report/``."""
        ...
