"""The adapter for a user's own code: how it is found, what its fingerprint covers, what is said when it is wrong."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError

from evalsuite.errors import Failed
from evalsuite.models.contract import Batch, NoProbe
from evalsuite.models.python import Python
from evalsuite.records import NoiseSpec
from evalsuite.targets.cpu import Cpu

IDS = np.arange(3, dtype=np.int64)
BATCH = Batch(IDS, IDS + 7, IDS % 2, noise=NoiseSpec(2.0))

SOURCE = """
import contextlib
import numpy as np

def constant(seeds, labels):
    return np.broadcast_to((seeds + labels).astype(np.uint8)[:, None, None, None], (len(seeds), 1, 2, 2))

class Scaled:
    def __init__(self, gain=1):
        self.gain = gain

    @contextlib.contextmanager
    def open(self, target):
        yield self

    def generate(self, batch, probe):
        return np.full((len(batch.seeds), 1, 2, 2), self.gain * batch.noise.scale, np.uint8)

class WithoutContext:
    def open(self, target):
        return 3

class WithoutGenerate:
    def open(self, target):
        return contextlib.nullcontext(3)

number = 3
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "mine.py"
    path.write_text(SOURCE)
    return path


def test_a_function_gets_seeds_and_labels(file: Path) -> None:
    with Python(callable=f"{file}:constant").open(Cpu()) as model:
        images = model.generate(BATCH, NoProbe())
    assert images[:, 0, 0, 0].tolist() == [7, 9, 9]


def test_a_class_gets_options_and_the_batch(file: Path) -> None:
    with Python(callable=f"{file}:Scaled", options={"gain": 3}).open(Cpu()) as model:
        assert model.generate(BATCH, NoProbe()).ravel().tolist() == [6] * 12


def test_a_module_on_the_path(tmp_path: Path, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file.rename(tmp_path / "module_of_the_test.py")
    monkeypatch.syspath_prepend(tmp_path)
    with Python(callable="module_of_the_test:constant").open(Cpu()) as model:
        assert len(model.generate(BATCH, NoProbe())) == 3
    del sys.modules["module_of_the_test"]


def test_a_file_can_import_its_neighbours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", sys.path.copy())
    (tmp_path / "neighbour_of_the_test.py").write_text(SOURCE)
    (tmp_path / "json.py").write_text("raise SystemExit('it took the place of the library')")
    (tmp_path / "mine.py").write_text("import json\nfrom neighbour_of_the_test import constant")
    with Python(callable=f"{tmp_path}/mine.py:constant").open(Cpu()) as model:
        assert len(model.generate(BATCH, NoProbe())) == 3
    del sys.modules["neighbour_of_the_test"]


def test_a_file_is_relative_to_the_suite(file: Path) -> None:
    settings = Python.model_validate({"callable": "mine.py:constant"}, context={"base": file.parent})
    assert settings.callable == f"{file}:constant"
    assert Python.model_validate(settings.model_dump()) == settings


def test_fingerprint_covers_source_version_and_settings(file: Path) -> None:
    def fingerprint(**settings: object) -> str:
        return Python.model_validate({"callable": f"{file}:Scaled", "version": "1", **settings}).fingerprint()

    first = fingerprint()
    variants = [fingerprint(version="2"), fingerprint(options={"gain": 2}), fingerprint(condition="none")]
    assert fingerprint(licence="MIT") == first
    file.write_text(SOURCE + "\n# changed\n")
    assert len({first, *variants, fingerprint()}) == 5


def test_without_a_version_there_is_no_fingerprint(file: Path) -> None:
    assert Python(callable=f"{file}:constant").fingerprint() == ""


def test_describing_it_does_not_run_its_code(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text("raise SystemExit('it was run')")
    adapter = Python(callable=f"{tmp_path}/mine.py:model", version="1", noise=True, unusual=["empty"], num_steps=4)
    assert adapter.fingerprint()
    assert adapter.capabilities().noise
    assert adapter.capabilities().unusual == {"empty"}
    assert adapter.provenance()["version"] == "1"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("absent", "found no function or class 'absent'"),
        ("number", "found no function or class 'number'"),
        ("WithoutContext", r"open\(\) gave a int, expected a context manager"),
        ("WithoutGenerate", r"open\(\) gave a int, expected an object with generate\(\)"),
    ],
)
def test_what_is_wrong_is_said(file: Path, name: str, message: str) -> None:
    with pytest.raises(Failed, match=message), Python(callable=f"{file}:{name}").open(Cpu()):
        pass


def test_options_that_do_not_fit(file: Path) -> None:
    with (
        pytest.raises(Failed, match=r"opening it failed: TypeError: .*'gane'"),
        Python(callable=f"{file}:Scaled", options={"gane": 3}).open(Cpu()),
    ):
        pass


def test_a_file_that_fails_to_import(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text("1 / 0")
    with (
        pytest.raises(Failed, match="importing it failed: ZeroDivisionError"),
        Python(callable=f"{tmp_path}/mine.py:model").open(Cpu()),
    ):
        pass


@pytest.mark.parametrize("place", ["absent.py", "absent_module", "absent_package.module"])
def test_what_is_not_there(tmp_path: Path, place: str) -> None:
    adapter = Python.model_validate({"callable": f"{place}:model"}, context={"base": tmp_path})
    with pytest.raises(Failed, match=r"found no|cannot be found"):
        adapter.fingerprint()


@pytest.mark.parametrize("name", ["model", "file.py:", ":model", "file.py:not a name", "a:b:c"])
def test_names_of_another_form_are_refused(name: str) -> None:
    with pytest.raises(ValidationError):
        Python(callable=name)
