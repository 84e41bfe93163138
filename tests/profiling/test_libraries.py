"""No model is charged for the libraries that it computes with."""

from __future__ import annotations

import runpy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from evalsuite.executors.local import Local
from evalsuite.profiling.subject import SubjectSpec
from tests.conftest import ROOT
from tests.models.graphs import ONE_STEP, OneStep, as_onnx, as_pt2
from tests.models.local_service import LocalService, json_reply
from tests.profiling.watched import Watched

Settings = Callable[[Path], dict[str, Any]]


def bundled(folder: Path) -> dict[str, Any]:
    return {"name": "fashion-1step"}


def pipeline(folder: Path) -> dict[str, Any]:
    make = runpy.run_path(str(ROOT / "suites" / "tiny_pipelines.py"))["make"]
    lora = make("stable-diffusion-lcm-lora", folder)
    path = make("stable-diffusion", folder)
    return {"path": path, "num_steps": 1, "scheduler": {"kind": "LCMScheduler"}, "lora": {"path": lora}}


def onnx(folder: Path) -> dict[str, Any]:
    return {"path": as_onnx(OneStep(), ONE_STEP, folder / "one-step.onnx"), **GRAPH}


def program(folder: Path) -> dict[str, Any]:
    return {"path": as_pt2(OneStep(), ONE_STEP, folder / "one-step.pt2"), **GRAPH}


GRAPH = {"image_shape": (1, 28, 28), "condition": "class", "null_class": 10}
KINDS: dict[str, Settings] = {"zoo": bundled, "diffusers": pipeline, "onnx": onnx, "torch_export": program}
MOST_BYTES = 50e6
"""What loading one of these takes at most; none has more than 8 MB of weights, and no library fits in that."""


@pytest.mark.parametrize("kind", KINDS)
def test_of_models(kind: str, tmp_path: Path) -> None:
    spec = SubjectSpec(kind, KINDS[kind](tmp_path), "cpu", {"threads": 1, "batch_size": 1})
    with Local().open(Watched, (spec,)) as worker:
        assert worker.call("packages_of_load") == set()
        assert worker.call("load_bytes") < MOST_BYTES


def test_of_services() -> None:
    with LocalService(lambda asked: json_reply({})) as service:
        settings = {"url": service.url, "api": "post", "body": {"prompt": "{prompt}"}, "condition": "text"}
        with Local().open(Watched, (SubjectSpec("endpoint", settings, "cpu", {"batch_size": 1}),)) as worker:
            assert worker.call("packages_of_load") == set()
