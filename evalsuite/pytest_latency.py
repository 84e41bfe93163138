"""The fixture ``model_latency``: a model's latency, measured as everywhere in evalsuite, for pytest-benchmark.

:mod:`evalsuite.pytest_plugin` registers this module where pytest-benchmark is there. That library times a function in
the process of the tests; here the model has a process of its own, and what is recorded are the times taken there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pytest_benchmark.fixture import BenchmarkFixture

    from evalsuite.records import Measurement, RunRecord

METRIC = "latency_p50"


class Clock:
    """A timer for pytest-benchmark that stands still but for the times that are replayed on it."""

    __name__ = "evalsuite"

    def __init__(self) -> None:
        self._now = 0.0

    def __call__(self) -> float:
        return self._now

    def replay(self, benchmark: BenchmarkFixture, seconds: Sequence[float]) -> None:
        """Record these times, as if a function had taken them now."""
        times = iter(seconds)

        def advance() -> None:
            self._now += next(times, 0.0)  # a profiler calls it once more than there are rounds

        benchmark.pedantic(advance, rounds=len(seconds))  # type: ignore[no-untyped-call]


CLOCK = pytest.StashKey[Clock]()


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Say which timer to use before there are fixtures: ``benchmark`` looks for it only when it is made."""
    if model_latency.__name__ in getattr(item, "fixturenames", ()):
        item.stash[CLOCK] = Clock()
        own = item.get_closest_marker("benchmark")
        settings = {**(own.kwargs if own else {}), "timer": item.stash[CLOCK]}
        item.add_marker(pytest.mark.benchmark(**settings), append=False)


@pytest.fixture
def model_latency(
    request: pytest.FixtureRequest, benchmark: BenchmarkFixture, tmp_path_factory: pytest.TempPathFactory
) -> Callable[..., Measurement]:
    """A function that measures the latency of a model, once in a test, and gives it to pytest-benchmark.

    Its arguments are written as in a suite file: ``adapter`` and the adapter's settings; ``target``, a mapping with
    ``device`` (``cpu``) and its settings; where the model needs them ``reference`` (whose classes are asked for),
    ``prompts`` or ``inputs``. Relative paths are taken from the test's folder. Requests are for one image, or for
    ``batch_size``; ``profile`` (``ci``, ``standard`` or ``strict``) says how long, else ``--evalsuite-profile``.

    It returns the median as a :class:`evalsuite.records.Measurement`: ``value`` in seconds, its ``interval``, and
    ``invalid``, which rule of the measurement was broken, or "". The test is skipped where the machine lacks a device
    or a package that the model needs, and fails where the model does.
    """
    used = False

    def measure(
        adapter: str,
        *,
        target: Mapping[str, Any] | None = None,
        batch_size: int = 1,
        profile: str | None = None,
        **more: Any,
    ) -> Measurement:
        nonlocal used
        if used:
            pytest.fail("found a second call of model_latency, expected one in a test: parametrize it", pytrace=False)
        used = True
        record = _run(
            _suite(adapter, {"device": "cpu", **(target or {})}, batch_size, more),
            request.path,
            tmp_path_factory.mktemp("latency"),
            profile or request.config.getoption("--evalsuite-profile"),
        )
        median = _median(record)
        (timings,) = (one for one in record.timings if not one.series)
        benchmark.extra_info.update(_details(median))
        request.node.stash[CLOCK].replay(benchmark, [seconds for calls in timings.values for seconds in calls])
        if median.invalid:
            request.node.warn(pytest.PytestWarning(f"the latency is INVALID: {median.invalid}"))
        return median

    return measure


def _suite(adapter: str, target: Mapping[str, Any], batch_size: int, more: Mapping[str, Any]) -> dict[str, Any]:
    """The suite that measures one model and nothing but its latency, as a file would say it."""
    asked = {key: more[key] for key in ("reference", "prompts", "inputs") if key in more}
    tasks = {"inputs": "image_to_image", "prompts": "text_to_image", "reference": "class_conditional"}
    settings = {key: value for key, value in more.items() if key not in asked}
    scenario = "single_stream" if batch_size == 1 else f"offline:batch_size={batch_size}"
    return {
        "suite": "model-latency",
        "task": next((task for key, task in tasks.items() if key in asked), "unconditional"),
        **asked,
        "sampling": {"num_samples": 1},
        "models": {"model": {"role": "teacher", "adapter": adapter, **settings}},
        "targets": {"target": dict(target)},
        "metrics": [{"latency": {"scenario": scenario, "percentiles": [50]}}],
        "report": {"formats": ["json"]},
    }


def _run(content: Mapping[str, Any], origin: Path, folder: Path, profile: str | None) -> RunRecord:
    """Measure; a mistake of the test's author ends the test with a sentence, and Ctrl-C ends pytest."""
    from evalsuite import session
    from evalsuite.errors import EvalsuiteError, Interrupted
    from evalsuite.suite.load import suite_of

    try:
        # A test that names a model of Python code is code that runs, too.
        suite = suite_of(content, origin)
        return session.run(suite, out=folder / "run", cache=folder / "cache", allow_code=True, profile=profile).record
    except Interrupted as error:
        pytest.exit(str(error), error.exit_code)
    except EvalsuiteError as error:
        reason = str(error)
    pytest.fail(reason, pytrace=False)


def _median(record: RunRecord) -> Measurement:
    """The measurement; the test ends here where there is none."""
    found = next((cell for cell in record.measurements if cell.name == METRIC), None)
    if found is not None:
        return found
    absent = next(cell for cell in record.missing if METRIC.startswith(cell.name))
    reason = f"the model has no latency here ({absent.kind}): {absent.reason}"
    if absent.kind == "unavailable":
        pytest.skip(reason)
    pytest.fail(reason, pytrace=False)


def _details(median: Measurement) -> dict[str, Any]:
    """What pytest-benchmark keeps beside the times, for those who read its files."""
    assert median.interval is not None
    return {
        "median_low": median.interval.low,
        "median_high": median.interval.high,
        "level": median.interval.level,
        "invalid": median.invalid,
        "protocol": dict(median.protocol),
    }
