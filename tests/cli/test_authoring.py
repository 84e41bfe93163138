"""``evalsuite init-model`` and ``evalsuite check-model``, as somebody uses them who brings a model."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import pytest

from evalsuite.cli.model_template import Kind, Style, commands, model_and_suite
from evalsuite.suite.load import load_suite
from tests.conftest import ROOT, Command, call_evalsuite

CONDITIONS: list[Kind] = ["none", "class", "text"]


def written(folder: Path, condition: Kind = "class", style: Style = "class") -> Path:
    """The suite of a template, with the model beside it."""
    file, suite = folder / "my_model.py", folder / "my_model.yaml"
    texts = model_and_suite(file, suite, condition, style)
    for path, text in zip((file, suite), texts, strict=True):
        path.write_text(text, "utf-8")
    return suite


@pytest.mark.parametrize("style", ["function", "class"])
@pytest.mark.parametrize("condition", CONDITIONS)
def test_every_template_keeps_the_contract(evalsuite: Command, tmp_path: Path, condition: Kind, style: Style) -> None:
    done = evalsuite("init-model", "--condition", condition, "--style", style)
    assert done.returncode == 0, done.stderr
    _, check, run = done.stdout.splitlines()
    assert [check.strip(), run.strip()] == list(commands(Path("my_model.yaml")))
    assert check.strip() in (tmp_path / "my_model.py").read_text()
    assert load_suite(tmp_path / "my_model.yaml").models.keys() == {"teacher", "student"}
    checked = evalsuite(*shlex.split(check)[1:], "--format", "json")
    assert checked.returncode == 0, checked.stdout + checked.stderr
    verdicts = {one["check"]: one["verdict"] for one in json.loads(checked.stdout)["checks"]}
    idle = {"noise", "num_steps", "stages"} if style == "function" else set()
    idle |= {"condition"} if condition == "none" else set()
    assert {name for name, verdict in verdicts.items() if verdict != "ok"} == idle
    assert {verdicts[name] for name in idle} <= {"not applicable"}


@pytest.mark.slow
@pytest.mark.parametrize("style", ["function", "class"])
@pytest.mark.parametrize("condition", CONDITIONS)
def test_every_template_runs(evalsuite: Command, tmp_path: Path, condition: Kind, style: Style) -> None:
    suite = written(tmp_path, condition, style)
    done = evalsuite("run", suite, "--allow-code", "--profile", "ci", "--json", timeout_s=300)
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    (psnr,) = [one for one in document["measurements"] if one["metric"] == "psnr"]
    assert 15 < psnr["value"] < 30
    assert {gap["name"] for gap in document["missing"]} <= {"latency_p90", "latency_p99"}


def test_nothing_is_overwritten_without_force(evalsuite: Command, tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text("precious")
    refused = evalsuite("init-model", "mine.py")
    assert refused.returncode == 2
    assert "mine.py is there already" in refused.stderr
    assert "--force" in refused.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["mine.py"]
    (tmp_path / "mine.py").rename(tmp_path / "mine.yaml")
    assert "mine.yaml is there already" in evalsuite("init-model", "mine.py").stderr
    assert not (tmp_path / "mine.py").exists()
    assert evalsuite("init-model", "mine.py", "--force").returncode == 0
    assert "precious" not in (tmp_path / "mine.yaml").read_text()


@pytest.mark.parametrize(
    ("file", "message"),
    [("model.txt", "ends in .py"), ("a:b.py", "no colon"), ("nowhere/model.py", "cannot be written: No such file")],
)
def test_where_no_model_can_be_written(evalsuite: Command, file: str, message: str) -> None:
    done = evalsuite("init-model", file)
    assert done.returncode == 2
    assert message in done.stderr


def test_odd_names_are_quoted(evalsuite: Command, tmp_path: Path) -> None:
    done = evalsuite("init-model", "my 'model' {1}.py", "--style", "function")
    check = shlex.split(done.stdout.splitlines()[1])
    assert check[:3] == ["evalsuite", "check-model", "my 'model' {1}.yaml"]
    settings = load_suite(tmp_path / check[2]).models["student"].settings
    assert settings["callable"] == f"{tmp_path}/my 'model' {{1}}.py:student"


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    path = tmp_path / "mine.py"
    path.write_text(
        "import numpy as np\n\n"
        "def mine(seeds, labels):\n"
        "    rng = np.random.default_rng(int(seeds[0]))\n"
        "    return rng.integers(0, 256, (len(seeds), 1, 8, 8), dtype=np.uint8)\n\n\n"
        "def dies(seeds, labels):\n"
        "    import os\n"
        "    os._exit(9)\n"
    )
    return path


@pytest.mark.usefixtures("mine")
def test_a_broken_contract_is_exit_code_1(evalsuite: Command) -> None:
    done = evalsuite("check-model", "mine.py:mine", "--allow-code")
    assert (done.returncode, done.stderr) == (1, "")
    lines = [line.split(maxsplit=2) for line in done.stdout.splitlines()]
    assert lines[0][:2] == ["ok", "opens"]
    (at,) = [i for i, line in enumerate(lines) if line[:2] == ["wrong", "alone"]]
    assert "sample 3 differs by up to" in done.stdout.splitlines()[at]
    assert lines[at + 1][0] == "expected:"
    assert lines[at + 2][0] == "try:"
    assert lines[-1][0] == "mine.py:mine:"


@pytest.mark.usefixtures("mine")
@pytest.mark.parametrize("form", ["table", "json"])
def test_what_could_not_be_checked_is_exit_code_4(evalsuite: Command, form: str) -> None:
    done = evalsuite("check-model", "mine.py:dies", "--allow-code", "--format", form)
    assert done.returncode == 4
    assert "while checking 'generates': ended with exit code 9" in done.stderr
    if form == "json":
        document = json.loads(done.stdout)
        assert [one["check"] for one in document["checks"]] == ["opens"]
        assert document["error"] in done.stderr
    else:
        assert [line.split()[:2] for line in done.stdout.splitlines()] == [["ok", "opens"]]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["mine.py:mine"], "mine.py:mine (adapter python) runs Python code; read that code, then say --allow-code"),
        (["mine.py", "--allow-code"], "mine.py:NAME"),
        (["absent.py:mine", "--allow-code"], "found no such file"),
        (["mine.py:not a name", "--allow-code"], "callable: "),
        (["mine.py:mine", "--target", "cpu:thread=1"], "did you mean 'threads'"),
        (["absent.yaml"], "absent.yaml"),
        (["my_model.yaml"], "expected the name of one: teacher, student"),
        (["my_model.yaml", "studnet"], "did you mean 'student'"),
        (["my_model.yaml", "student", "--target", "cpu:threads=1"], "there are: cpu"),
        (["my_model.yaml", "student", "--condition", "text"], "my_model.yaml says what samples are asked for"),
        (["mine.py:mine", "student"], "found 'student' after mine.py:mine"),
        (["my_model.yaml", "student"], "--allow-code"),
        (["mine.py:mine", "--samples", "1"], "--samples"),
    ],
)
@pytest.mark.usefixtures("mine")
def test_usage_errors_are_exit_code_2(evalsuite: Command, tmp_path: Path, arguments: list[str], message: str) -> None:
    written(tmp_path)
    done = evalsuite("check-model", *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert message in done.stderr
    assert "Traceback" not in done.stderr


def test_a_module_on_the_path_and_a_device_with_settings(mine: Path) -> None:
    done = call_evalsuite(
        "check-model", "mine:mine", "--allow-code", "--target", "cpu:threads=1", "--format", "json",
        cwd=mine.parent.parent, PYTHONPATH=f"{mine.parent}:{ROOT}",
    )  # fmt: skip
    assert done.returncode == 1, done.stderr
    assert json.loads(done.stdout)["model"] == "mine:mine"
