"""Image files of every kind that people and attackers make: which are read as what, and which are refused."""

import io
import struct
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from evalsuite import imaging
from evalsuite.errors import Failed
from evalsuite.imaging import is_image, read_image

PIXELS = np.random.default_rng(0).integers(0, 256, (6, 5, 3), np.uint8)


def encoded(image, kind="PNG", **options):
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def with_alpha(alpha):
    return Image.fromarray(np.dstack([PIXELS, np.full((6, 5), alpha, np.uint8)]))


def sixteen_bit_png(colour_type, channels):
    """A PNG that Pillow cannot write: black, 4x4, 16 bits a channel."""

    def chunk(name, content):
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    header = struct.pack(">IIBBBBB", 4, 4, 16, colour_type, 0, 0, 0)
    rows = zlib.compress(b"".join(b"\0" + bytes(4 * channels * 2) for _ in range(4)))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


@pytest.mark.parametrize("kind", ["PNG", "BMP", "TIFF", "WEBP"])
def test_lossless_formats_give_their_pixels(kind):
    options = {"lossless": True} if kind == "WEBP" else {}
    found = read_image(encoded(Image.fromarray(PIXELS), kind, **options))
    np.testing.assert_array_equal(found, PIXELS.transpose(2, 0, 1))


def test_a_path_and_its_content_are_the_same_image(tmp_path):
    path = tmp_path / "a.png"
    path.write_bytes(encoded(Image.fromarray(PIXELS)))
    np.testing.assert_array_equal(read_image(path), read_image(path.read_bytes()))


def test_grey_keeps_one_channel():
    found = read_image(encoded(Image.fromarray(PIXELS[..., 0])))
    np.testing.assert_array_equal(found, PIXELS[None, ..., 0])


def test_a_palette_becomes_its_colours():
    image = Image.fromarray(PIXELS // 128 * 255).quantize(8)
    found = read_image(encoded(image))
    np.testing.assert_array_equal(found, np.asarray(image.convert("RGB")).transpose(2, 0, 1))


def test_an_opaque_alpha_channel_is_dropped():
    np.testing.assert_array_equal(read_image(encoded(with_alpha(255))), PIXELS.transpose(2, 0, 1))
    grey = np.dstack([PIXELS[..., 0], np.full((6, 5), 255, np.uint8)])
    np.testing.assert_array_equal(read_image(encoded(Image.fromarray(grey, "LA"))), PIXELS[None, ..., 0])


def palette_with_transparency():
    return encoded(Image.fromarray(PIXELS).quantize(8), transparency=bytes([0, 255, 100]))


REFUSED = {
    "transparent": (encoded(with_alpha(100)), "found transparency"),
    "transparent palette": (palette_with_transparency(), "found transparency"),
    "transparent colour": (encoded(Image.new("RGB", (4, 4)), transparency=(0, 0, 0)), "found transparency"),
    "16-bit grey": (encoded(Image.fromarray(np.full((6, 5), 1000, np.uint16))), "8 bits a channel"),
    "16-bit RGB": (sixteen_bit_png(2, 3), "8 bits a channel"),
    "16-bit RGBA": (sixteen_bit_png(6, 4), "8 bits a channel"),
    "32-bit floats": (encoded(Image.fromarray(np.ones((6, 5), np.float32)), "TIFF"), "8 bits a channel"),
    "animated": (
        encoded(Image.new("L", (4, 4)), save_all=True, append_images=[Image.new("L", (4, 4), 9)]),
        "found 2 frames",
    ),
    "GIF": (encoded(Image.new("L", (4, 4)), "GIF"), "cannot be read as an image of the formats BMP, JPEG"),
    "text": (b"no image", "cannot be read as an image"),
    "nothing": (b"", "cannot be read as an image"),
    "cut short": (encoded(Image.effect_noise((200, 200), 50))[:10_000], "damaged"),
    "cut short, JPEG": (encoded(Image.effect_noise((200, 200), 50), "JPEG")[:5_000], "damaged"),
}


@pytest.mark.parametrize(("content", "message"), REFUSED.values(), ids=REFUSED)
def test_what_would_have_to_be_guessed_is_refused_by_name(content, message):
    with pytest.raises(Failed, match=message) as refused:
        read_image(content, "pictures/7.png")
    assert str(refused.value).startswith("pictures/7.png: ")


def test_bombs_are_refused_before_they_are_unpacked(monkeypatch):
    bomb = encoded(Image.new("L", (100, 100)))
    monkeypatch.setattr(imaging, "MAX_PIXELS", 9_000)
    with pytest.raises(Failed, match="100x100 pixels are more than 9000"):
        read_image(bomb)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 6_000)
    with pytest.raises(Failed, match="too large to be opened safely"):
        read_image(bomb)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 4_000)
    with pytest.raises(Failed, match="too large to be opened safely"):
        read_image(bomb)


def test_images_are_told_by_the_ending():
    assert all(map(is_image, ["a.png", "b/c.JPG", "d.jpeg", "e.tif", "f.webp", "g.bmp"]))
    assert not any(map(is_image, ["notes.txt", "png", "a.gif", "a.png.part", "model.pt"]))


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(["PNG", "JPEG", "WEBP", "BMP", "TIFF"]), st.data())
@pytest.mark.filterwarnings("ignore::UserWarning")  # what Pillow says of tags it cannot read
def test_damage_of_any_kind_is_refused_or_makes_other_pixels(kind, data):
    content = bytearray(encoded(Image.fromarray(PIXELS), kind))
    for _ in range(data.draw(st.integers(1, 5))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.sampled_from([0, 65, 255]))
    try:
        found = read_image(bytes(content))
    except Failed:
        return
    assert found.dtype == np.uint8
    assert found.ndim == 3
