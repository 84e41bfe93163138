"""What a feature extractor is."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import NamedTuple, Protocol, Self, runtime_checkable

import numpy as np
from numpy.typing import NDArray


class Extracted(NamedTuple):
    """features: float32 ``[B, dim]``; logits: float32 ``[B, K]``, or None."""

    features: NDArray[np.float32]
    logits: NDArray[np.float32] | None


class LoadedExtractor(Protocol):
    """An extractor in memory."""

    def extract(self, images: NDArray[np.uint8]) -> Extracted:
        """Features of uint8 images ``[B, C, H, W]``; do not depend on the batch."""
        ...


class Extractor(Protocol):
    """A network that turns images into features; a class derived from Settings. Torch only inside ``open``."""

    dim: int
    preprocessing: str

    def fingerprint(self) -> str:
        """SHA-256 of weights and code version.

        Raises:
            Unavailable: weights or a package are missing; says how to get them.
        """
        ...

    def open(self) -> AbstractContextManager[LoadedExtractor]: ...


class EmbeddedTexts(NamedTuple):
    """features: float32 ``[N, dim]``; cut: bool ``[N]``, whether only the beginning of a text was read."""

    features: NDArray[np.float32]
    cut: NDArray[np.bool_]


@runtime_checkable
class TextEmbedder(Protocol):
    """An extractor that embeds texts in the space of its image features, too."""

    def embed_texts(self, texts: Sequence[str]) -> EmbeddedTexts:
        """Embeddings of texts; do not depend on the other texts.

        Raises:
            Unavailable: weights or a package are missing.
        """
        ...


class LoadedLayers(Protocol):
    """Several layers of one network in memory."""

    def extract_layers(self, images: NDArray[np.uint8]) -> tuple[Extracted, ...]:
        """Features of uint8 images ``[B, C, H, W]`` by each layer, from one pass."""
        ...


@runtime_checkable
class LayerExtractor(Extractor, Protocol):
    """An extractor that reads one of a network's layers, so that images pass once for all layers that are wanted."""

    def network(self) -> str:
        """Settings that layers must share to come out of one pass."""
        ...

    def open_layers(self, layers: Sequence[Self]) -> AbstractContextManager[LoadedLayers]:
        """The network, to be read at the layers of these extractors, which all have this one's ``network()``."""
        ...
