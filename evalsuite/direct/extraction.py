"""Images -> features, through the cache: an image that has passed an extractor once does not pass it again."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from evalsuite import plugins
from evalsuite.direct.images import Images, pixel_digest
from evalsuite.direct.sources import fingerprint
from evalsuite.errors import EvalsuiteError, Failed
from evalsuite.features.contract import Extracted, Extractor
from evalsuite.files import content_key
from evalsuite.pipeline.events import Event, Listener
from evalsuite.pipeline.extract import ROOM, features_key
from evalsuite.pipeline.networks import Passes, opened, passes_of
from evalsuite.pipeline.samples import Span, spans
from evalsuite.records import FeatureSet
from evalsuite.store import Store

VERSION = 1
"""Of how images are read; a change of it makes features anew."""

CHUNK = 256
"""Images behind one entry of the cache."""


@dataclass(frozen=True)
class Extraction:
    """How images become features.

    Attributes:
        store: where features are kept.
        batch_size: images that pass the extractor at once; changes memory and speed, not features.
        listener: is told of the progress.
    """

    store: Store
    batch_size: int
    listener: Listener

    def features(self, images: Images, extractor_name: str, what: str, wanted: Iterable[str] = ()) -> FeatureSet:
        """Features of all images; only a few images are in memory at once.

        Args:
            images: of any sizes that the extractor takes.
            extractor_name: name, and settings where there are any, as in ``inception-v3:layer=192``.
            what: how messages and progress call the images.
            wanted: extractors that will be asked for too; what comes out of the same pass is kept for them.

        Raises:
            UsageError: there is no such extractor, or no such setting; or an image cannot be read.
            CellError: the extractor cannot be loaded, or does not take these images.
            StoreError: features cannot be kept.
        """
        extractor: Extractor = plugins.make("features", extractor_name)
        made_by = extractor.fingerprint()
        chunks = spans(len(images), CHUNK)
        contents = [_content(images, chunk) for chunk in chunks]  # equal where images are there twice
        extractors = _pass_of(extractor_name, extractor, wanted)
        self._extract(images, extractors, what, dict(zip(contents, chunks, strict=True)))
        whole = [self._kept(features_key(made_by, content)) for content in contents]
        digests = np.concatenate([arrays["pixel_digests"] for arrays in whole])
        return FeatureSet(
            extractor=extractor_name,
            fingerprint=made_by,
            preprocessing=extractor.preprocessing,
            sample_ids=np.arange(len(images), dtype=np.int64),
            features=np.concatenate([arrays["features"] for arrays in whole]),
            logits=np.concatenate([arrays["logits"] for arrays in whole]) if "logits" in whole[0] else None,
            source=fingerprint([row.tobytes() for row in digests]),
        )

    def _extract(self, images: Images, extractors: dict[str, Extractor], what: str, chunks: dict[str, Span]) -> None:
        """Fill the cache with what it lacks; extractors are loaded only if it lacks something."""
        missing = {
            content: chunk
            for content, chunk in chunks.items()
            if any(self.store.digest(ROOM, features_key(made_by, content)) is None for made_by in extractors)
        }
        if not missing:
            return
        self.store.require_writable()
        total, done = sum(chunk.size for chunk in missing.values()), 0
        with opened(list(extractors.values())) as passed:
            for content, chunk in missing.items():
                parts = []
                for batch in images.batches(range(chunk.start, chunk.stop), self.batch_size):
                    parts.append(_extract_batch(passed, batch, what))
                    done += len(batch)
                    self.listener(Event("progress", "extract", what, done, total))
                for made_by, of_extractor in zip(extractors, zip(*parts, strict=True), strict=True):
                    self.store.write(ROOM, features_key(made_by, content), _joined(of_extractor))

    def _kept(self, key: str) -> dict[str, NDArray[np.float32]]:
        arrays = self.store.read(ROOM, key)
        if arrays is None:
            raise Failed("features were lost from the cache while they were used; run again")
        return arrays


def _pass_of(name: str, extractor: Extractor, wanted: Iterable[str]) -> dict[str, Extractor]:
    """By fingerprint, the extractors that take the same pass over the images, this one among them."""
    every = {one: plugins.make("features", one) for one in wanted} | {name: extractor}
    together = next(names for names in passes_of(every) if name in names)
    return {every[one].fingerprint(): every[one] for one in together}


def _content(images: Images, chunk: Span) -> str:
    """Key of the images of a chunk, known without decoding them."""
    digests = [images.digest(position).hex() for position in range(chunk.start, chunk.stop)]
    return content_key(["images", VERSION, digests])


def _extract_batch(
    passed: Passes, batch: Sequence[NDArray[np.uint8]], what: str
) -> list[dict[str, NDArray[np.generic]]]:
    """Features of some images by each extractor; images of one size pass together, and keep the order they are in.

    Raises:
        CellError: the extractor does not take these images.
    """
    shapes = dict.fromkeys(image.shape for image in batch)
    rows_of = {shape: [row for row, image in enumerate(batch) if image.shape == shape] for shape in shapes}
    found = [_extracted(passed, np.stack([batch[row] for row in rows]), what) for rows in rows_of.values()]
    order = np.argsort(np.concatenate(list(rows_of.values())))
    digests = np.frombuffer(b"".join(map(pixel_digest, batch)), np.uint8).reshape(-1, 32)
    return [{**_arrays(parts, order), "pixel_digests": digests} for parts in zip(*found, strict=True)]


def _arrays(parts: Sequence[Extracted], order: NDArray[np.intp]) -> dict[str, NDArray[np.generic]]:
    """Features and logits of parts of a batch as one, its rows taken in this order."""
    features = np.concatenate([part.features for part in parts])[order]
    logits = [part.logits for part in parts if part.logits is not None]
    return {"features": features} | ({"logits": np.concatenate(logits)[order]} if logits else {})


def _extracted(passed: Passes, images: NDArray[np.uint8], what: str) -> tuple[Extracted, ...]:
    try:
        return passed(images)
    except EvalsuiteError:
        raise
    except Exception as error:
        raise Failed(f"features of the {what} images: {type(error).__name__}: {error}") from error


def _joined(parts: Sequence[dict[str, NDArray[np.generic]]]) -> dict[str, NDArray[np.generic]]:
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
