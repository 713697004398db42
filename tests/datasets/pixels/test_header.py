"""Formats and sizes against PIL's, and bombs that no decoder may see."""

import io
import struct
import subprocess
import sys
import zlib

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from hashnet_tf.datasets.pixels import decoding
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
        checked, place = check(encoded)
        assert not place if format == "JPEG" else FORMATS[place] == format
        assert checked.numpy() == encoded
        monkeypatch.setattr(module, height * width - 1)
        if format == "JPEG":
            # At half its size, of half a pixel more.
            halved = -(-height // 2) * -(-width // 2)
            monkeypatch.setattr(module, halved - 1)
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
    "JPEG just above": jpeg_bomb(2**14, 2**14 + 1),
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


# Traced once for all files.
decode_in_graph = tf.function(
    decode_image, input_signature=[tf.TensorSpec([], tf.string)]
)


@pytest.mark.parametrize("name", BOMBS)
@pytest.mark.parametrize("decode", [decode_image, decode_in_graph])
def test_a_bomb_is_refused_by_its_header(name, decode):
    with pytest.raises(tf.errors.InvalidArgumentError, match="67108864 pixels"):
        decode(tf.constant(BOMBS[name]))


@pytest.mark.parametrize("size", [(0, 5), (5, 0), (0, 0)])
def test_an_image_without_pixels_is_refused(size):
    for bomb in (jpeg_bomb, png_bomb, bmp_bomb):
        with pytest.raises(tf.errors.InvalidArgumentError):
            decode_image(tf.constant(bomb(*size)))
        # Before any decoder sees it.
        received = "(?s)of 1 to 67108864 pixels.*format, height, width"
        with pytest.raises(tf.errors.InvalidArgumentError, match=received):
            check_image(tf.constant(bomb(*size)))


def halved_by_pil(encoded, size):
    """What libjpeg gives PIL at half the height and width."""
    height, width = size
    with Image.open(io.BytesIO(encoded)) as image:
        image.draft("RGB", (width // 2, height // 2))
        return np.asarray(image)


def limit(monkeypatch, pixels):
    """Lets fewer pixels be too many, also of a decoder traced before."""
    monkeypatch.setattr("hashnet_tf.datasets.pixels.header.MAX_PIXELS", pixels)
    traced = decoding._traced_decode
    anew = tf.function(
        traced.python_function,
        input_signature=traced.input_signature,
        autograph=False,
    )
    monkeypatch.setattr(decoding, "_traced_decode", anew)


@pytest.mark.parametrize("wrap", [lambda f: f, tf.function])
@pytest.mark.parametrize("size", [(300, 41), (257, 256)])
def test_a_larger_jpeg_is_decoded_at_half_its_size(size, wrap, monkeypatch):
    encoded = written(*size, "JPEG")
    limit(monkeypatch, size[0] * size[1] - 1)
    expected = halved_by_pil(encoded, size)
    assert expected.shape == (-(-size[0] // 2), -(-size[1] // 2), 3)
    np.testing.assert_array_equal(
        wrap(decode_image)(tf.constant(encoded)), expected
    )


def in_three_scans(height, width):
    """A sequential JPEG whose first scan lacks two components: it says so."""
    encoded = written(height, width, "JPEG")
    at = encoded.index(b"\xff\xda") + 2
    assert encoded[at : at + 3] == b"\0\x0c\3"
    of_one = b"\0\x08\1" + encoded[at + 3 : at + 5] + b"\0\x3f\0"
    return encoded[:at] + of_one + encoded[at + 12 :]


@pytest.mark.parametrize("wrap", [lambda f: f, tf.function])
def test_a_larger_one_in_several_scans_is_refused(wrap, monkeypatch):
    # A graph keeps the limit of its tracing.
    decode = wrap(decode_image)
    limit(monkeypatch, 300 * 41 - 1)
    several = [
        written(300, 41, "JPEG", progressive=True),
        in_three_scans(300, 41),
    ]
    for encoded in several:
        received = "(?s)one scan.*JPEG in several scans.*300.*41"
        with pytest.raises(tf.errors.InvalidArgumentError, match=received):
            decode(tf.constant(encoded))
    limit(monkeypatch, 300 * 41)
    assert decode_image(several[0]).shape == (300, 41, 3)


# 108 megapixels in one scan, in a process whose memory nothing else fills.
PEAK = """
import resource, sys
import tensorflow as tf
from hashnet_tf.datasets.pixels.decoding import decode_image

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

encoded = tf.io.read_file(sys.argv[1])
decode_image(tf.io.encode_jpeg(tf.zeros([64, 64, 3], tf.uint8)))
before = peak()
print(decode_image(encoded).shape.as_list(), peak() - before)
"""


@pytest.mark.slow
def test_a_photograph_of_108_megapixels_takes_little_memory(tmp_path):
    path = tmp_path / "large.jpg"
    Image.new("RGB", (12000, 9000), (250, 130, 10)).save(path)
    answer = subprocess.run(
        [sys.executable, "-c", PEAK, path],
        capture_output=True,
        text=True,
        check=True,
    )
    shape, grown = answer.stdout.strip().rsplit(" ", 1)
    assert shape == "[4500, 6000, 3]"
    # Its own pixels fill 77 MiB, those of the whole would fill 309.
    unit = 1 if sys.platform == "darwin" else 1024
    assert int(grown) * unit < 120 * 2**20
