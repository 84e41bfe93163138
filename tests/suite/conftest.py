"""A suite without a mistake, to be changed in one place by a test."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from evalsuite.suite.load import load_suite
from evalsuite.suite.schema import Suite

SECTIONS = {
    "suite": "suite: example",
    "task": "task: class_conditional",
    "reference": "reference: {dataset: fashion-mnist}",
    "sampling": "sampling: {num_samples: 200}",
    "models": """models:
  teacher: {role: teacher, adapter: zoo, name: fashion-teacher, num_steps: 8}
  student: {role: student, adapter: zoo, name: fashion-4step}""",
    "targets": "targets: {cpu: {device: cpu}}",
    "metrics": "metrics: [fid, psnr, latency, peak_memory]",
    "slices": "slices: [{attribute: class}, {latent: {scale: [1.1]}}]",
}


@pytest.fixture
def load(tmp_path: Path) -> Callable[..., Suite]:
    """``load(metrics="metrics: [fid]")`` loads the example with that section replaced, or added."""

    def load(**sections: str) -> Suite:
        path = tmp_path / "example.yaml"
        path.write_text("\n".join({**SECTIONS, **sections}.values()) + "\n", "utf-8")
        return load_suite(path)

    return load
