import numpy as np
import pytest
import tensorflow as tf

from hashnet_tf.datasets.pixels.decoding import decode_image, resize_image
from hashnet_tf.export.saved_model import decode_files

SIZE = (9, 11)


def files(n):
    rng = np.random.default_rng(n)
    for i in range(n):
        height, width = rng.integers(1, 60, 2)
        image = rng.integers(0, 256, (height, width, 3), dtype=np.uint8)
        encode = tf.io.encode_png if i % 2 else tf.io.encode_jpeg
        yield encode(image).numpy()


@pytest.mark.parametrize("wrap", [lambda f: f, tf.function])
@pytest.mark.parametrize("n", [0, 1, 7, 50])
def test_all_good(n, wrap):
    encoded = tf.constant(list(files(n)), tf.string, [n])
    images, ok = wrap(lambda f: decode_files(f, SIZE))(encoded)
    assert images.dtype == tf.uint8 and images.shape == (n, *SIZE, 3)
    assert ok.dtype == tf.bool and ok.numpy().tolist() == [True] * n
    for image, file in zip(images, encoded, strict=True):
        expected = resize_image(decode_image(file), SIZE)
        np.testing.assert_array_equal(image, expected)


@pytest.mark.parametrize("seed", range(5))
def test_bad_ones_between(seed):
    rng = np.random.default_rng(seed)
    encoded = list(files(20))
    bad = rng.random(20) < [0.1, 0.5, 0.9, 1.0, 0.0][seed]
    for place in np.flatnonzero(bad):
        file = encoded[place]
        encoded[place] = file[: rng.integers(len(file) - 20)]
    images, ok = decode_files(tf.constant(encoded), SIZE)
    np.testing.assert_array_equal(ok, ~bad)
    for place, image in enumerate(images.numpy()):
        if bad[place]:
            assert (image == 0).all()
        else:
            expected = resize_image(decode_image(encoded[place]), SIZE)
            np.testing.assert_array_equal(image, expected)
