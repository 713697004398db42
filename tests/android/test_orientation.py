"""A phone turns pictures as training does."""

import io

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from hashnet_tf.datasets.pixels.orientation import exif_orientation, turn_image

STORED = np.random.default_rng(0).integers(0, 256, (5, 8, 3), np.uint8)
FORMATS = ("JPEG", "PNG", "WEBP")


def written(format, value, order="<"):
    exif = Image.Exif()
    exif.endian = order
    exif[0x010F] = "a camera"
    exif[0x0112] = value
    file = io.BytesIO()
    Image.fromarray(STORED).save(file, format, exif=exif.tobytes())
    return file.getvalue()


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("format", FORMATS)
def test_each_orientation(format, order, hamming, tmp_path):
    for value in range(1, 9):
        file = written(format, value, order)
        found, turned = hamming.turn(tmp_path / "photo", file, STORED)
        assert found == value
        np.testing.assert_array_equal(
            turned, turn_image(tf.constant(STORED), value)
        )


@pytest.mark.parametrize("format", FORMATS)
def test_of_damaged_files_the_same(format, hamming, tmp_path):
    rng = np.random.default_rng(1)
    whole = written(format, 6)
    word = {"JPEG": b"Exif", "PNG": b"eXIf", "WEBP": b"EXIF"}[format]
    at = whole.index(word)
    found = []
    for _ in range(150):
        file = bytearray(whole)
        for _ in range(rng.integers(1, 3)):
            place = min(at + rng.integers(-8, 80), len(file) - 1)
            file[place] = rng.choice([0, 1, 6, 255, rng.integers(256)])
        if rng.integers(4) == 0:
            del file[at + rng.integers(80) :]
        expected = int(exif_orientation(bytes(file)))
        value, _ = hamming.turn(tmp_path / "photo", bytes(file), STORED)
        assert value == expected
        found.append(expected)
    assert len(set(found)) > 1 and found.count(6) > 9


@pytest.mark.parametrize("file", [b"", b"\xff\xd8\xff", b"RIFF", b"BM", b"GIF"])
def test_of_no_picture_it_is_1(file, hamming, tmp_path):
    value, turned = hamming.turn(tmp_path / "photo", file, STORED)
    assert value == exif_orientation(file) == 1
    np.testing.assert_array_equal(turned, STORED)
