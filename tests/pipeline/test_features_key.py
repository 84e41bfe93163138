"""Features are kept by what made them: weights, code, and images."""

from __future__ import annotations

import pytest

from evalsuite import plugins
from evalsuite.pipeline.extract import features_key


def test_other_weights_images_or_code_have_features_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    keys = {features_key("a", "1"), features_key("b", "1"), features_key("a", "2")}
    assert features_key("a", "1") in keys
    monkeypatch.setattr(plugins, "sources_hash", lambda *rooms: f"changed {rooms}")
    keys.add(features_key("a", "1"))
    assert len(keys) == 4
