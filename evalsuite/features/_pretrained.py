"""What extractors by the ``transformers`` library share: their folder of weights, and how images become its input."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from evalsuite import weights
from evalsuite.errors import Failed, Unavailable
from evalsuite.files import content_key
from evalsuite.settings import Settings

FILES = ("config.json", "model.safetensors")


class Pretrained(Settings):
    """An extractor whose weights lie in a local folder named like the model; nothing is downloaded.

    Attributes:
        folder: name below the weights folder.
        repository: where the public model is to be had.
        side: height and width that the network sees.
        crop: whether the shorter side is resized and the middle taken; else the whole image is squeezed into a square.
        mean, deviation: of each channel, scaled to [0, 1], in the network's training.
        dim, preprocessing: as of every extractor.
    """

    package_extra: ClassVar[str] = "transformers"
    folder: ClassVar[str]
    repository: ClassVar[str]
    side: ClassVar[int]
    crop: ClassVar[bool]
    mean: ClassVar[tuple[float, float, float]]
    deviation: ClassVar[tuple[float, float, float]]
    files: ClassVar[tuple[str, ...]] = FILES
    dim: ClassVar[int]
    preprocessing: ClassVar[str]

    def path(self) -> Path:
        """The folder of weights.

        Raises:
            Unavailable: it is not there, or not whole; says what to copy.
        """
        return weights.find_folder(self.folder, self.files, f"{self.repository} on Hugging Face")

    def fingerprint(self) -> str:
        """SHA-256 over weights, configuration and preprocessing.

        Raises:
            Unavailable: the weights are missing.
        """
        path = self.path()
        return content_key([self.preprocessing, self.side, *(weights.sha256_of(path / name) for name in FILES)])

    @contextmanager
    def loaded(self, model_class: str) -> Iterator[Any]:
        """A model of the library, ready for inference.

        Raises:
            Unavailable: the library is not installed.
            Failed: the folder does not fit the model.
        """
        from safetensors import SafetensorError

        transformers = library()
        try:
            model = getattr(transformers, model_class).from_pretrained(
                self.path(), local_files_only=True, use_safetensors=True
            )
        except (OSError, ValueError, RuntimeError, SafetensorError) as error:
            raise Failed(f"{self.path()}: cannot be loaded as {model_class}: {error}") from error
        yield model.eval().requires_grad_(False)

    def prepare(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Input of the network, float32 ``[B, 3, side, side]``, from uint8 ``[B, C, H, W]`` of one or three channels.

        Raises:
            Failed: another number of channels.
        """
        if images.shape[1] not in (1, 3):
            raise Failed(f"{self.folder} takes images of one or three channels, found {images.shape[1]}")
        pixels = images.repeat(3, axis=1) if images.shape[1] == 1 else images
        resized = np.stack([self._resized(image.transpose(1, 2, 0)) for image in pixels])
        mean, deviation = (np.array(values, np.float32) for values in (self.mean, self.deviation))
        scaled = (resized.astype(np.float32) / 255 - mean) / deviation
        return np.ascontiguousarray(scaled.transpose(0, 3, 1, 2))

    def _resized(self, pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
        height, width = pixels.shape[:2]
        if not self.crop:
            size = (self.side, self.side)
        elif height <= width:
            size = (int(self.side * width / height), self.side)
        else:
            size = (self.side, int(self.side * height / width))
        image = Image.fromarray(np.ascontiguousarray(pixels))
        if image.size != size:
            image = image.resize(size, Image.Resampling.BICUBIC)
        left, top = ((length - self.side) // 2 for length in image.size)
        return np.asarray(image.crop((left, top, left + self.side, top + self.side)))


def library() -> Any:
    """The ``transformers`` package, which is imported only when a network is loaded, without its own progress bars.

    Raises:
        Unavailable: it is not installed.
    """
    try:
        import transformers
    except ImportError as error:
        raise Unavailable(
            "needs the package transformers; install it with: pip install 'evalsuite[transformers]'"
        ) from error
    log: Any = transformers.utils.logging
    log.disable_progress_bar()
    log.set_verbosity_error()  # half of CLIP is not loaded, and that is meant
    return transformers
