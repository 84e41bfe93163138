"""The pytest plug-in: ``pytest --evalsuite SUITE`` runs a suite, and shows each of its gates as a test.

pytest imports this module wherever evalsuite is installed, so that all of evalsuite is imported inside functions.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from evalsuite.errors import EvalsuiteError
    from evalsuite.session import Session

GATES = pytest.StashKey[list[tuple[str, str]]]()
"""Outcome and sentence of every gate that was judged, for the summary at the end."""


def pytest_addoption(parser: pytest.Parser) -> None:
    from evalsuite.profiles import PROFILES

    group = parser.getgroup("evalsuite")
    group.addoption(
        "--evalsuite",
        action="append",
        default=[],
        metavar="SUITE",
        help="Run a suite file and show each of its gates as a test; may be given several times.",
    )
    group.addoption(
        "--evalsuite-samples", type=int, metavar="N", help="Samples for each model, in place of the suite's."
    )
    group.addoption(
        "--evalsuite-profile",
        choices=PROFILES,
        help="How long to time models; else the suite says.",
    )
    group.addoption(
        "--evalsuite-allow-code", action="store_true", help="Run Python code that the suite names; read it first."
    )


def pytest_configure(config: pytest.Config) -> None:
    """Suites are collected like files that were named; where none was, they are all that is collected."""
    suites = config.getoption("--evalsuite")
    config.stash[GATES] = []
    _offer_latency(config)
    if suites:
        named = config.args if config.args_source is pytest.Config.ArgsSource.ARGS else []
        config.args = [*named, *suites]


def _offer_latency(config: pytest.Config) -> None:
    """The fixture ``model_latency``, or one that says what it lacks: pytest-benchmark, known by its options."""
    if config.getoption("--benchmark-disable", None) is None:
        config.pluginmanager.register(_WithoutBenchmark(), "evalsuite-latency")
    else:
        from evalsuite import pytest_latency

        config.pluginmanager.register(pytest_latency, "evalsuite-latency")


class _WithoutBenchmark:
    @pytest.fixture
    def model_latency(self) -> None:
        pytest.fail(
            "model_latency needs pytest-benchmark; install it with: pip install 'evalsuite[benchmark]'", pytrace=False
        )


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    chosen = {Path(suite).resolve() for suite in parent.config.getoption("--evalsuite")}
    return SuiteFile.from_parent(parent, path=file_path) if file_path.resolve() in chosen else None


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """What was found at each gate: a passed test says nothing by itself."""
    if config.stash[GATES]:
        terminalreporter.section("evalsuite gates")
        for outcome, sentence in config.stash[GATES]:
            terminalreporter.line(f"{outcome.upper()}: {sentence}", **_COLOURS.get(outcome, {"yellow": True}))


_COLOURS = {"pass": {"green": True}, "fail": {"red": True}}


class SuiteFile(pytest.File):
    """A suite file, which is run once, when the first of its gates is."""

    _session: Session | EvalsuiteError | None = None

    def collect(self) -> Iterator[pytest.Item]:
        """One item a gate and candidate, and one for the cells of the run."""
        from evalsuite.compare.sentences import gate_line
        from evalsuite.compare.sides import declared_candidates
        from evalsuite.errors import EvalsuiteError
        from evalsuite.suite.load import load_suite

        try:
            suite = load_suite(self.path)
        except EvalsuiteError as error:
            raise self.CollectError(str(error)) from error
        for gate in suite.gates:
            for who in declared_candidates(gate, suite):
                yield GateItem.from_parent(self, name=gate_line(gate, who))
        yield CellsItem.from_parent(self, name="every cell ran")

    def finished(self) -> Session:
        """The run, started now if it has not been; one that cannot run is not tried again for every gate.

        Raises:
            EvalsuiteError: the suite cannot be run.
        """
        from evalsuite import session
        from evalsuite.errors import EvalsuiteError, Interrupted

        if self._session is None:
            try:
                self._session = session.run(
                    self.path,
                    samples=self.config.getoption("--evalsuite-samples"),
                    profile=self.config.getoption("--evalsuite-profile"),
                    allow_code=self.config.getoption("--evalsuite-allow-code"),
                )
            except Interrupted as error:
                pytest.exit(str(error), error.exit_code)
            except EvalsuiteError as error:
                self._session = error
        if isinstance(self._session, EvalsuiteError):
            raise self._session
        return self._session


class _Item(pytest.Item):
    """Something about a finished run that holds or does not; what a user caused is said without a traceback."""

    parent: SuiteFile

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        from evalsuite.errors import EvalsuiteError

        if isinstance(excinfo.value, NotHeld | EvalsuiteError):
            return str(excinfo.value)
        return super().repr_failure(excinfo)

    def reportinfo(self) -> tuple[Path, int | None, str]:
        return self.path, None, self.name


class NotHeld(AssertionError):
    """A gate did not pass, or a cell failed; the message is the sentence for people."""


class GateItem(_Item):
    """A gate on one candidate."""

    def runtest(self) -> None:
        session = self.parent.finished()
        verdict = next((v for v in session.verdicts if v.gate == self.name), None)
        if verdict is None:
            raise NotHeld("It was not judged: its model and target did not run.")
        self.config.stash[GATES].append((verdict.outcome, f"{verdict.gate}: {verdict.reason}"))
        self.user_properties.append(("verdict", verdict.outcome))
        if verdict.outcome == "inconclusive" and session.record.suite["on_inconclusive"] == "warn":
            pytest.skip(verdict.reason)
        if verdict.outcome != "pass":
            raise NotHeld(f"{verdict.outcome}: {verdict.reason}\nreport: {session.folder / 'report'}")


class CellsItem(_Item):
    """All cells of the run."""

    def runtest(self) -> None:
        failed = [cell for cell in self.parent.finished().record.missing if cell.kind == "failed"]
        if failed:
            raise NotHeld("\n".join(f"{cell.name} of {cell.case_key} failed: {cell.reason}" for cell in failed))
