import numpy as np
import pytest
import tensorflow as tf

from hashnet_tf.datasets.pixels.decoding import resize_image

SIZES = [
    ((64, 48), (16, 20)),
    ((37, 53), (32, 32)),
    ((480, 640), (96, 96)),
    ((500, 333), (224, 224)),
    ((10, 10), (33, 17)),
    ((96, 96), (96, 96)),
    ((1, 1), (5, 5)),
    ((200, 1), (7, 9)),
    ((1080, 1920), (224, 224)),
]


def expected(image, size):
    return resize_image(tf.constant(image), size).numpy()


@pytest.mark.parametrize("old, new", SIZES)
def test_gives_the_pixels_of_training(old, new, hamming, tmp_path):
    rng = np.random.default_rng(0)
    image = rng.integers(0, 256, (*old, 3), dtype=np.uint8)
    resized = hamming.resize(tmp_path / "image", image, new)
    np.testing.assert_array_equal(resized, expected(image, new))


def test_random_sizes(hamming, tmp_path):
    rng = np.random.default_rng(1)
    for _ in range(60):
        height, width, *new = rng.integers(1, 130, 4).tolist()
        # Few values, so that many sums come close to a half.
        image = rng.integers(0, 2, (height, width, 3)).astype(np.uint8)
        image *= rng.integers(1, 256, dtype=np.uint8)
        resized = hamming.resize(tmp_path / "image", image, new)
        np.testing.assert_array_equal(
            resized, expected(image, new), f"{height} x {width} to {new}"
        )


@pytest.mark.parametrize("size", [(0, 4, 4, 4), (4, 4, 0, 4), (4, 4, 4, -1)])
def test_refuses_an_empty_side(size, hamming, tmp_path):
    (image := tmp_path / "image").write_bytes(bytes(48))
    answer = hamming.answer("resize", image, *size, tmp_path / "out")
    assert answer.startswith("IllegalArgumentException: The sides of an image")
    assert " to " in answer.partition("Received: ")[2]
