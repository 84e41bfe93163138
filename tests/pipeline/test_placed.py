"""What targets made of the bundled networks, as the samples' own process counted it."""

from __future__ import annotations

from pathlib import Path

from evalsuite.executors.local import Local
from evalsuite.pipeline.generate import generate
from evalsuite.pipeline.placed import ROOM, placed
from evalsuite.pipeline.plan import make_plan
from evalsuite.records import Plan
from evalsuite.store import Store
from evalsuite.suite.schema import Suite
from tests.pipeline.user_models import model, suite_of

ZOO = {"role": "teacher", "adapter": "zoo", "settings": {"name": "fashion-teacher", "num_steps": 1}}
TARGETS = {
    name: {"device": "cpu", "settings": {"threads": 1, "batch_size": 2, **settings}}
    for name, settings in {"plain": {}, "int8": {"quantize": "int8_weight_only"}}.items()
}


def generated(suite: Suite, store: Store) -> Plan:
    plan = make_plan(suite, allow_code=True)
    generate(suite, plan, executor=Local(), store=store, listener=lambda event: None, timeout_s=120)
    return plan


def test_layers_in_eight_bits_are_counted_where_the_samples_are_made(tmp_path: Path) -> None:
    """The slice comes first in the same process, and is loaded again for ``all``: networks are not counted twice."""
    store = Store(tmp_path / "cache")
    weaker = [{"kind": "guidance", "settings": {"scale": [0.5]}}]
    suite = suite_of({"teacher": ZOO}, num_samples=2, targets=TARGETS, slices=weaker)
    found = placed(generated(suite, store), store)
    assert [(one.model, one.target) for one in found] == [("teacher", "plain"), ("teacher", "int8")]
    plain, int8 = found
    assert plain.parameters == int8.parameters == 1_866_180
    assert (plain.int8_layers, plain.float_layers) == (0, 31)
    assert (int8.int8_layers, int8.float_layers) == (31, 0)
    assert int8.weight_bytes < plain.weight_bytes / 3.8
    assert placed(generated(suite, store), store) == found  # with nothing left to generate


def test_a_model_that_prepares_no_network_has_none(tmp_path: Path) -> None:
    store = Store(tmp_path / "cache")
    assert placed(generated(suite_of({"m": model(tmp_path, "good")}), store), store) == []
    assert not (tmp_path / "cache" / ROOM).exists()
