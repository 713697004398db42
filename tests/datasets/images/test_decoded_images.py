import re

import numpy as np
import pytest
import tensorflow as tf

from hashnet_tf.datasets import ArrayImages, FileImages
from hashnet_tf.datasets.images import decoded_images
from hashnet_tf.datasets.images import decoded_images as module
from hashnet_tf.datasets.images.decoded_images import DecodedImages, cached

IMAGES = ArrayImages(
    np.random.default_rng(0).integers(0, 256, (60, 5, 4, 3), np.uint8),
    np.arange(60) % 3,
)
BYTES = 60 * 5 * 4 * 3


def kept(cache="auto", keep=lambda position, image: (position, image)):
    return cached(IMAGES, keep, cache)


@pytest.mark.parametrize(
    "available, fits",
    [(2 * BYTES, True), (2 * BYTES - 1, False), (None, False)],
)
def test_auto_takes_at_most_half_of_the_memory(available, fits, monkeypatch):
    monkeypatch.setattr(decoded_images, "available_memory", lambda: available)
    assert isinstance(kept(), DecodedImages) == fits
    assert (kept() is IMAGES) == (not fits)
    assert isinstance(kept("always"), DecodedImages)
    assert kept("never") is IMAGES


def test_auto_gives_up_where_the_first_images_are_the_smallest(monkeypatch):
    def rows(position, image):
        return position, image[: tf.where(position < 48, 1, 5)]

    # Of the first 48 one row each: 60 rows seem to be enough.
    monkeypatch.setattr(decoded_images, "available_memory", lambda: 2 * 60 * 12)
    assert kept(keep=rows) is IMAGES
    monkeypatch.setattr(decoded_images, "available_memory", lambda: 2 * BYTES)
    assert isinstance(kept(keep=rows), DecodedImages)


def test_are_the_same_set():
    there = kept("always")
    assert there.names == IMAGES.names
    assert there.labels.tolist() == IMAGES.labels.tolist()
    assert there.fingerprint() == IMAGES.fingerprint()
    assert there.fingerprints() == IMAGES.fingerprints()
    for position, image in there.encoded().as_numpy_iterator():
        np.testing.assert_array_equal(image, IMAGES.images[position])
    some = there.subset([7, 3])
    assert some.names == ["7", "3"]
    for (_, image), place in zip(some.encoded(), (7, 3), strict=True):
        np.testing.assert_array_equal(image, IMAGES.images[place])


def test_refuses():
    with pytest.raises(ValueError, match="Received: cache=True$"):
        kept(True)


@pytest.mark.parametrize("cache", ["auto", "always"])
def test_each_image_is_decoded_once(cache, monkeypatch):
    monkeypatch.setattr(decoded_images, "available_memory", lambda: 2 * BYTES)
    seen = []

    def keep(position, image):
        tf.py_function(lambda i: seen.append(int(i)), [position], [])
        return position, tf.py_function(lambda x: x, [image], tf.uint8)

    assert isinstance(kept(cache, keep), DecodedImages)
    assert sorted(seen) == list(range(60))


def test_what_cannot_be_decoded_is_named(tmp_path, write_image):
    names = [f"{i}.png" for i in range(6)]
    for name in names:
        write_image(tmp_path / name, 1)
    for name in names[2:4]:
        (tmp_path / name).write_text("no image")
    images = FileImages(tmp_path, names, [0] * 6)

    def decode(position, image):
        # One alone, for to trace all takes a second.
        return position, tf.io.decode_png(image, channels=3)

    message = re.escape(
        f"Received: {tmp_path}/2.png (not an image), {tmp_path}/3.png (not"
    )
    with pytest.raises(ValueError, match=f"^2 of 6 images .*{message}"):
        cached(images, decode, "always")
    (tmp_path / "1.png").unlink()
    with pytest.raises(OSError, match=r"/1.png \(No such file"):
        cached(images, decode, "always")


def test_what_failed_once_is_not_kept():
    def keep(position, image):
        tf.debugging.assert_none_equal(position % 25, np.int64(7))
        return position, image

    assert not isinstance(kept("always", keep), DecodedImages)


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """Writes what the kernel tells: kilobytes, and bytes of the container."""
    monkeypatch.setattr(module, "_MEMINFO", tmp_path / "meminfo")
    monkeypatch.setattr(module, "_CGROUP", tmp_path)

    def write(kilobytes=None, limit=None, taken=0):
        if kilobytes is not None:
            text = f"MemTotal: 9 kB\nMemAvailable:   {kilobytes} kB\n"
            (tmp_path / "meminfo").write_text(text)
        if limit is not None:
            (tmp_path / "memory.max").write_text(f"{limit}\n")
            (tmp_path / "memory.current").write_text(f"{taken}\n")

    return write


@pytest.mark.parametrize(
    "told, expected",
    [
        ((8,), 8192),
        ((8, "max"), 8192),
        ((8, 5000, 1000), 4000),
        ((8, 50_000, 1000), 8192),
        ((8, 1000, 1001), 0),
    ],
)
def test_is_the_least_that_is_told(told, expected, machine):
    machine(*told)
    assert module.available_memory() == expected


def test_by_the_pages_where_there_is_no_list(machine, monkeypatch):
    pages = {"SC_AVPHYS_PAGES": 3, "SC_PAGE_SIZE": 4096}
    monkeypatch.setattr(module.os, "sysconf", pages.__getitem__)
    assert module.available_memory() == 3 * 4096


def test_is_not_known_where_nothing_tells(machine, monkeypatch):
    monkeypatch.delattr(module.os, "sysconf")
    assert module.available_memory() is None
