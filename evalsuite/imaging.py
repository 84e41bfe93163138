"""Image files, which may come from anyone: a short list of formats, bounded sizes, no colour that has to be guessed."""

from __future__ import annotations

import io
import re
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError
from PIL.ImageFile import ImageFile

from evalsuite.errors import Failed

FORMATS = {
    ".png": "PNG",
    ".jpg": "JPEG",
    ".jpeg": "JPEG",
    ".webp": "WEBP",
    ".bmp": "BMP",
    ".tif": "TIFF",
    ".tiff": "TIFF",
}
"""What is opened, by file ending; Pillow knows many more, some of which run other programs."""

MAX_PIXELS = 64_000_000
"""Checked before anything is unpacked, and below the number from which Pillow warns of a decompression bomb: that
warning cannot be made an error where threads read images, since warning filters belong to the whole process."""

_GRAY_MODES = ("1", "L", "LA")
_COLOUR_MODES = ("RGB", "RGBA", "P", "PA", "CMYK", "YCbCr")


def is_image(name: str) -> bool:
    """Whether a file's ending is that of an image."""
    return Path(name).suffix.lower() in FORMATS


def read_image(file: Path | bytes, name: str | None = None) -> NDArray[np.uint8]:
    """One image, uint8 ``[C, H, W]``: one channel for grey, three for everything else.

    Palettes, CMYK and an alpha channel that is opaque everywhere become plain RGB. Rotation tags and colour profiles
    are left out of account.

    Args:
        file: a path, or the content of a file.
        name: what messages call it; else the path's last part.

    Raises:
        Failed: it is none of the formats, damaged, animated, partly transparent, of more than 8 bits a channel, or has
            more than 64 million pixels.
    """
    name = name or (file.name if isinstance(file, Path) else "the image")
    try:
        source = file if isinstance(file, Path) else io.BytesIO(file)
        with Image.open(source, formats=sorted(set(FORMATS.values()))) as image:
            pixels = _pixels(image, name)
    except UnidentifiedImageError as error:
        formats = ", ".join(sorted(set(FORMATS.values())))
        raise Failed(f"{name}: cannot be read as an image of the formats {formats}; is it damaged?") from error
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise Failed(f"{name}: too large to be opened safely: {error}") from error
    except Failed:
        raise
    except Exception as error:  # of a damaged file, whatever the decoder met: SyntaxError, KeyError, struct.error
        raise Failed(f"{name}: cannot be read as an image, damaged: {error}") from error
    return pixels[None] if pixels.ndim == 2 else np.ascontiguousarray(pixels.transpose(2, 0, 1))


def _pixels(image: ImageFile, name: str) -> NDArray[np.uint8]:
    """uint8 ``[H, W]`` or ``[H, W, 3]`` of an image whose size is known and whose pixels are not read yet."""
    if image.width * image.height > MAX_PIXELS:
        raise Failed(f"{name}: {image.width}x{image.height} pixels are more than {MAX_PIXELS}")
    frames = getattr(image, "n_frames", 1)
    if frames > 1:
        raise Failed(f"{name}: found {frames} frames, expected a single image; save the frame that is meant")
    if image.mode not in _GRAY_MODES + _COLOUR_MODES or _drops_bits(image):
        raise Failed(
            f"{name}: found pixels of mode {image.mode} or 16 bits; save it as grey or RGB of 8 bits a channel"
        )
    if image.has_transparency_data and image.convert("RGBA").getchannel("A").getextrema() != (255, 255):
        raise Failed(f"{name}: found transparency, expected an opaque image; flatten it onto a background first")
    return np.asarray(image.convert("L" if image.mode in _GRAY_MODES else "RGB"))


def _drops_bits(image: ImageFile) -> bool:
    """Whether Pillow would drop the lower byte of 16-bit colours without a word: the decoder's raw mode tells."""
    # BGR;16, of bitmaps, has 5 or 6 bits a channel.
    return any(re.search(r"(RGB|RGBA|LA);16", str(tile[3])) for tile in image.tile)
