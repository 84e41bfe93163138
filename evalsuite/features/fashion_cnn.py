"""``fashion-cnn``: the bundled extractor and classifier for Fashion-MNIST; needs no download."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from numpy.typing import NDArray

from evalsuite.errors import Failed
from evalsuite.features.contract import Extracted, LoadedExtractor
from evalsuite.settings import Settings

if TYPE_CHECKING:
    from evalsuite.features._fashion_cnn_network import FashionCnnNetwork

WEIGHTS = Path(__file__).parent / "data" / "fashion-cnn.safetensors"


class FashionCnn(Settings):
    """64 features and 10 logits of 28x28 grayscale images, by a small classifier.

    Trained on the train split of Fashion-MNIST, which is disjoint from the reference (the test split).
    """

    dim: ClassVar[int] = 64
    preprocessing: ClassVar[str] = "none: 28x28 grayscale, scaled to [-1, 1]"

    def fingerprint(self) -> str:
        """SHA-256 of the weights file."""
        try:
            return hashlib.sha256(WEIGHTS.read_bytes()).hexdigest()
        except OSError as error:
            raise Failed(
                f"the bundled weights {WEIGHTS} cannot be read: {error.strerror}; reinstall evalsuite"
            ) from error

    @contextmanager
    def open(self) -> Iterator[LoadedExtractor]:
        from safetensors.torch import load_file

        from evalsuite.features._fashion_cnn_network import FashionCnnNetwork

        network = FashionCnnNetwork()
        network.load_state_dict({name: tensor.float() for name, tensor in load_file(WEIGHTS).items()})
        yield _Loaded(network.eval())


class _Loaded:
    def __init__(self, network: FashionCnnNetwork) -> None:
        self.network = network

    def extract(self, images: NDArray[np.uint8]) -> Extracted:
        """Features float32 ``[B, 64]`` and logits float32 ``[B, 10]`` of uint8 images ``[B, 1, 28, 28]``.

        Raises:
            Failed: the images have another shape.
        """
        import torch

        from evalsuite.features._fashion_cnn_network import as_input

        if images.shape[1:] != (1, 28, 28):
            found = "x".join(map(str, images.shape[1:]))
            raise Failed(f"fashion-cnn takes images of 1x28x28, found {found}; choose another extractor")
        with torch.inference_mode():
            features, logits = self.network(as_input(torch.from_numpy(np.ascontiguousarray(images))))
        return Extracted(features.numpy(), logits.numpy())
