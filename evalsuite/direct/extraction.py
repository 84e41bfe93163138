"""Images -> features, through the cache: an image that has passed an extractor once does not pass it again."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from evalsuite import plugins
from evalsuite.direct.images import Images, pixel_digest
from evalsuite.direct.sources import fingerprint
from evalsuite.errors import EvalsuiteError, Failed
from evalsuite.features.contract import Extracted, Extractor, LoadedExtractor
from evalsuite.files import content_key
from evalsuite.pipeline.events import Event, Listener
from evalsuite.pipeline.extract import ROOM
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

    def features(self, images: Images, extractor_name: str, what: str) -> FeatureSet:
        """Features of all images; only a few images are in memory at once.

        Args:
            images: of any sizes that the extractor takes.
            extractor_name: name, and settings where there are any, as in ``inception-v3:layer=192``.
            what: how messages and progress call the images.

        Raises:
            UsageError: there is no such extractor, or no such setting; or an image cannot be read.
            CellError: the extractor cannot be loaded, or does not take these images.
            StoreError: features cannot be kept.
        """
        extractor: Extractor = plugins.make("features", extractor_name)
        made_by = extractor.fingerprint()
        chunks = spans(len(images), CHUNK)
        keys = [f"{made_by}/{_content(images, chunk)}" for chunk in chunks]
        self._extract(images, extractor, what, dict(zip(keys, chunks, strict=True)))
        whole = [self._kept(key) for key in keys]
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

    def _extract(self, images: Images, extractor: Extractor, what: str, chunks: dict[str, Span]) -> None:
        """Fill the cache with what it lacks; the extractor is loaded only if it lacks something."""
        missing = {key: chunk for key, chunk in chunks.items() if self.store.digest(ROOM, key) is None}
        if not missing:
            return
        self.store.require_writable()
        total, done = sum(chunk.size for chunk in missing.values()), 0
        with ExitStack() as stack:
            loaded = stack.enter_context(extractor.open())
            for key, chunk in missing.items():
                parts = []
                for batch in images.batches(range(chunk.start, chunk.stop), self.batch_size):
                    parts.append(_extract_batch(loaded, batch, what))
                    done += len(batch)
                    self.listener(Event("progress", "extract", what, done, total))
                self.store.write(ROOM, key, _joined(parts))

    def _kept(self, key: str) -> dict[str, NDArray[np.float32]]:
        arrays = self.store.read(ROOM, key)
        if arrays is None:
            raise Failed("features were lost from the cache while they were used; run again")
        return arrays


def _content(images: Images, chunk: Span) -> str:
    """Key of the images of a chunk, known without decoding them."""
    digests = [images.digest(position).hex() for position in range(chunk.start, chunk.stop)]
    return content_key(["images", VERSION, digests])


def _extract_batch(
    loaded: LoadedExtractor, batch: Sequence[NDArray[np.uint8]], what: str
) -> dict[str, NDArray[np.generic]]:
    """Features of some images; those of one size pass together, in the order they are in.

    Raises:
        CellError: the extractor does not take these images.
    """
    extracted: list[Extracted | None] = [None] * len(batch)
    for shape in dict.fromkeys(image.shape for image in batch):
        rows = [row for row, image in enumerate(batch) if image.shape == shape]
        found = _extracted(loaded, np.stack([batch[row] for row in rows]), what)
        for place, row in enumerate(rows):
            logits = None if found.logits is None else found.logits[place]
            extracted[row] = Extracted(found.features[place], logits)
    whole = [row for row in extracted if row is not None]
    arrays: dict[str, NDArray[np.generic]] = {
        "features": np.stack([row.features for row in whole]),
        "pixel_digests": np.frombuffer(b"".join(map(pixel_digest, batch)), np.uint8).reshape(-1, 32),
    }
    logits_rows = [row.logits for row in whole if row.logits is not None]
    return arrays | ({"logits": np.stack(logits_rows)} if logits_rows else {})


def _extracted(loaded: LoadedExtractor, images: NDArray[np.uint8], what: str) -> Extracted:
    try:
        return loaded.extract(images)
    except EvalsuiteError:
        raise
    except Exception as error:
        raise Failed(f"features of the {what} images: {type(error).__name__}: {error}") from error


def _joined(parts: Sequence[dict[str, NDArray[np.generic]]]) -> dict[str, NDArray[np.generic]]:
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
