"""The schema for editors accepts what ``load_suite`` accepts and marks the mistakes that an editor can see."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from evalsuite.suite.document import read_document
from evalsuite.suite.json_schema import json_schema
from evalsuite.suite.template import TEMPLATE

ROOT = Path(__file__).parents[2]
BAD = Path(__file__).parent / "bad"


@pytest.fixture(scope="module")
def validator() -> Any:
    schema = json_schema()
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


@pytest.mark.parametrize("path", [ROOT / "suites" / "quickstart.yaml", BAD / "included" / "complete.yaml"])
def test_right_suites_are_right(validator: Any, path: Path) -> None:
    assert list(validator.iter_errors(read_document(path)[0].plain())) == []


def test_the_template_is_right(validator: Any, tmp_path: Path) -> None:
    path = tmp_path / "suite.yaml"
    path.write_text(TEMPLATE, "utf-8")
    assert list(validator.iter_errors(read_document(path)[0].plain())) == []


@pytest.mark.parametrize(
    "name",
    [
        "unknown_section",
        "nothing_but_a_name",
        "task_misspelt",
        "suite_name_path",
        "dataset_misspelt",
        "dataset_setting_unknown",
        "num_samples_negative",
        "role_misspelt",
        "adapter_misspelt",
        "model_setting_misspelt",
        "device_misspelt",
        "batch_size_zero",
        "metric_misspelt",
        "metric_setting_unknown",
        "slice_misspelt",
        "gate_test_misspelt",
        "gate_margin_unit",
        "report_format_misspelt",
    ],
)
def test_mistakes_are_marked(validator: Any, name: str) -> None:
    assert list(validator.iter_errors(read_document(BAD / f"{name}.yaml")[0].plain())) != []


def test_settings_of_adapters_can_be_completed(validator: Any) -> None:
    entries = validator.schema["properties"]["models"]["additionalProperties"]["anyOf"]
    zoo = next(entry for entry in entries if entry["properties"]["adapter"] == {"const": "zoo"})
    assert {"role", "adapter", "name", "num_steps", "guidance_scale", "matrix"} <= set(zoo["properties"])
