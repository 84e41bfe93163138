"""Samples -> thumbnails: the same few samples of every model, for the reports."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from evalsuite.errors import CellError
from evalsuite.files import write_atomically
from evalsuite.pipeline.conditions import conditions_of
from evalsuite.pipeline.generate import Samples
from evalsuite.records import Case, Picture, Plan
from evalsuite.suite.schema import Suite

FOLDER = "gallery"
PER_CLASS = 2
MAX_PICTURES = 40
MAX_SIDE = 256


def make_gallery(suite: Suite, plan: Plan, samples: Samples, folder: Path) -> list[Picture]:
    """Write thumbnails of every model's first samples on the slice ``all`` into ``folder/gallery``.

    Two of each class, at most 40 a model and 256 pixels wide; the same sample ids for every model.

    Raises:
        StoreError: the run folder cannot be written.
    """
    conditions = conditions_of(suite)
    count = min(PER_CLASS * (conditions.count if conditions.kind == "class" else MAX_PICTURES), MAX_PICTURES)
    pictures: list[Picture] = []
    for case in (case for case in plan.cases if case.slice == "all"):
        ids = case.sample_ids[:count]
        try:
            images = samples.of(case).images(ids)
        except CellError:
            continue
        labels = conditions.names(ids)
        pictures += [
            _picture(case, int(i), image, label, folder) for i, image, label in zip(ids, images, labels, strict=True)
        ]
    return pictures


def _picture(case: Case, sample_id: int, image: NDArray[np.uint8], label: str, folder: Path) -> Picture:
    png = to_png(image)
    sha256 = hashlib.sha256(png).hexdigest()
    file = f"{FOLDER}/{case.model}-{case.target}-{sample_id:05d}.png"
    write_atomically(folder / file, png)
    return Picture(sample_id=sample_id, case_key=case.key, label=label, file=file, sha256=sha256)


def to_png(image: NDArray[np.uint8]) -> bytes:
    """PNG of one image uint8 ``[C, H, W]``, C 1 or 3, made smaller where it is wider or higher than 256."""
    from PIL import Image

    pixels = image[0] if len(image) == 1 else image.transpose(1, 2, 0)
    picture = Image.fromarray(np.ascontiguousarray(pixels))
    picture.thumbnail((MAX_SIDE, MAX_SIDE))
    packed = io.BytesIO()
    picture.save(packed, format="PNG", optimize=True)
    return packed.getvalue()
