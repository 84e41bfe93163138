"""What becomes of a suite's cells on targets that this machine lacks, and of models that cannot obey theirs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from evalsuite.errors import Skipped
from evalsuite.models.contract import Batch, NoProbe
from evalsuite.models.endpoint import Endpoint
from evalsuite.models.onnx import Onnx
from evalsuite.models.python import Python
from evalsuite.models.torch_export import TorchExport
from evalsuite.pipeline.plan import make_plan
from evalsuite.targets.cpu import Cpu
from tests.pipeline.user_models import suite_of

ZOO = {"role": "student", "adapter": "zoo", "settings": {"name": "fashion-1step"}}

MODELS = """
from contextlib import contextmanager

import numpy as np


def function(seeds, labels):
    return np.zeros((len(seeds), 1, 8, 8), np.uint8)


class Model:
    def __init__(self, prepares):
        self.prepares = prepares

    @contextmanager
    def open(self, target):
        import torch
        self.network = torch.nn.Linear(2, 2)
        if self.prepares:
            target.prepare(self.network)
        yield self

    def generate(self, batch, probe):
        return function(batch.seeds, None)
"""


def reasons(models: dict[str, Any], targets: dict[str, Any]) -> dict[tuple[str, str], tuple[str, str]]:
    """Kind and reason by model and target, of what is known beforehand not to run."""
    plan = make_plan(suite_of(models, targets=targets, num_samples=4), allow_code=True)
    return {(gap.model, gap.target): (gap.kind, gap.reason) for gap in plan.missing}


@pytest.mark.parametrize(
    ("device", "settings", "reason"),
    [
        ("cuda", {"index": 99}, "CUDA device"),
        ("mps", {}, "no MPS device"),
        ("cpu", {"threads": 4096}, "it asks for 4096 threads and this process may use"),
        ("edge", {"cores": 4096}, "it asks for 4096 cores and this process may use"),
        ("cpu", {"compile": True}, "compile needs a C++ compiler, and no-such-compiler is not there"),
        ("cpu", {"quantize": "int8_dynamic"}, "pip install 'evalsuite[quantize]'"),
    ],
    ids=["cuda", "mps", "threads", "cores", "compile", "quantize"],
)
def test_a_target_that_this_machine_lacks_is_unavailable_and_the_others_stay(
    monkeypatch: pytest.MonkeyPatch, device: str, settings: dict[str, Any], reason: str
) -> None:
    monkeypatch.setattr("evalsuite.targets._torch_target._torchao_version", lambda: None)
    monkeypatch.setenv("CXX", "no-such-compiler")
    found = reasons({"m": ZOO}, {"here": {"device": "cpu"}, "there": {"device": device, "settings": settings}})
    assert set(found) == {("m", "there")}
    kind, told = found["m", "there"]
    assert kind == "unavailable"
    assert reason in told


def test_a_model_that_cannot_obey_a_target_is_skipped_there_alone(tmp_path: Path) -> None:
    np.savez(tmp_path / "images.npz", images=np.zeros((4, 1, 28, 28), np.uint8))
    folder = {"role": "student", "adapter": "image_folder", "settings": {"path": str(tmp_path / "images.npz")}}
    targets = {
        "plain": {"device": "cpu", "settings": {"threads": 1, "price_per_hour": 0.2}},
        "small": {"device": "cpu", "settings": {"quantize": "int8_weight_only", "memory_limit": "1 GB"}},
    }
    assert reasons({"folder": folder, "zoo": ZOO}, targets) == {
        ("folder", "small"): (
            "skipped",
            "the target's quantize and memory_limit mean nothing to this model; give it a target without",
        )
    }


def test_exported_networks_obey_little_and_services_nothing() -> None:
    graph = {"path": "net", "image_shape": (1, 8, 8)}
    for adapter in (Onnx, TorchExport):
        assert adapter.model_validate(graph).capabilities().obeys == {"dtype", "memory_limit"}
    assert Endpoint(url="http://localhost:1", model="m").capabilities().obeys == frozenset()


def user_model(folder: Path, name: str, **options: Any) -> Python:
    (folder / "models.py").write_text(MODELS)
    return Python(callable=f"{folder / 'models.py'}:{name}", options=options)


@pytest.mark.parametrize("settings", [{"quantize": "int8_dynamic"}, {"dtype": "bfloat16"}, {"channels_last": True}])
def test_a_users_function_gets_no_target_and_can_obey_none(tmp_path: Path, settings: dict[str, Any]) -> None:
    model, (setting,) = user_model(tmp_path, "function"), settings
    with (
        pytest.raises(Skipped, match=f"is a function, which gets no target, so the target's {setting} would have no"),
        model.open(Cpu.model_validate(settings)),
    ):
        pass
    with model.open(Cpu(memory_limit=10**9)) as loaded:
        assert len(loaded.generate(Batch(np.arange(2), np.arange(2)), NoProbe())) == 2


def test_a_users_class_obeys_by_preparing_its_network(tmp_path: Path) -> None:
    target = Cpu(quantize="int8_weight_only")
    with (
        pytest.raises(Skipped, match=r"prepares no network by target\.prepare\(\), so the target's quantize would"),
        user_model(tmp_path, "Model", prepares=False).open(target),
    ):
        pass
    with user_model(tmp_path, "Model", prepares=True).open(target):
        assert target.weights()["int8_layers"] == 1
