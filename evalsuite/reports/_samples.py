"""The samples to look at: same seeds side by side, the costliest, the worst pairs, and changed conditions."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from evalsuite.records import Measurement, Picture, RunRecord
from evalsuite.reports._assets import Assets
from evalsuite.reports._format import metric_title, number, plain
from evalsuite.reports._models import Model, Place, models, places, subsets, targets
from evalsuite.reports.contract import ReportInputs

COLUMNS = 10
"""Of one strip; more samples make a further band below."""
EXTREMES = 8
"""Samples of a strip of extremes."""
LARGEST_BYTES = 256 * 1024
"""Of one thumbnail; a larger file is no thumbnail."""
MAGIC = {".png": (b"\x89PNG\r\n\x1a\n", 0), ".webp": (b"WEBP", 8)}
"""What thumbnails begin with, and at which byte."""


@dataclass(frozen=True)
class Shot:
    """One picture with what is known of it; in ``absent``, why there is none."""

    address: str = ""
    facts: str = ""
    absent: str = ""


@dataclass(frozen=True)
class Column:
    """A sample; ``within`` are the positions of the subset slices it belongs to."""

    sample_id: int
    label: str
    within: tuple[int, ...] = ()


@dataclass(frozen=True)
class Row:
    """Pictures column by column: ``model``'s own, or ``what`` belongs to them, such as what they were made from."""

    model: Model | None
    what: str
    shots: list[Shot]


@dataclass(frozen=True)
class Strip:
    """Samples of some models, the last of which it is about: columns are the same samples in every row."""

    title: str
    model: Model
    columns: list[Column]
    rows: list[Row]


@dataclass(frozen=True)
class Wall:
    """All strips of one target and slice.

    Attributes:
        target, slice: which.
        drawn: samples that nobody chose.
        extremes: those that cost a student most, and its pairs that are least alike.
    """

    target: str
    slice: str
    drawn: list[Strip] = field(default_factory=list)
    extremes: list[Strip] = field(default_factory=list)


Key = tuple[str, int]
"""Model and sample."""
WHAT = {"input": "made from", "truth": "should be", "nearest": "nearest of the reference"}


def walls(inputs: ReportInputs, assets: Assets) -> list[Wall]:
    """One for each target and slice that has pictures; all samples first."""
    where, order = places(inputs.record), {target: i for i, target in enumerate(targets(inputs.record))}
    groups: dict[tuple[str, str], list[Picture]] = {}
    for picture in inputs.record.gallery:
        place = where[picture.case_key]
        groups.setdefault((place.target, place.slice), []).append(picture)
    measured: dict[tuple[str, str], list[Measurement]] = {}
    for m in inputs.record.measurements:
        measured.setdefault((m.target, m.slice), []).append(m)
    keys = sorted(groups, key=lambda key: (key[1] != "all", order.get(key[0], len(order)), key[1]))
    return [_Hanging(inputs, assets, *key, groups[key], measured.get(key, []), where).wall() for key in keys]


def subset_slices(record: RunRecord) -> list[str]:
    """Slices that the shown samples can be filtered by: parts of the same samples, of which it is known which."""
    known = {m.slice for m in record.measurements if m.sample_ids is not None}
    return [slice_id for slice_id in subsets(record) if slice_id in known]


class _Hanging:
    """Makes one wall."""

    def __init__(
        self,
        inputs: ReportInputs,
        assets: Assets,
        target: str,
        slice_id: str,
        pictures: Sequence[Picture],
        measured: Sequence[Measurement],
        where: Mapping[str, Place],
    ) -> None:
        self.inputs, self.assets, self.target, self.slice = inputs, assets, target, slice_id
        self.measured = measured
        self.models = models(inputs.record)
        self.pictures: dict[str, dict[Key, Picture]] = {"sample": {}, **{shows: {} for shows in WHAT}}
        for picture in pictures:
            self.pictures[picture.shows][where[picture.case_key].model, picture.sample_id] = picture
        self.memberships = _memberships(inputs.record, target) if slice_id == "all" else {}

    def wall(self) -> Wall:
        samples = self.pictures["sample"]
        ids = sorted({picture.sample_id for picture in samples.values() if picture.drawn})
        wall = Wall(self.target, self.slice)
        for start in range(0, len(ids), COLUMNS):
            wall.drawn.append(self._strip("Drawn by lot, not chosen", ids[start : start + COLUMNS], self.models))
        teachers = [model for model in self.models if model.role == "teacher"][:1]
        for model in self.models:
            wall.extremes.extend(self._extremes(model, [*(t for t in teachers if t is not model), model]))
        return wall

    def _extremes(self, model: Model, shown: Sequence[Model]) -> Iterable[Strip]:
        """The samples that cost a model most, and the pairs that are least alike, where all of them have pictures."""
        for m in (m for m in self.measured if m.model == model.name):
            ids = [int(i) for i in m.worst_samples(EXTREMES)]
            if ids and all((model.name, i) in self.pictures["sample"] for i in ids):
                title = plain(metric_title(m.name, m.metric))
                what = f"the samples that cost the most {title}" if m.influence is not None else f"worst by {title}"
                yield self._strip(f"{plain(model.name)}: {what}", ids, shown, nearest=m.influence is not None)

    def _strip(self, title: str, ids: Sequence[int], shown: Sequence[Model], *, nearest: bool = False) -> Strip:
        labels = {key[1]: picture.label for key, picture in self.pictures["sample"].items()}
        columns = [Column(i, labels[i], self.memberships.get(i, ())) for i in ids]
        rows = [self._row(None, shows, ids) for shows in ("input", "truth")]
        rows += [self._row(model, "sample", ids) for model in shown]
        rows += [self._row(shown[-1], "nearest", ids)] if nearest else []
        return Strip(title, shown[-1], columns, [row for row in rows if any(shot.address for shot in row.shots)])

    def _row(self, model: Model | None, shows: str, ids: Sequence[int]) -> Row:
        found = self.pictures[shows]
        if model is None:  # the same for every model, and kept once
            found = {("", key[1]): picture for key, picture in found.items()}
        shots = [self._shot(found.get((model.name if model else "", i))) for i in ids]
        if model and shows == "sample":
            shots = [replace(shot, facts=self._facts(model, i)) for shot, i in zip(shots, ids, strict=True)]
        return Row(model, WHAT.get(shows, ""), shots)

    def _shot(self, picture: Picture | None) -> Shot:
        if picture is None:
            return Shot(absent="no sample")
        content = thumbnail(self.inputs.folder, picture)
        if isinstance(content, str):
            return Shot(absent=content)
        return Shot(self.assets.address(f"gallery/{picture.sha256[:20]}{Path(picture.file).suffix}", content))

    def _facts(self, model: Model, sample_id: int) -> str:
        """What single samples are known for: their own values, and what they add to a distance."""
        found = []
        for m in self.measured:
            if m.model != model.name or m.sample_ids is None:
                continue
            row = int(np.searchsorted(m.sample_ids, sample_id))
            if row >= len(m.sample_ids) or m.sample_ids[row] != sample_id:
                continue
            title = plain(metric_title(m.name, m.metric))
            if m.influence is not None and m.metric == "fid":
                found.append(f"adds {number(float(m.influence[row]), 4, signed=True)} to {title}")
            elif m.per_sample is not None and len(m.per_sample) == len(m.sample_ids) and m.against != "reference":
                found.append(f"{title} {number(float(m.per_sample[row]), 3)} {m.unit}".strip())
        return "; ".join(found)


def _memberships(record: RunRecord, target: str) -> dict[int, tuple[int, ...]]:
    """By sample, the positions of the subset slices that hold it."""
    ids_of = {m.slice: m.sample_ids for m in record.measurements if m.sample_ids is not None and m.target == target}
    found: dict[int, tuple[int, ...]] = {}
    for position, slice_id in enumerate(subset_slices(record)):
        for sample_id in ids_of.get(slice_id, ()):
            found[int(sample_id)] = (*found.get(int(sample_id), ()), position)
    return found


def thumbnail(folder: Path, picture: Picture) -> bytes | str:
    """One file below ``folder/gallery`` as the run wrote it, or why it is not shown; nothing else is read."""
    root = (folder / "gallery").resolve()
    path = (folder / picture.file).resolve()
    if not path.is_relative_to(root):
        return "outside the run folder"
    try:
        if path.stat().st_size > LARGEST_BYTES:
            return "too large"
        content = path.read_bytes()
    except OSError:
        return "file is gone"
    magic, start = MAGIC.get(path.suffix, (b"", 0))
    if not magic or content[start : start + len(magic)] != magic:
        return "not a picture"
    if hashlib.sha256(content).hexdigest() != picture.sha256:
        return "file was changed"
    return content
