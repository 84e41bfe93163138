"""The whole way: run, compare, judge the gates, write the reports; or the last steps alone, from a run folder."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from evalsuite import plugins
from evalsuite.compare.baseline import BASELINES, load_all
from evalsuite.compare.gate import exit_code, judge, wants_more
from evalsuite.compare.ranks import best_of
from evalsuite.compare.robustness import robustness
from evalsuite.compare.tables import across_targets, against_teacher
from evalsuite.compare.tradeoffs import tradeoffs
from evalsuite.errors import UsageError
from evalsuite.files import write_atomically
from evalsuite.outlook import check_stages, refuse_hopeless
from evalsuite.pipeline.events import Event, Listener
from evalsuite.pipeline.history import load_checked_run
from evalsuite.pipeline.plan import Only
from evalsuite.pipeline.runner import RunOptions, execute
from evalsuite.records import Comparison, RunRecord, Verdict
from evalsuite.reports.contract import ReportInputs
from evalsuite.suite.load import load_suite
from evalsuite.suite.recorded import recorded_suite
from evalsuite.suite.schema import Suite

REPORT = "report"


@dataclass(frozen=True)
class Session:
    """What a run ended with.

    Attributes:
        record: the numbers.
        folder: the run folder, reports included.
        comparisons: every student with its teacher.
        verdicts: of the suite's gates.
        exit_code: of the command: 0 pass, 1 regression, 3 inconclusive, 4 failed or incomparable cells.
    """

    record: RunRecord
    folder: Path
    comparisons: list[Comparison]
    verdicts: list[Verdict]
    exit_code: int


def run(
    suite: Suite | str | Path,
    *,
    out: str | Path | None = None,
    only: Only | None = None,
    samples: int | None = None,
    cache: str | Path | None = None,
    executor: str = "local",
    fresh_timings: bool = False,
    allow_code: bool = False,
    profile: str | None = None,
    timeout_s: float = 600.0,
    baselines: str | Path = BASELINES,
    listener: Listener | None = None,
) -> Session:
    """Run a suite, and write its record and reports.

    Args:
        suite: a suite, or the path of its file.
        out: the run's own folder; None for a new one below ``runs/``.
        only: globs by ``model``, ``target`` and ``slice``: run these cells alone (the slice ``all`` always runs).
        samples: samples for each model, in place of the suite's number.
        cache: where samples, features, measurements and timings are kept; None for the default.
        executor: where models run.
        fresh_timings: time again what the cache holds.
        allow_code: run Python code that the suite names.
        profile: how long to time models, in place of the suite's: ``ci``, ``standard`` or ``strict``.
        timeout_s: a child process that makes no progress for so long is ended, and its cell failed.
        baselines: the folder of baselines that gates refer to.
        listener: told of everything that happens.

    A suite that extends on inconclusive gates is run again with more samples, stage by stage, until nothing is open.

    Raises:
        UsageError: the suite or an argument makes no sense, or a gate is known to be undecidable; nothing was done.
        StoreError: the cache or the run folder cannot be written.
        Interrupted: the user stopped it; the same call goes on from there.
    """
    loaded = suite if isinstance(suite, Suite) else load_suite(suite)
    options = RunOptions(
        out=None if out is None else Path(out),
        only=only or {},
        samples=samples,
        cache=None if cache is None else Path(cache),
        executor=executor,
        fresh_timings=fresh_timings,
        allow_code=allow_code,
        profile=profile,
        timeout_s=timeout_s,
        command=_command(loaded if isinstance(suite, Suite) else suite, only or {}, samples, profile, allow_code),
    )
    tell = listener or (lambda event: None)
    if samples is None and not only:
        refuse_hopeless(loaded, baselines)
        check_stages(loaded, allow_code)
    record, folder = execute(loaded, options, tell)
    kept = load_all(loaded.suite, Path(baselines))
    while samples is None and (look := wants_more(record, judge(record, kept))):
        tell(Event("stage", "extend", f"look {look.number} of {look.of}", total=look.num_samples))
        record, folder = execute(
            loaded, replace(options, out=folder, samples=look.num_samples, fresh_timings=False), tell
        )
    tell(Event("stage", "report", total=len(loaded.report.formats)))
    return _finish(record, folder, loaded.report.formats, Path(baselines))


def render(run: str | Path, formats: Sequence[str] | None = None, *, baselines: str | Path = BASELINES) -> list[Path]:
    """Write the reports of a run again, from its folder alone; the paths of what was written.

    Raises:
        UsageError: there is no such run, or no such format.
        StoreError: the run folder cannot be written.
    """
    inputs = judged(run, baselines=baselines)
    return _write_reports(inputs, formats or recorded_suite(inputs.record).report.formats)


def judged(run: str | Path, *, baselines: str | Path = BASELINES, link: str = "") -> ReportInputs:
    """A run with its comparisons and the verdicts of its gates, from its folder alone.

    Args:
        run: its folder, its record, or ``latest``.
        baselines: the folder of baselines that gates refer to.
        link: where others can read its report.

    Raises:
        UsageError: there is no such run, or it or a baseline cannot be read.
    """
    record, folder = load_checked_run(run)
    return _inputs(record, folder, Path(baselines), link)


def _finish(record: RunRecord, folder: Path, formats: Sequence[str], baselines: Path) -> Session:
    inputs = _inputs(record, folder, baselines)
    _write_reports(inputs, formats)
    return Session(record, folder, list(inputs.comparisons), list(inputs.verdicts), exit_code(record, inputs.verdicts))


def _inputs(record: RunRecord, folder: Path, baselines: Path, link: str = "") -> ReportInputs:
    return ReportInputs(
        record,
        folder,
        against_teacher(record),
        judge(record, load_all(str(record.suite["suite"]), baselines)),
        command=str(record.provenance.get("command", "")),
        across_targets=across_targets(record),
        tradeoffs=tradeoffs(record),
        robustness=robustness(record),
        best=best_of(record),
        link=link,
    )


def _write_reports(inputs: ReportInputs, formats: Sequence[str]) -> list[Path]:
    written = []
    for name in dict.fromkeys(formats):
        for file, content in plugins.find("reports", name)().render(inputs).items():
            path = inputs.folder / REPORT / file
            if not path.resolve().is_relative_to((inputs.folder / REPORT).resolve()):
                raise UsageError(f"report format {name} wants to write {file!r}, expected a file below {REPORT}/")
            write_atomically(path, content)
            written.append(path)
    return written


def _command(suite: Suite | str | Path, only: Only, samples: int | None, profile: str | None, allow_code: bool) -> str:
    """The command that makes the run again; a suite made in Python is kept as the run folder's ``suite.yaml``."""
    words = ["evalsuite", "run", "suite.yaml" if isinstance(suite, Suite) else str(suite)]
    words += [word for kind, globs in only.items() for glob in globs for word in ("--only", f"{kind}={glob}")]
    words += [] if samples is None else ["--samples", str(samples)]
    words += [] if profile is None else ["--profile", profile]
    words += ["--allow-code"] if allow_code else []
    return shlex.join(words)
