"""Before a run and between its stages: gates that cannot be decided are refused, open ones get more samples."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from evalsuite.errors import UsageError
from evalsuite.outlook import check_stages, power, refuse_hopeless
from evalsuite.session import Session, run
from evalsuite.suite.schema import Suite
from tests.pipeline.user_models import model, suite_of

PSNR = {"name": "psnr", "metric": "psnr"}
KID = {"name": "kid", "metric": "kid", "settings": {"extractor": "pixels"}}
GATE = {"metric": "kid", "against": "teacher", "test": "equivalence"}
STAGES = {"on_inconclusive": "extend", "stages": [20, 40, 60]}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def suite(folder: Path, gate: dict[str, Any], **more: Any) -> Suite:
    models = {"teacher": model(folder, "good", "teacher"), "student": model(folder, "uneven")}
    gates = [{"candidate": "student", **gate}]
    return suite_of(models, num_samples=20, metrics=[PSNR, KID], gates=gates, **more)


def execute(suite: Suite, folder: Path, **options: Any) -> Session:
    return run(suite, cache=folder / "cache", allow_code=True, **options)


def limit(minimum: float) -> dict[str, Any]:
    return {"metric": "psnr", "test": "limit", "min": minimum}


def at_the_mean(folder: Path) -> dict[str, Any]:
    """A limit that is the mean of the first 60 samples: no look can decide it."""
    record = execute(suite(folder, limit(1)), folder, samples=60).record
    return limit(next(m.value for m in record.measurements if m.name == "psnr"))


class TestExtending:
    def test_an_open_gate_gets_more_samples_until_the_last_stage(self, folder: Path) -> None:
        gate, looks = at_the_mean(folder), []
        session = execute(
            suite(folder, gate, **STAGES),
            folder,
            out=folder / "extended",
            listener=lambda event: looks.append(event.total) if event.stage == "extend" else None,
        )
        assert looks == [40, 60]
        assert session.record.suite["sampling"]["num_samples"] == 60
        assert [verdict.outcome for verdict in session.verdicts] == ["inconclusive"]
        assert session.verdicts[0].reason.endswith("Look 3 of 3, at 60 samples.")
        assert (session.exit_code, session.folder) == (3, folder / "extended")

    def test_no_sample_is_generated_twice(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        gate = at_the_mean(folder)
        monkeypatch.setenv("CALLS", str(folder / "calls"))
        run(suite(folder, gate, **STAGES), cache=folder / "another", allow_code=True)
        calls = [int(line) for line in (folder / "calls").read_text().splitlines()]
        # Two models; a batch that an earlier stage left unfinished is made again, whole.
        assert 2 * 60 <= sum(calls) <= 2 * (60 + 2 * 16)

    def test_a_decided_gate_ends_the_run(self, folder: Path) -> None:
        session = execute(suite(folder, limit(1), **STAGES), folder)
        assert (session.record.suite["sampling"]["num_samples"], session.exit_code) == (20, 0)

    def test_a_number_of_samples_that_was_asked_for_is_not_extended(self, folder: Path) -> None:
        session = execute(suite(folder, at_the_mean(folder), **STAGES), folder, samples=40)
        assert session.record.suite["sampling"]["num_samples"] == 40

    def test_a_stage_that_cannot_run_is_told_before_the_first(self, folder: Path) -> None:
        (folder / "prompts.txt").write_text("".join(f"prompt {i}\n" for i in range(20)))
        models = {"teacher": model(folder, "drawn", "teacher", condition="text")}
        planned = suite_of(
            models,
            num_samples=20,
            metrics=[KID],
            task="text_to_image",
            prompts={"set": "text_lines", "settings": {"path": str(folder / "prompts.txt")}},
            on_inconclusive="extend",
            stages=[20, 30],
        )
        with pytest.raises(UsageError, match="30"):
            check_stages(planned, allow_code=True)


class TestRefusing:
    def narrow(self, folder: Path, **more: Any) -> Suite:
        return suite(folder, {**GATE, "margin": {"absolute": 1e-7}}, **more)

    def test_where_nothing_is_known_the_run_decides(self, folder: Path) -> None:
        (found,) = refuse_hopeless(self.narrow(folder))
        assert (found.effect, found.hopeless) == (None, False)
        assert "no earlier run" in found.unknown

    def test_a_margin_below_the_effect_is_refused_with_the_samples_that_would_do(self, folder: Path) -> None:
        execute(self.narrow(folder), folder)
        with pytest.raises(UsageError, match=r"1 of 1 gates .* 20 samples(?s:.*)about \d+ samples would do") as caught:
            execute(self.narrow(folder), folder, out=folder / "second")
        assert "known from small-" in str(caught.value)
        assert not (folder / "second").exists()

    def test_a_margin_above_the_effect_is_let_through(self, folder: Path) -> None:
        execute(self.narrow(folder), folder)
        (found,) = power(self.narrow(folder))
        assert found.effect is not None
        wide = suite(folder, {**GATE, "margin": {"absolute": 2 * found.effect}})
        assert refuse_hopeless(wide)[0].decidable

    def test_later_stages_count(self, folder: Path) -> None:
        execute(self.narrow(folder), folder)
        (found,) = power(self.narrow(folder))
        assert found.effect is not None
        gate = {**GATE, "margin": {"absolute": 0.9 * found.effect}}
        with pytest.raises(UsageError):
            refuse_hopeless(suite(folder, gate))
        assert refuse_hopeless(suite(folder, gate, **STAGES))[0].decidable

    def test_a_suite_that_only_warns_is_let_through(self, folder: Path) -> None:
        execute(self.narrow(folder), folder)
        assert refuse_hopeless(self.narrow(folder, on_inconclusive="warn"))[0].hopeless

    def test_a_value_near_its_limit_is_no_narrow_margin(self, folder: Path) -> None:
        gate = at_the_mean(folder)
        assert not refuse_hopeless(suite(folder, gate))[0].hopeless
