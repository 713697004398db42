import numpy as np
import pytest
import tensorflow as tf

from hashnet_tf.datasets.pixels.decoding import decode_image, resize_image
from hashnet_tf.export.image_signatures import decode_files


def some_files(n):
    rng = np.random.default_rng(n)
    for i in range(n):
        height, width = rng.integers(1, 60, 2)
        image = rng.integers(0, 256, (height, width, 3), dtype=np.uint8)
        encode = tf.io.encode_png if i % 2 else tf.io.encode_jpeg
        yield encode(image).numpy()


def decode_small(files):
    return decode_files(files, (9, 11))


# Traced once for any number of files.
decode_in_graph = tf.function(
    decode_small, input_signature=[tf.TensorSpec([None], tf.string)]
)


@pytest.mark.parametrize(
    "n, share, decode",
    [
        (0, 0.0, decode_in_graph),
        (20, 0.0, decode_in_graph),
        (20, 0.5, decode_small),
        (20, 1.0, decode_in_graph),
    ],
)
def test_decodes_files_and_leaves_bad_ones_black(n, share, decode):
    rng = np.random.default_rng(n)
    encoded = list(some_files(n))
    bad = rng.random(n) < share
    for place in np.flatnonzero(bad):
        file = encoded[place]
        encoded[place] = file[: rng.integers(len(file) - 20)]

    images, ok = decode(tf.constant(encoded, tf.string, [n]))
    assert images.dtype == tf.uint8 and images.shape == (n, 9, 11, 3)
    assert ok.dtype == tf.bool
    np.testing.assert_array_equal(ok, ~bad)
    for place, image in enumerate(images.numpy()):
        if bad[place]:
            assert (image == 0).all()
        else:
            expected = resize_image(decode_image(encoded[place]), (9, 11))
            np.testing.assert_array_equal(image, expected)
