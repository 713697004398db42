"""Formats and sizes against PIL's, and bombs that no decoder may see."""

import io
import struct
import zlib

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from hashnet_tf.datasets.pixels.decoding import decode_image
from hashnet_tf.datasets.pixels.header import (
    FORMATS,
    MAX_PIXELS,
    check_image,
    check_jpeg,
    image_format,
    is_jpeg,
)

SIZES = [(1, 1), (3, 300), (300, 3), (257, 256), (1025, 17)]
OPTIONS = {
    "JPEG": [{}, {"progressive": True}, {"exif": b"Exif\0\0" + b"x" * 500}],
    "PNG": [{}, {"pnginfo": None}],
    "WebP": [{}, {"lossless": True}, {"icc_profile": b"x" * 99}],
    "BMP": [{}],
}


def written(height, width, format, **options):
    file = io.BytesIO()
    pixels = np.arange(height * width * 3).reshape(height, width, 3) % 251
    image = Image.fromarray(pixels.astype(np.uint8))
    image.save(file, format, **options)
    return file.getvalue()


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("format", FORMATS)
def test_the_limit_is_on_pils_height_times_width(format, size, monkeypatch):
    height, width = size
    for options in OPTIONS[format]:
        encoded = written(height, width, format, **options)
        assert FORMATS[image_format(encoded)] == format
        module = "hashnet_tf.datasets.pixels.header.MAX_PIXELS"
        monkeypatch.setattr(module, height * width)
        assert is_jpeg(encoded) == (format == "JPEG")
        check = check_jpeg if format == "JPEG" else check_image
        checked = check(encoded)
        if format != "JPEG":
            checked, place = checked
            assert FORMATS[place] == format
        assert checked.numpy() == encoded
        monkeypatch.setattr(module, height * width - 1)
        received = rf"(?s)format, height, width =.*{format}.*{height}.*{width}"
        with pytest.raises(tf.errors.InvalidArgumentError, match=received):
            check(encoded)


@pytest.mark.parametrize(
    "encoded", [b"", b"B", b"\xff\xd8", b"GIF89a", b"RIFF    WAVE", b"\0" * 99]
)
def test_anything_else_is_of_no_format(encoded):
    assert image_format(encoded) == len(FORMATS)


def chunk(name, content):
    checked = name + content
    return (
        struct.pack(">I", len(content))
        + checked
        + struct.pack(">I", zlib.crc32(checked))
    )


def png_bomb(height, width):
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(bytes(10**6), 9))
        + chunk(b"IEND", b"")
    )


def jpeg_bomb(height, width):
    encoded = written(16, 16, "JPEG")
    at = encoded.index(b"\xff\xc0") + 5
    size = struct.pack(">HH", height, width)
    return encoded[:at] + size + encoded[at + 4 :]


def webp_bomb(height, width):
    encoded = written(16, 16, "WebP", icc_profile=b"x" * 99)
    size = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(
        3, "little"
    )
    return encoded[:24] + size + encoded[30:]


def bmp_bomb(height, width):
    encoded = written(16, 16, "BMP")
    return encoded[:18] + struct.pack("<ii", width, height) + encoded[26:]


BOMBS = {
    "JPEG": jpeg_bomb(65500, 65500),
    "PNG": png_bomb(60000, 60000),
    "PNG beyond 32 bits": png_bomb(2**31 - 1, 2**31 - 1),
    # Their product is 1 in 64 bits.
    "PNG beyond 64 bits": png_bomb(2**32 - 1, 2**32 - 1),
    "WebP": webp_bomb(2**24, 2**24),
    "BMP": bmp_bomb(-(2**31), 2**31 - 1),
    "WebP just above": webp_bomb(MAX_PIXELS // 8192 + 1, 8192),
    "PNG of one long row": png_bomb(1, 2**16 + 1),
    "BMP of one long column": bmp_bomb(2**16 + 1, 1),
}


@pytest.mark.parametrize("name", BOMBS)
@pytest.mark.parametrize("wrap", [lambda f: f, tf.function])
def test_a_bomb_is_refused_by_its_header(name, wrap):
    with pytest.raises(tf.errors.InvalidArgumentError, match="67108864 pixels"):
        wrap(decode_image)(tf.constant(BOMBS[name]))


@pytest.mark.parametrize("size", [(0, 5), (5, 0), (0, 0)])
def test_an_image_without_pixels_is_refused(size):
    for bomb in (jpeg_bomb, png_bomb, bmp_bomb):
        with pytest.raises(tf.errors.InvalidArgumentError):
            decode_image(tf.constant(bomb(*size)))
        # Before any decoder sees it.
        received = "(?s)of 1 to 67108864 pixels.*format, height, width"
        with pytest.raises(tf.errors.InvalidArgumentError, match=received):
            check_image(tf.constant(bomb(*size)))
