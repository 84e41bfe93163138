"""What is asked of plug-ins, packages, weights and the cache, and how the answers read."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any, ClassVar, get_args

import pytest

from evalsuite import plugins
from evalsuite.pipeline import doctor
from evalsuite.pipeline.doctor import Requirement, examine, is_broken, requirement_of
from evalsuite.pipeline.hardware import Check
from evalsuite.store import Store
from evalsuite.targets.cpu import Cpu
from tests.conftest import ROOT


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> dict[str, str | None]:
    """evalsuite as if it were installed with pyproject's dependencies; versions of packages, to be changed."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    lines = [*project["dependencies"]]
    for extra, needs in project["optional-dependencies"].items():
        lines += [f'{need}; extra == "{extra}"' for need in needs]
    versions: dict[str, str | None] = {}
    monkeypatch.setattr(doctor, "requires", lambda name: lines)
    monkeypatch.setattr(doctor, "version_of", lambda package: versions.get(package, "1.0"))
    return versions


def checks(tmp_path: Path, title: str) -> dict[str, Check]:
    sections = {section.title: section.checks for section in examine(Store(tmp_path / "cache"))}
    return {check.name: check for check in sections[title]}


@pytest.mark.parametrize(
    ("line", "package", "extra"),
    [
        ("numpy>=1.26", "numpy", ""),
        ("pandas[parquet]>=2.2", "pandas", ""),
        ('lpips>=0.1.4; extra == "lpips"', "lpips", "lpips"),
        ("huggingface-hub>=1.0 ; extra == 'diffusers'", "huggingface-hub", "diffusers"),
    ],
)
def test_requirements(line: str, package: str, extra: str) -> None:
    assert requirement_of(line) == Requirement(package, extra)


def test_every_extra_for_users_is_listed_and_plugins_name_no_others(tmp_path: Path, installed: Any) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    for_users = set(project["optional-dependencies"]) - {"test", "dev"}
    every = [plugins.find(room, name) for room in get_args(plugins.Room) for name in plugins.names(room)]
    named = {plugin.package_extra for plugin in every if hasattr(plugin, "package_extra")}
    assert {"diffusers", "lpips", "onnx", "transformers"} <= named <= for_users
    found = checks(tmp_path, "packages")
    assert set(found) == {"evalsuite", *for_users}
    assert {check.state for check in found.values()} == {"good"}


def test_a_missing_extra_says_what_it_would_unlock_and_how(tmp_path: Path, installed: dict[str, str | None]) -> None:
    installed["lpips"] = installed["httpx2"] = None
    found = checks(tmp_path, "packages")
    assert found["lpips"] == Check(
        "lpips", "missing", "lacks lpips; for metric lpips", "pip install 'evalsuite[lpips]'"
    )
    assert "model adapter endpoint" in found["endpoint"].finding
    assert found["onnx"].state == "good"


def test_a_missing_core_package_breaks_everything(tmp_path: Path, installed: dict[str, str | None]) -> None:
    installed["torch"] = None
    sections = examine(Store(tmp_path / "cache"))
    assert is_broken(sections)
    assert "lacks torch" in next(s for s in sections if s.title == "packages").checks[0].finding


def test_without_an_installation_extras_are_unknown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(name: str) -> list[str]:
        raise doctor.PackageNotFoundError(name)

    monkeypatch.setattr(doctor, "requires", absent)
    found = checks(tmp_path, "packages")
    assert "from its sources" in found["evalsuite"].finding
    assert {check.state for check in found.values()} == {"limited"}


def test_targets_are_asked_with_each_of_their_options(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Cpu, "unavailable_reason", lambda self: "no C++ compiler" if self.compile else None)
    found = checks(tmp_path, "targets")["cpu"]
    assert (found.state, found.advice) == ("limited", "without compile: no C++ compiler")
    assert "bfloat16" in found.finding


def test_a_machine_whose_processor_cannot_be_used_is_broken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Cpu, "unavailable_reason", lambda self: "no processor")
    found = checks(tmp_path, "targets")
    assert (found["cpu"].state, found["cpu"].finding) == ("broken", "no processor")


def test_counters_of_energy_say_why_they_are_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("evalsuite.scenarios._meters.POWERCAP", tmp_path)
    found = checks(tmp_path, "energy counters")["cpu"]
    assert found.state == "missing"
    assert "no energy counter" in found.advice


def test_counters_of_energy_are_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Counter:
        parts: ClassVar[dict[str, float]] = {"package-0": 1.0, "dram": 2.0}

        def read(self) -> dict[str, float]:
            return self.parts

    monkeypatch.setattr(doctor, "meter_of", lambda device: Counter())
    assert checks(tmp_path, "energy counters")["cpu"].finding == "counts package-0, dram"


def test_extractors_and_weights_say_how_to_get_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EVALSUITE_WEIGHTS", str(tmp_path))
    extractors, weights = checks(tmp_path, "extractors"), checks(tmp_path, "weights")
    assert extractors["fashion-cnn"].state == "good"
    assert "weights fetch inception-v3" in extractors["inception-v3"].advice
    assert weights["vgg16"].advice == "evalsuite weights fetch vgg16"
    (tmp_path / "vgg16-397923af.pth").touch()
    assert checks(tmp_path, "weights")["vgg16"].state == "good"


def test_plugins_that_need_settings_are_not_called_unavailable(tmp_path: Path) -> None:
    found = checks(tmp_path, "datasets")["image-folder"]
    assert (found.state, found.finding) == ("good", "needs settings: path")


def test_a_cache_that_cannot_be_written_is_broken(tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file")
    sections = examine(Store(tmp_path / "cache"))
    (found,) = next(section.checks for section in sections if section.title == "cache")
    assert found.state == "broken"
    assert "EVALSUITE_CACHE" in found.advice
