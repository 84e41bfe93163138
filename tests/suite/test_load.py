"""From a file to a suite: short forms, resolved settings, and what is looked up."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from evalsuite.errors import SuiteError
from evalsuite.suite.load import load_suite, suite_of
from evalsuite.suite.schema import Suite

ROOT = Path(__file__).parents[2]


def test_the_quickstart_is_a_suite() -> None:
    suite = load_suite(ROOT / "suites" / "quickstart.yaml")
    assert suite.teacher == "teacher"
    assert [m.role for m in suite.models.values()] == ["teacher", "student", "student", "student"]
    assert suite.gates[0].margin is not None
    assert suite.gates[0].margin.absolute == 1.0


def test_a_loaded_suite_survives_json(load: Callable[..., Suite]) -> None:
    suite = load()
    again = Suite.model_validate(json.loads(json.dumps(suite.model_dump(mode="json"))))
    assert again == suite
    assert again.suite_hash == suite.suite_hash


def test_bounds_of_candidates_on_different_targets_do_not_contradict(load: Callable[..., Suite]) -> None:
    gates = """gates:
  - {metric: psnr, candidate: "*", target: small, test: limit, max: 20}
  - {metric: psnr, candidate: student@large, test: limit, min: 30}"""
    assert (
        len(load(targets="targets: {small: {device: cpu}, large: {device: cpu, threads: 2}}", gates=gates).gates) == 2
    )


def test_what_a_file_says_may_come_from_python(load: Callable[..., Suite], tmp_path: Path) -> None:
    expected = load()
    content = yaml.safe_load((tmp_path / "example.yaml").read_text())
    assert suite_of(content, tmp_path / "code.py") == expected
    content["models"]["student"]["name"] = "fashion-5step"
    content["metrics"] += [{"kid": {"extractor": "nothing"}}]
    with pytest.raises(SuiteError) as caught:
        suite_of(content, "code.py")
    first, second = sorted(map(str, caught.value.problems))
    assert first.startswith("code.py: metrics[4].kid.extractor: found extractor 'nothing', expected an extractor")
    assert second.startswith("code.py: models.student: ")
    assert "did you mean 'fashion-4step'?" in second


def test_settings_are_stored_complete(load: Callable[..., Suite]) -> None:
    suite = load()
    assert suite.models["student"].settings == {"name": "fashion-4step", "num_steps": None, "guidance_scale": None}
    assert suite.targets["cpu"].settings["batch_size"] == 64
    assert suite.reference.settings["split"] == "test"


def test_metrics_in_all_their_forms(load: Callable[..., Suite]) -> None:
    suite = load(metrics="metrics: [fid, {kid: }, {fid: {extractor: fashion-cnn}, name: fid-again}, {latency: {}}]")
    assert [(m.name, m.metric) for m in suite.metrics] == [
        ("fid", "fid"),
        ("kid", "kid"),
        ("fid-again", "fid"),
        ("latency", "latency"),
    ]


def test_a_metric_may_be_for_some_targets(load: Callable[..., Suite]) -> None:
    suite = load(
        targets="targets: {cpu: {device: cpu}, edge: {device: edge}}",
        metrics="metrics: [fid, {latency: , targets: edge}, {latency: , name: latency_long, targets: [cpu, edge]}]",
    )
    assert suite.targets_of("student", "fid") == suite.targets_of("student", "latency_long_p50") == ["cpu", "edge"]
    assert suite.targets_of("student", "latency_p50") == ["edge"]


def test_a_model_may_be_for_some_targets(load: Callable[..., Suite]) -> None:
    suite = load(
        models="""models:
  teacher: {role: teacher, adapter: zoo, name: fashion-teacher, targets: cpu}
  student: {role: student, adapter: zoo, name: fashion-4step}""",
        targets="targets: {cpu: {device: cpu}, edge: {device: edge}}",
        metrics="metrics: [{fid: , targets: edge}, latency]",
    )
    assert "targets" not in suite.models["teacher"].settings
    assert (suite.targets_of("teacher", "latency_p50"), suite.targets_of("teacher", "fid")) == (["cpu"], [])
    assert suite.targets_of("student", "latency_p50") == ["cpu", "edge"]


def test_a_scalar_or_list_is_a_slice_kinds_first_field(load: Callable[..., Suite]) -> None:
    assert (
        load(slices="slices: [{latent: [1.1, 0.9]}]").slices
        == load(slices="slices: [{latent: {scale: [1.1, 0.9]}}]").slices
    )


def test_a_section_with_nothing_but_comments_is_as_if_left_out(load: Callable[..., Suite]) -> None:
    suite = load(gates="gates:\n  # - {metric: fid}", slices="slices:", report="report:")
    assert suite.gates == []
    assert suite.report.formats == ["html", "markdown", "csv", "json"]


def test_anchors_may_stand_in_sections_of_their_own(load: Callable[..., Suite]) -> None:
    suite = load(
        task="task: class_conditional\nx-zoo: &zoo {role: student, adapter: zoo, name: fashion-4step}",
        models="models:\n  teacher: {<<: *zoo, role: teacher, name: fashion-teacher}\n  student: *zoo",
    )
    assert suite.teacher == "teacher"
    assert suite.models["student"].settings["name"] == "fashion-4step"


@pytest.mark.parametrize(
    "gate",
    [
        "{metric: fid, candidate: '*', against: teacher, test: non_inferiority, margin: {relative: 5%}}",
        "{metric: fid, candidate: student@cpu, against: teacher@cpu, test: superiority, margin: {absolute: 2}}",
        "{metric: latency_p50, candidate: student, against: teacher, test: superiority, margin: {ratio: 0.5}}",
        "{metric: latency_p90, candidate: student, test: limit, max: 80 ms}",
        "{metric: peak_memory, candidate: '*', test: limit, max: 600 MB}",
        "{metric: fid, candidate: student, against: 'baseline:main', test: no_regression, slice: worst}",
        "{metric: psnr, candidate: student, against: 'baseline:main', test: equivalence, margin: {absolute: 1}, "
        "slice: class=bag}",
        "{metric: fid, candidate: student, test: limit, max: 60, slice: latent.scale=1.1, target: cpu}",
    ],
)
def test_gates_that_are_right(load: Callable[..., Suite], gate: str) -> None:
    assert len(load(gates=f"gates: [{gate}]").gates) == 1


def test_a_gate_may_name_a_stage_that_not_every_model_has(load: Callable[..., Suite]) -> None:
    gate = "{metric: stage_time_decode, candidate: student, test: limit, max: 80 ms}"
    assert load(metrics="metrics: [stage_time]", gates=f"gates: [{gate}]").gates[0].max == 0.08


def test_quantities_are_stored_in_base_units(load: Callable[..., Suite]) -> None:
    limits = "{metric: latency_p50, candidate: student, test: limit, max: 80 ms}"
    limits += ", {metric: peak_memory, candidate: student, test: limit, max: 1.5 GiB}"
    assert [gate.max for gate in load(gates=f"gates: [{limits}]").gates] == [0.08, 1.5 * 2**30]


def test_relative_paths_are_taken_from_the_folder_of_the_file(load: Callable[..., Suite], tmp_path: Path) -> None:
    suite = load(reference="reference: {dataset: fashion-mnist, split: train, path: data}")
    assert suite.reference.settings["path"] == str(tmp_path / "data")


def test_against_teacher_means_the_model_with_that_role(load: Callable[..., Suite]) -> None:
    models = "models:\n  big: {role: teacher, adapter: zoo, name: fashion-teacher}\n"
    models += "  small: {role: student, adapter: zoo, name: fashion-4step}"
    suite = load(
        models=models,
        gates="gates: [{metric: fid, candidate: small, against: teacher, test: no_regression}]",
    )
    assert suite.teacher == "big"


def test_problems_come_in_the_order_of_the_file(load: Callable[..., Suite]) -> None:
    with pytest.raises(SuiteError) as caught:
        load(task="task: x", sampling="sampling: {num_samples: 0}", targets="targets: {cpu: {device: abacus}}")
    lines = [problem.line for problem in caught.value.problems]
    assert len(lines) == 3
    assert lines == sorted(lines)


def test_one_section_that_cannot_be_read_is_one_problem(load: Callable[..., Suite]) -> None:
    with pytest.raises(SuiteError) as caught:
        load(models="models: 5", gates="gates: [{metric: fid, candidate: student, test: limit, max: 5}]")
    assert [problem.where for problem in caught.value.problems] == ["models"]


def test_loading_a_suite_imports_no_torch() -> None:
    code = (
        "import sys; from evalsuite.suite.load import load_suite; load_suite('suites/quickstart.yaml'); "
        "from evalsuite.suite.json_schema import json_schema; json_schema(); sys.exit('torch' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, timeout=60)
