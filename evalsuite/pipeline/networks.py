"""Extractors that are layers of one network pass their images together."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import cast

import numpy as np
from numpy.typing import NDArray

from evalsuite.features.contract import Extracted, Extractor, LayerExtractor

Passes = Callable[[NDArray[np.uint8]], tuple[Extracted, ...]]


def passes_of(extractors: Mapping[str, Extractor]) -> list[tuple[str, ...]]:
    """Names of the extractors by the pass that they take, in their order."""
    passes: dict[object, list[str]] = {}
    for name, extractor in extractors.items():
        shared = (type(extractor), extractor.network()) if isinstance(extractor, LayerExtractor) else name
        passes.setdefault(shared, []).append(name)
    return [tuple(names) for names in passes.values()]


@contextmanager
def opened(extractors: Sequence[Extractor]) -> Iterator[Passes]:
    """Load what one pass needs; what it yields turns uint8 images ``[B, C, H, W]`` into features by each extractor."""
    first, *others = extractors
    if others and isinstance(first, LayerExtractor):
        with first.open_layers(cast(Sequence[LayerExtractor], extractors)) as layers:
            yield layers.extract_layers
    else:
        with first.open() as loaded:
            yield lambda images: (loaded.extract(images),)
