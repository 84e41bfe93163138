"""Whatever a child does, the caller gets one result a task, and no process is left behind."""

from __future__ import annotations

import functools
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from evalsuite.errors import CellError, Failed, Skipped, Unavailable
from evalsuite.executors.contract import Progress, Result, Task
from evalsuite.executors.local import Local
from tests.executors import processes


def run(*tasks: Task, workers: int = 1) -> dict[str, Result]:
    return {news.key: news for news in Local(workers=workers).map(tasks) if isinstance(news, Result)}


def alive(pid: int) -> bool:
    """Whether a process runs; a zombie that nobody has reaped does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def wait_until(condition: Callable[[], bool], timeout_s: float = 10.0) -> bool:
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.05)
    return False


def all_dead(pids: Path) -> bool:
    """Whether the processes in the file end soon; a kill takes effect a moment after it is sent."""
    return wait_until(lambda: not any(alive(int(pid)) for pid in pids.read_text().split()))


def test_result_and_progress_in_order() -> None:
    news = list(Local().map([Task("sum", processes.add, (2, 3))]))
    assert news == [Progress("sum", 1, 2), Progress("sum", 2, 2), Result("sum", value=5)]


def test_no_tasks_no_results() -> None:
    assert list(Local().map([])) == []


def test_every_task_has_a_process_of_its_own() -> None:
    results = run(Task("a", processes.process_id, ()), Task("b", processes.process_id, ()))
    assert len({results["a"].value, results["b"].value, os.getpid()}) == 3


@pytest.mark.parametrize(
    ("function", "arguments", "error", "message"),
    [
        (processes.raise_value_error, (), Failed, "ValueError: the weights are odd (processes.py, line"),
        (processes.raise_value_error, (), Failed, "its last output: loading weights"),
        (processes.raise_unavailable, (), Unavailable, "no such device"),
        (processes.raise_error_that_does_not_pickle, (), Failed, "UnknownNameError: unknown metric 'fed'"),
        (processes.kill_itself, (signal.SIGKILL,), Failed, "killed by SIGKILL, probably out of memory"),
        (processes.kill_itself, (signal.SIGSEGV,), Failed, "killed by SIGSEGV"),
        (processes.leave, (3,), Failed, "ended with exit code 3 before it answered; its last output: about to leave"),
        (processes.return_lambda, (), Failed, "a function cannot be sent to another process"),
        (processes.hang, (), Failed, "gave no sign of life for 1 s"),
        (lambda report: None, (), Failed, "cannot be sent to another process"),
    ],
)
def test_failure_is_a_result_and_the_next_task_runs(
    function: Callable[..., Any], arguments: tuple[Any, ...], error: type[CellError], message: str
) -> None:
    results = run(Task("bad", function, arguments, timeout_s=1.0), Task("good", processes.add, (1, 1)))
    assert type(results["bad"].error) is error
    assert message in str(results["bad"].error)
    assert results["good"] == Result("good", value=2)


def test_progress_postpones_the_time_out() -> None:
    assert run(Task("slow", processes.report_slowly, (), timeout_s=0.9))["slow"].value == "done"


def test_time_out_ends_grandchildren_too(tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    result = run(Task("hang", processes.hang_with_grandchild, (pids,), timeout_s=2.0))["hang"]
    assert isinstance(result.error, Failed)
    assert all_dead(pids)


@pytest.mark.parametrize(
    ("theirs", "found"),
    [({}, "1000"), ({"GOMP_SPINCOUNT": "7"}, "7"), ({"OMP_WAIT_POLICY": "passive"}, None)],
    ids=["nothing", "the same", "a policy"],
)
def test_threads_of_tasks_wait_asleep_where_nothing_else_is_set(
    monkeypatch: pytest.MonkeyPatch, theirs: dict[str, str], found: str | None
) -> None:
    """Else another process makes them up to a hundred times as slow; workers are timed as users run models."""
    for name in ("GOMP_SPINCOUNT", "OMP_WAIT_POLICY"):
        monkeypatch.delenv(name, raising=False)
    for name, value in theirs.items():
        monkeypatch.setenv(name, value)
    assert run(Task("it", processes.variable, ("GOMP_SPINCOUNT",)))["it"].value == found
    with Local().open(processes.Environment, ()) as worker:
        assert worker.call("variable", "GOMP_SPINCOUNT") == theirs.get("GOMP_SPINCOUNT")


def test_tasks_run_one_after_another_by_default_and_side_by_side_on_request() -> None:
    tasks = [Task(name, processes.sleep_then_stamp, (0.8,)) for name in "ab"]
    first, second = (result.value for result in run(*tasks).values())
    assert first[1] <= second[0]
    first, second = (result.value for result in run(*tasks, workers=2).values())
    assert second[0] < first[1]


def noted(file: Path) -> list[tuple[str, str]]:
    return [(word, pid) for word, pid in map(str.split, file.read_text().splitlines())]


def test_the_next_process_gets_prepared_while_a_task_runs_and_only_that_one(tmp_path: Path) -> None:
    file = tmp_path / "notes"
    prepare = functools.partial(processes.note, file, "prepared")
    run(*(Task(name, processes.sleep_then_note, (file, 0.8), prepare=prepare) for name in "abc"))
    words, pids = zip(*noted(file), strict=True)
    # The first has nothing to wait for.
    assert words == ("prepared", "done", "prepared", "done", "done")
    assert (pids[0], pids[2]) == (pids[3], pids[4])
    assert len({pids[1], pids[3], pids[4]}) == 3


def test_what_goes_wrong_in_preparing_does_not_end_the_task(tmp_path: Path) -> None:
    file = tmp_path / "notes"
    tasks = [
        Task("first", processes.sleep_then_note, (file, 0.8)),
        Task("raises", processes.add, (1, 1), prepare=functools.partial(processes.note_and_raise, file)),
        Task("lambda", processes.add, (2, 2), prepare=lambda: None),
        Task("killed", processes.add, (3, 3), prepare=functools.partial(os.kill, 0, signal.SIGKILL)),
        Task("last", processes.add, (4, 4)),
    ]
    results = run(*tasks)
    assert [word for word, _ in noted(file)] == ["raised", "done"]
    assert [results[key].value for key in ("raises", "lambda", "last")] == [2, 4, 8]
    assert "killed by SIGKILL" in str(results["killed"].error)


def test_abandoned_iterator_ends_a_process_that_waits_too(tmp_path: Path) -> None:
    file = tmp_path / "notes"
    prepare = functools.partial(processes.note, file, "prepared")
    news = Local().map([
        Task("hang", processes.report_slowly, ()),
        Task("next", processes.add, (1, 1), prepare=prepare),
    ])  # fmt: skip
    next(news)
    assert wait_until(file.exists)
    ((_, pid),) = noted(file)
    assert alive(int(pid))
    news.close()
    assert wait_until(lambda: not alive(int(pid)))


def test_abandoned_iterator_ends_its_children(tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    news = Local(workers=2).map([
        Task("hang", processes.hang_with_grandchild, (pids,)),
        Task("slow", processes.report_slowly, ()),
    ])  # fmt: skip
    next(news)
    assert wait_until(lambda: pids.exists() and len(pids.read_text().split()) == 2)
    news.close()  # type: ignore[attr-defined]
    assert all_dead(pids)


def test_worker_keeps_its_object_between_calls_and_closes_it(tmp_path: Path) -> None:
    with Local().open(processes.Counter, (40, tmp_path / "closed")) as worker:
        assert worker.call("add", 1) == 41
        assert worker.call("add", 1) == 42
        pid = worker.pid
    assert (tmp_path / "closed").exists()
    assert not alive(pid)


def test_what_a_task_wants_done_at_its_end_is_done(tmp_path: Path) -> None:
    assert run(Task("word", processes.leave_word, (tmp_path / "word",)))["word"].error is None
    assert (tmp_path / "word").read_text() == "done"


@pytest.mark.parametrize(
    ("how", "error", "message"),
    [
        ("skipped", Skipped, "not for this model"),
        ("raise", Failed, "RuntimeError: broken"),
        ("killed", Failed, "killed by SIGKILL"),
        ("hang", Failed, "no sign of life"),
    ],
)
def test_worker_failure_ends_it_and_leaves_other_workers_alone(how: str, error: type[CellError], message: str) -> None:
    with Local().open(processes.Counter, (0,)) as other, Local().open(processes.Counter, (0,)) as worker:
        with pytest.raises(error, match=message):
            worker.call("fail", how, timeout_s=1.0)
        with pytest.raises(Failed, match="already ended"):
            worker.call("add", 1)
        assert not alive(worker.pid)
        assert other.call("add", 1) == 1


def test_worker_whose_object_cannot_be_made_says_so_at_the_first_call() -> None:
    with Local().open(processes.refuse, ("no licence",)) as worker:
        with pytest.raises(Unavailable, match="no licence"):
            worker.call("add", 1)
        with pytest.raises(Failed, match="already ended"):
            worker.call("add", 1)


def test_workers_make_their_objects_at_the_same_time() -> None:
    with Local().open(processes.SlowToMake, (1.0,)) as first, Local().open(processes.SlowToMake, (1.0,)) as second:
        (begin_1, end_1), (begin_2, end_2) = (worker.call("made") for worker in (first, second))
    assert max(begin_1, begin_2) < min(end_1, end_2)


def test_waiting_worker_uses_no_processor_time() -> None:
    with Local().open(processes.Counter, (0,)) as worker:
        worker.call("add", 1)
        before = Path(f"/proc/{worker.pid}/stat").read_text().split()[13:15]
        time.sleep(0.5)
        assert Path(f"/proc/{worker.pid}/stat").read_text().split()[13:15] == before


SCRIPT_WITHOUT_MAIN_GUARD = """
    from pathlib import Path
    from evalsuite.executors.contract import Task
    from evalsuite.executors.local import Local
    from tests.executors import processes

    print("script runs", flush=True)
    for news in Local().map([Task("t", processes.{function}, {arguments})]):
        print(news, flush=True)
"""


def start_script(folder: Path, function: str, arguments: str) -> subprocess.Popen[str]:
    script = folder / "script.py"
    script.write_text(textwrap.dedent(SCRIPT_WITHOUT_MAIN_GUARD).format(function=function, arguments=arguments))
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
    return subprocess.Popen(
        [sys.executable, str(script)],
        env=environment,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )


def test_script_without_a_main_guard_is_not_run_again_by_its_children(tmp_path: Path) -> None:
    with start_script(tmp_path, "add", "(2, 3)") as script:
        output, errors = script.communicate(timeout=30)
    assert (output.count("script runs"), "value=5" in output, errors) == (1, True, "")


def test_children_end_when_their_parent_is_killed(tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    with start_script(tmp_path, "hang_with_grandchild", f"(Path({str(pids)!r}),)") as script:
        assert wait_until(lambda: pids.exists() and len(pids.read_text().split()) == 2, 30)
        os.kill(script.pid, signal.SIGKILL)
        script.communicate(timeout=10)
    assert all_dead(pids)


def test_ctrl_c_interrupts_the_parent_alone_and_ends_the_children(tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    with start_script(tmp_path, "hang_with_grandchild", f"(Path({str(pids)!r}),)") as script:
        assert wait_until(lambda: pids.exists() and len(pids.read_text().split()) == 2, 30)
        os.killpg(script.pid, signal.SIGINT)
        _, errors = script.communicate(timeout=10)
    assert all_dead(pids)
    assert errors.count("Traceback") == 1  # the script's own; none of a child


def test_tasks_can_be_run_from_a_thread_that_ends() -> None:
    workers = []

    def start() -> None:
        context = Local().open(processes.Counter, (0,))
        workers.append((context, context.__enter__()))

    thread = threading.Thread(target=start)
    thread.start()
    thread.join()
    context, worker = workers[0]
    assert worker.call("add", 1) == 1
    context.__exit__(None, None, None)
