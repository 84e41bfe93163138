"""Samples -> thumbnails: what a reader of the report looks at, chosen by lot or because it is the worst."""

from __future__ import annotations

import hashlib
import io
import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from evalsuite import plugins
from evalsuite.errors import CellError, Skipped
from evalsuite.files import write_atomically
from evalsuite.pipeline.changes import changed
from evalsuite.pipeline.conditions import Conditions, conditions_of
from evalsuite.pipeline.extract import Features
from evalsuite.pipeline.generate import Samples, case_spans
from evalsuite.records import Case, FeatureSet, Measurement, Picture, Plan
from evalsuite.store import Store
from evalsuite.suite.schema import Suite

FOLDER = "gallery"
PER_CLASS = 2
MAX_DRAWN = 40
"""Samples of a model that are drawn by lot."""
MAX_WORST = 8
"""Samples that cost a model most, by one metric."""
MAX_PER_SLICE, MOST_ON_SLICES = 6, 1200
"""Pictures of a model under a changed condition, and of all together as long as each has two."""
MAX_MEMBERS = 10
"""Samples of a derived slice."""
PAIR_METRICS = ("lpips", "dists", "ms_ssim", "ssim", "psnr")
"""By which pairs are called unlike, the first that was measured."""
MAX_SIDE, MAX_LOSSLESS_SIDE = 256, 64

Ids = NDArray[np.int64]
Shows = Literal["sample", "nearest", "input", "truth"]


def make_gallery(
    suite: Suite,
    plan: Plan,
    samples: Samples,
    features: Features,
    measured: Sequence[Measurement],
    folder: Path,
    store: Store,
) -> list[Picture]:
    """Write thumbnails into ``folder/gallery``.

    Of every model two samples of each class, drawn with the suite's seed, at most 40 and the same for all models; the 8
    that cost it most in FID, with the nearest images of the reference; the 8 that are least like the teacher's, with
    the teacher's own; and on the first target a few under each changed condition, and ten of each derived slice. Where
    samples are made from images, those too. At most 256 pixels wide.

    Raises:
        StoreError: the run folder cannot be written.
    """
    return list(_Gallery(suite, conditions_of(suite), samples, features, folder, store).pictures(plan, measured))


@dataclass(frozen=True)
class _Gallery:
    suite: Suite
    conditions: Conditions
    samples: Samples
    features: Features
    folder: Path
    store: Store

    def pictures(self, plan: Plan, measured: Sequence[Measurement]) -> Iterator[Picture]:
        whole = [case for case in plan.cases if case.slice == "all"]
        if not whole:
            return
        drawn = draw(whole[0].sample_ids, len(self.conditions.class_names), self.suite.sampling.seed)
        costly, unlike = _costly(whole, measured), _unlike(whole, measured)
        for case in whole:
            chosen = np.union1d(costly[case.key], unlike[case.key])
            yield from self._of_case(case, drawn, chosen)
            yield from self._nearest(case, drawn, costly[case.key])
        every = [ids for of in (costly, unlike) for ids in of.values()]
        yield from self._inputs(whole[0], drawn, np.unique(np.concatenate([drawn, *every])))
        yield from self._varied(plan, drawn)
        yield from self._derived(plan)

    def _varied(self, plan: Plan, drawn: Ids) -> Iterator[Picture]:
        """A few samples of every model under each changed condition; images look alike on all targets."""
        cases = [case for case in plan.cases if case.slice != "all" and case.parent is None]
        cases = [case for case in cases if case.target == cases[0].target]
        count = int(np.clip(MOST_ON_SLICES // max(len(cases), 1), 2, MAX_PER_SLICE))
        first = {case.slice: case for case in reversed(cases)}
        for case in cases:
            ids = drawn[np.isin(drawn, case.sample_ids)][:count]
            yield from self._of_case(case, ids, _NO_IDS)
            if first[case.slice] is case:
                yield from self._inputs(case, drawn, ids)

    def _derived(self, plan: Plan) -> Iterator[Picture]:
        """Members of each slice that nobody declared, drawn by lot, of every model: what a gap was found on."""
        derived = {one.id for one in plan.slices if one.derived}
        cases = [case for case in plan.cases if case.slice in derived]
        cases = [case for case in cases if case.target == cases[0].target]
        first = {case.slice: case for case in reversed(cases)}
        for case in cases:
            ids = draw(case.sample_ids, 0, self.suite.sampling.seed, MAX_MEMBERS)
            yield from self._of_case(case, ids, _NO_IDS)
            if first[case.slice] is case:
                yield from self._inputs(case, ids, ids)

    def _of_case(self, case: Case, drawn: Ids, chosen: Ids) -> Iterator[Picture]:
        ids: Ids = np.union1d(drawn, chosen)
        try:
            images = self.samples.of(case).images(ids)
        except CellError:
            return
        name = f"{case.model}-{case.target}{'' if case.slice == 'all' else f'-{_slug(case.slice)}'}"
        for sample_id, image in zip(ids, images, strict=True):
            yield self._picture(case, sample_id, image, f"{name}-{sample_id:05d}", drawn)

    def _nearest(self, case: Case, drawn: Ids, ids: Ids) -> Iterator[Picture]:
        """For each sample, the image of the reference whose features are nearest to its own."""
        if self.suite.reference is None or not len(ids):
            return
        dataset = plugins.find("datasets", self.suite.reference.dataset).model_validate(self.suite.reference.settings)
        try:
            generated, reference = self._features(case)
        except CellError:
            return
        ids = np.sort(ids)
        rows = nearest(generated.select(np.searchsorted(generated.sample_ids, ids)), reference)
        for sample_id, number in zip(ids, reference.sample_ids[rows], strict=True):
            image = dataset.images(np.array([number]))[0]
            yield self._picture(case, sample_id, image, f"reference-{number:06d}", drawn, "nearest")

    def _features(self, case: Case) -> tuple[FeatureSet, FeatureSet]:
        """Of a case and of the reference, by the extractor of FID.

        Raises:
            CellError: there are none.
        """
        settings = next(metric.settings for metric in self.suite.metrics if metric.metric == "fid")
        extractor = plugins.find("metrics", "fid").model_validate(settings).extractor
        reference = self.features.of_reference(extractor)
        if not isinstance(reference, FeatureSet):
            raise Skipped("of the reference there are only mean and covariance")
        return self.features.of(extractor, case.key), reference

    def _inputs(self, case: Case, drawn: Ids, ids: Ids) -> Iterator[Picture]:
        """What samples of a case's slice were made from, and what they should have become, as far as that is known."""
        if self.conditions.inputs is None:
            return
        batch = self.conditions.batch(ids, self.suite.sampling.seed, case.noise)
        found: dict[Shows, NDArray[np.uint8] | None] = {}
        with suppress(CellError):  # a search that ended without a result
            found["input"] = changed(batch, case, case_spans(self.suite, case), self.store).images
        of_slice = "" if case.slice == "all" else f"-{_slug(case.slice)}"
        with suppress(Skipped):
            found["truth"] = self.conditions.truth(ids)
        for shows, images in found.items():
            for sample_id, image in zip(ids, images, strict=True) if images is not None else ():
                yield self._picture(case, sample_id, image, f"{shows}{of_slice}-{sample_id:05d}", drawn, shows)

    def _picture(
        self, case: Case, sample_id: int, image: NDArray[np.uint8], name: str, drawn: Ids, shows: Shows = "sample"
    ) -> Picture:
        suffix, packed = pack(image)
        file = f"{FOLDER}/{name}{suffix}"
        write_atomically(self.folder / file, packed)
        return Picture(
            sample_id=int(sample_id),
            case_key=case.key,
            label=self.conditions.names(np.array([sample_id]))[0],
            file=file,
            sha256=hashlib.sha256(packed).hexdigest(),
            shows=shows,
            drawn=bool(np.isin(sample_id, drawn)),
        )


def draw(sample_ids: Ids, classes: int, seed: int, most: int = MAX_DRAWN) -> Ids:
    """Samples by lot, increasing: whole rounds of all classes where that is few enough, so that each has as many."""
    rng = np.random.default_rng(seed)
    if 0 < classes * PER_CLASS <= most and len(sample_ids) >= classes * PER_CLASS:
        rounds = rng.choice(len(sample_ids) // classes, PER_CLASS, replace=False)
        return np.sort(sample_ids[(rounds[:, None] * classes + np.arange(classes)).ravel()])
    return np.sort(rng.choice(sample_ids, min(most, len(sample_ids)), replace=False))


def nearest(generated: FeatureSet, reference: FeatureSet) -> NDArray[np.int64]:
    """The row of the reference with the least Euclidean distance to each row of ``generated``, int64 ``[N]``."""
    a, b = generated.features.astype(np.float64), reference.features.astype(np.float64)
    rows: NDArray[np.int64] = np.argmin((b**2).sum(axis=1) - 2 * a @ b.T, axis=1)
    return rows


def pack(image: NDArray[np.uint8]) -> tuple[str, bytes]:
    """Suffix and content of a thumbnail of one image uint8 ``[C, H, W]``, C 1 or 3, at most 256 pixels wide and high.

    Small ones are PNG, pixel by pixel; large ones WebP, which is a tenth of that.
    """
    from PIL import Image

    pixels = image[0] if len(image) == 1 else image.transpose(1, 2, 0)
    picture = Image.fromarray(np.ascontiguousarray(pixels))
    picture.thumbnail((MAX_SIDE, MAX_SIDE))
    packed = io.BytesIO()
    if max(picture.size) <= MAX_LOSSLESS_SIDE:
        picture.save(packed, format="PNG", optimize=True)
        return ".png", packed.getvalue()
    picture.save(packed, format="WEBP", quality=90)
    return ".webp", packed.getvalue()


_NO_IDS: Ids = np.empty(0, np.int64)


def _costly(cases: Sequence[Case], measured: Sequence[Measurement]) -> dict[str, Ids]:
    """By case key, the samples that cost its model most in FID."""
    found = {m.case_key: m.worst_samples(MAX_WORST) for m in reversed(measured) if m.metric == "fid"}
    return {case.key: found.get(case.key, _NO_IDS) for case in cases}


def _unlike(cases: Sequence[Case], measured: Sequence[Measurement]) -> dict[str, Ids]:
    """By case key, the samples that are least like those of another case; the other is to show them too."""
    metric = next((name for name in PAIR_METRICS if any(m.metric == name for m in measured)), "")
    keys = {case.key for case in cases}
    found = {key: [_NO_IDS] for key in keys}
    for m in measured:
        if m.metric == metric and m.case_key in keys:
            found[m.case_key].append(m.worst_samples(MAX_WORST))
            found.setdefault(m.against, []).append(m.worst_samples(MAX_WORST))
    return {key: np.unique(np.concatenate(ids)) for key, ids in found.items()}


def _slug(slice_id: str) -> str:
    return re.sub(r"[^A-Za-z0-9.]+", "-", slice_id)[:60]
