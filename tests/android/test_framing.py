"""A phone frames pictures as training does."""

import numpy as np
import pytest
import tensorflow as tf
from sklearn.datasets import load_sample_images

from hashnet_tf._framings import FRAMINGS
from hashnet_tf.datasets.pixels.framing import frame_image

SIZES = [
    ((64, 48), (16, 20)),
    ((37, 53), (32, 32)),
    ((480, 640), (96, 96)),
    ((500, 333), (224, 224)),
    ((10, 10), (33, 17)),
    ((96, 96), (96, 96)),
    # What the other framings crop from.
    ((110, 110), (96, 96)),
    ((256, 301), (227, 227)),
    ((1, 1), (5, 5)),
    ((200, 1), (7, 9)),
    ((5, 7001), (24, 31)),
    ((1080, 1920), (224, 224)),
]


def expected(image, size, framing):
    return frame_image(tf.constant(image), size, framing).numpy()


@pytest.mark.parametrize("framing", FRAMINGS)
@pytest.mark.parametrize("old, new", SIZES)
def test_gives_the_pixels_of_training(old, new, framing, hamming, tmp_path):
    rng = np.random.default_rng(0)
    image = rng.integers(0, 256, (*old, 3), dtype=np.uint8)
    np.testing.assert_array_equal(
        hamming.frame(tmp_path / "image", image, new, framing),
        expected(image, new, framing),
    )


@pytest.mark.parametrize("framing", FRAMINGS)
def test_random_sizes(framing, hamming, tmp_path):
    rng = np.random.default_rng(1)
    for _ in range(60):
        height, width, *new = rng.integers(1, 130, 4).tolist()
        # Few values, so that many sums come close to a half.
        image = rng.integers(0, 2, (height, width, 3)).astype(np.uint8)
        image *= rng.integers(1, 256, dtype=np.uint8)
        np.testing.assert_array_equal(
            hamming.frame(tmp_path / "image", image, new, framing),
            expected(image, new, framing),
            f"{height} x {width} to {new}",
        )


@pytest.mark.parametrize("framing", FRAMINGS)
def test_photographs(framing, hamming, tmp_path):
    for photo in load_sample_images().images:
        for image in (photo, photo[3:402, 11:310], photo[:, :77]):
            for size in ((224, 224), (96, 131)):
                framed = hamming.frame(tmp_path / "i", image, size, framing)
                np.testing.assert_array_equal(
                    framed, expected(image, size, framing)
                )


def refused(hamming, tmp_path, size, framing):
    (image := tmp_path / "image").write_bytes(bytes(48))
    out = tmp_path / "out"
    answer = hamming.answer("frame", image, *size, framing, out)
    assert not out.exists()
    return answer


@pytest.mark.parametrize("framing", FRAMINGS)
@pytest.mark.parametrize(
    "size", [(0, 4, 4, 4), (4, 0, 4, 4), (4, 4, 0, 4), (4, 4, 4, -1)]
)
def test_refuses_an_empty_side(size, framing, hamming, tmp_path):
    answer = refused(hamming, tmp_path, size, framing)
    assert answer.startswith("IllegalArgumentException: The sides of an image")
    assert " to " in answer.partition("Received: ")[2]


@pytest.mark.parametrize("framing", ["Whole", "squashed"])
def test_refuses_a_framing_that_is_none(framing, hamming, tmp_path):
    answer = refused(hamming, tmp_path, (4, 4, 4, 4), framing)
    assert answer == (
        "IllegalArgumentException: `framing` must be one of"
        f" [{', '.join(FRAMINGS)}]. Received: framing={framing}"
    )
