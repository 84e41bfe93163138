"""The same-seed sample rows: thumbnails of the run folder as data URIs, one row a model, one column a seed."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from pathlib import Path

from evalsuite.records import Picture
from evalsuite.reports._models import Model, models, place, targets
from evalsuite.reports.contract import ReportInputs

PNG = b"\x89PNG\r\n\x1a\n"
COLUMNS = 10
"""Of one table; more samples make a further table below."""
LARGEST_BYTES = 256 * 1024
"""Of one thumbnail; a larger file is no thumbnail."""


@dataclass(frozen=True)
class Thumbnail:
    """One picture, or in ``absent`` why there is none."""

    uri: str = ""
    absent: str = ""


@dataclass(frozen=True)
class Gallery:
    """Samples of one target and slice: columns are (sample id, label), the same for every row."""

    target: str
    slice: str
    columns: list[tuple[int, str]]
    rows: list[tuple[Model, list[Thumbnail]]]


def galleries(inputs: ReportInputs) -> list[Gallery]:
    """One or more for each target and slice that has pictures."""
    known = {model.name: model for model in models(inputs.record)}
    groups: dict[tuple[str, str], dict[tuple[str, int], Picture]] = {}
    for picture in inputs.record.gallery:
        where = place(inputs.record, picture.case_key)
        groups.setdefault((where.target, where.slice), {})[where.model, picture.sample_id] = picture
    order = {target: i for i, target in enumerate(targets(inputs.record))}
    found = []
    for target, slice_id in sorted(groups, key=lambda group: (order.get(group[0], 0), group[1] != "all", group[1])):
        pictures = groups[target, slice_id]
        columns = sorted({(p.sample_id, p.label) for p in pictures.values()})
        shown = [model for name, model in known.items() if any(name == m for m, _ in pictures)]
        for start in range(0, len(columns), COLUMNS):
            band = columns[start : start + COLUMNS]
            rows = [(m, [_thumbnail(inputs.folder, pictures.get((m.name, i))) for i, _ in band]) for m in shown]
            found.append(Gallery(target, slice_id, band, rows))
    return found


def _thumbnail(folder: Path, picture: Picture | None) -> Thumbnail:
    """Read one file below ``folder/gallery``; nothing else is read, and only what the run wrote is shown."""
    if picture is None:
        return Thumbnail(absent="no sample")
    root = (folder / "gallery").resolve()
    path = (folder / picture.file).resolve()
    if not path.is_relative_to(root):
        return Thumbnail(absent="outside the run folder")
    try:
        if path.stat().st_size > LARGEST_BYTES:
            return Thumbnail(absent="too large")
        content = path.read_bytes()
    except OSError:
        return Thumbnail(absent="file is gone")
    if not content.startswith(PNG) or hashlib.sha256(content).hexdigest() != picture.sha256:
        return Thumbnail(absent="file was changed")
    return Thumbnail(uri=f"data:image/png;base64,{base64.b64encode(content).decode()}")
