"""``inception-v3``: the network that FID, Inception Score and KID are published with; weights to be fetched."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from evalsuite import weights
from evalsuite.errors import Failed
from evalsuite.features._resizing import Convention, resized
from evalsuite.features.contract import Extracted, LoadedExtractor
from evalsuite.files import content_key
from evalsuite.settings import Settings

if TYPE_CHECKING:
    from evalsuite.features._inception_network import InceptionNetwork

WEIGHTS = "inception-v3"
LAST = 2048
_COUNTERS = "num_batches_tracked"


class InceptionV3(Settings):
    """Inception-v3 as TensorFlow ran it in 2015 (Szegedy et al. 2016, arXiv:1512.00567; Heusel et al. 2017).

    Attributes:
        layer: where features are taken, named by how many there are; 2048 is that of FID, and gives 1008 logits too.
        preprocessing: how images come to 299x299; values of different conventions do not compare.
        dtype: of the convolutions; bfloat16 is faster where the processor has it, and moves the metrics a little.
    """

    layer: Literal[64, 192, 768, 2048] = 2048
    preprocessing: Convention = "clean"
    dtype: Literal["float32", "bfloat16"] = "float32"

    @property
    def dim(self) -> int:
        return self.layer

    def fingerprint(self) -> str:
        """SHA-256 over the weights and the settings.

        Raises:
            Unavailable: the weights are missing; says how to get them.
        """
        weights.find(WEIGHTS)
        return content_key([weights.PUBLIC[WEIGHTS].sha256, self.model_dump(mode="json"), 1])

    def network(self) -> str:
        """All settings but the layer."""
        return self.model_dump_json(exclude={"layer"})

    @contextmanager
    def open(self) -> Iterator[LoadedExtractor]:
        with self.open_layers([self]) as loaded:
            yield loaded

    @contextmanager
    def open_layers(self, layers: Sequence[InceptionV3]) -> Iterator[_Loaded]:
        import torch

        from evalsuite.features._inception_network import InceptionNetwork

        network = InceptionNetwork()
        load(network, weights.load(weights.find(WEIGHTS)))
        yield _Loaded(self, network.folded(getattr(torch, self.dtype)), [one.layer for one in layers])


def load(network: InceptionNetwork, tensors: dict[str, Any]) -> None:
    """Put weights into the network; counters of training, which some copies of the file lack, do not matter.

    Raises:
        Failed: weights are missing, left over, or of another shape.
    """
    try:
        absent, surplus = network.load_state_dict(tensors, strict=False)
    except RuntimeError as error:
        raise Failed(f"the weights do not fit the network: {error}") from error
    wrong = [name for name in (*absent, *surplus) if not name.endswith(_COUNTERS)]
    if wrong:
        raise Failed(f"the weights do not fit the network: {len(wrong)} names differ, such as {wrong[0]}")


class _Loaded:
    def __init__(self, extractor: InceptionV3, network: InceptionNetwork, layers: Sequence[int]) -> None:
        self.extractor, self.network, self.layers = extractor, network, layers

    def extract(self, images: NDArray[np.uint8]) -> Extracted:
        """Features float32 ``[B, layer]`` of uint8 images ``[B, C, H, W]``, and for layer 2048 logits ``[B, 1008]``.

        Gray images are taken for colour images of three equal channels.

        Raises:
            Failed: another number of channels.
        """
        return self.extract_layers(images)[0]

    def extract_layers(self, images: NDArray[np.uint8]) -> tuple[Extracted, ...]:
        """The same by each layer, from one pass."""
        import torch

        from evalsuite.features._inception_network import SIZE

        if images.shape[1] not in (1, 3):
            raise Failed(f"inception-v3 takes images of one or three channels, found {images.shape[1]}")
        with torch.inference_mode():
            pixels = (resized(images, SIZE, self.extractor.preprocessing) - 128) / 128
            pixels = pixels.expand(-1, 3, -1, -1).to(getattr(torch, self.extractor.dtype))
            found, logits = self.network(pixels.contiguous(memory_format=torch.channels_last), deepest=max(self.layers))
        return tuple(
            Extracted(found[layer].numpy(), logits.numpy() if logits is not None and layer == LAST else None)
            for layer in self.layers
        )
