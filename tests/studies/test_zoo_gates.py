"""The study of gates on the zoo, in small: repetitions are judged as runs would be, and every row has its numbers."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from evalsuite import session
from evalsuite.compare.baseline import save
from evalsuite.records import FeatureSet
from tests.studies import alike, zoo_gates

N = 320


@pytest.fixture(scope="module")
def work_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("sets")


@pytest.fixture(scope="module")
def real() -> FeatureSet:
    return alike.reference()


@pytest.fixture(scope="module")
def sets(work_dir: Path) -> list[FeatureSet]:
    return alike.samples_of("fashion-1step", N, 4, work_dir, threads=1)


def test_every_row(work_dir: Path, sets: list[FeatureSet], capsys: pytest.CaptureFixture[str]) -> None:
    zoo_gates.main(work_dir, sets=len(sets), num_samples=N)
    rows = [line for line in capsys.readouterr().out.splitlines() if line.startswith("|")][2:]
    assert len(rows) == 2 + len(zoo_gates.JOINED)
    assert [row.rsplit("|", 2)[1] for row in rows[:2]] == [" 0.0 % ± 0.0 "] * 2
    assert "planned from an earlier run" in rows[-1]


def test_a_repetition_is_judged_as_a_run_of_the_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sets: list[FeatureSet], real: FeatureSet
) -> None:
    """The run of a suite under the seeds of each of two sets, the first one its baseline."""
    monkeypatch.chdir(tmp_path)
    metrics = ("fid", "class_accuracy")

    def ran(seed: int) -> session.Session:
        suite = {
            "suite": "alike",
            "task": "class_conditional",
            "reference": {"dataset": "fashion-mnist"},
            "sampling": {"num_samples": N, "seed": seed},
            "models": {"student": {"role": "student", "adapter": "zoo", "name": "fashion-1step"}},
            "targets": {"cpu": {"device": "cpu", "threads": 1, "batch_size": alike.BATCH_SIZE}},
            "metrics": list(metrics),
            "slices": [{"attribute": "class"}],
            "gates": zoo_gates.gates_on(metrics),
            "report": {"formats": ["json"]},
        }
        (tmp_path / "alike.yaml").write_text(yaml.safe_dump(suite))
        return session.run("alike.yaml")

    save(ran(alike.SEEDS).record, "main", Path("baselines"))
    found = ran(alike.SEEDS + 1).verdicts
    cells = [zoo_gates.cells_of(samples, real, metrics, "student") for samples in sets[:2]]
    expected = zoo_gates.verdicts_of(*cells, same_seeds=False)
    assert [verdict.outcome for verdict in found] == [verdict.outcome for verdict in expected]
    assert [verdict.p_fail for verdict in found] == pytest.approx([verdict.p_fail for verdict in expected], rel=0.01)
