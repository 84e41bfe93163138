"""What the page on slices shows is so."""

from __future__ import annotations

import re
import sys
import types
from pathlib import Path

import numpy as np

from evalsuite import plugins
from evalsuite.models.contract import Batch
from evalsuite.slices.corruption import CORRUPTIONS, FAMILIES
from evalsuite.slices.latent import Latent

PAGE = (Path(__file__).parents[2] / "docs" / "slices.md").read_text("utf-8")


def test_every_kind_is_listed():
    listed = re.findall(r"^\| `(\w+)` \|", PAGE, re.MULTILINE)
    assert sorted(listed) == sorted(plugins.names("slices"))


def test_every_corruption_and_noise_is_named():
    missing = [name for name in (*FAMILIES, *CORRUPTIONS, *Latent.model_fields) if f"`{name}`" not in PAGE]
    assert not missing


def test_a_kind_in_one_file(monkeypatch):
    (code,) = re.findall(r"^```python\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
    module = types.ModuleType("mirrored")
    module.__file__ = __file__  # stands for the file that the page is about
    monkeypatch.setitem(sys.modules, "mirrored", module)
    exec(code, module.__dict__)
    sideways, upside_down = module.Mirrored(ways=["sideways", "upside_down"]).expand()
    images = np.arange(12, dtype=np.uint8).reshape(1, 1, 3, 4)
    batch = Batch(np.arange(1), np.arange(1), images=images)
    assert np.array_equal(sideways.change.apply(batch).images, np.flip(images, 3))
    assert np.array_equal(upside_down.change.apply(batch).images, np.flip(images, 2))
    assert (sideways.id, sideways.needs) == ("mirrored=sideways", ("image",))
    assert sideways.change.key() != upside_down.change.key()
