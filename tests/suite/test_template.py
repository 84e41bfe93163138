"""What ``evalsuite init`` writes is a suite, and so is every line it comments out."""

from __future__ import annotations

import re
from pathlib import Path

from evalsuite.suite.load import load_suite
from evalsuite.suite.template import TEMPLATE


def test_the_template_is_a_suite(tmp_path: Path) -> None:
    path = tmp_path / "suite.yaml"
    path.write_text(TEMPLATE, "utf-8")
    suite = load_suite(path)
    assert suite.teacher == "teacher"
    assert len(suite.gates) == 1


def test_its_commented_entries_are_right(tmp_path: Path) -> None:
    path = tmp_path / "suite.yaml"
    uncommented = re.sub(r"^  # (- \{|[\w{}-]+: \{)", r"  \1", TEMPLATE, flags=re.MULTILINE)
    path.write_text(uncommented, "utf-8")
    suite = load_suite(path)
    assert {"teacher-4", "teacher-8", "mine"} <= set(suite.models)
    assert set(suite.targets) == {"cpu", "gpu"}
    assert len(suite.slices) == 2
    assert len(suite.gates) == 3
