"""Image files to pixels inside the graph; one bad file spoils no other."""

import tensorflow as tf

from hashnet_tf.datasets.framing import frame_image
from hashnet_tf.datasets.images import decode_image

# Of the largest images allowed, as many at once take 1.5 GiB.
PARALLEL_DECODES = 8


def decode_files(image_bytes, size, framing="whole"):
    """Decodes files to images of one size, and tells which could be.

    An error in a graph ends all of it, but for one: a `tf.data` pipeline can
    leave out the elements that raised. The files that were not left out are put
    back into their places.

    Args:
        image_bytes: String tensor `[n]`, files as `decode_image` takes them.
        size: `(height, width)`.
        framing: As in `HashNet`.

    Returns:
        `(images, ok)`: uint8 tensor `[n, height, width, 3]`, zeros where a file
        could not be decoded, and bool tensor `[n]`.

    Example:

    >>> import tensorflow as tf
    >>> from hashnet_tf.export.decode_files import decode_files
    >>> png = tf.io.encode_png(tf.zeros([2, 3, 3], tf.uint8))
    >>> images, ok = decode_files(tf.stack([png, "no image"]), (4, 4))
    >>> images.shape, ok.numpy().tolist()
    (TensorShape([2, 4, 4, 3]), [True, False])
    """
    n = tf.size(image_bytes, out_type=tf.int64)

    def decode(place, file):
        return place, frame_image(decode_image(file), size, framing)

    files = tf.data.Dataset.from_tensor_slices(image_bytes).enumerate()
    decoded = files.map(
        decode, num_parallel_calls=PARALLEL_DECODES, deterministic=False
    ).ignore_errors()
    # A row of no file's, so that there is a batch where no file is good.
    blank = tf.data.Dataset.from_tensors(
        (n, tf.zeros([*size, 3], tf.uint8)),
    )
    batch = blank.concatenate(decoded).batch(n + 1)
    options = tf.data.Options()
    # It watches for seconds what is over in milliseconds.
    options.autotune.enabled = False
    places, images = batch.with_options(options).get_single_element()
    places = places[:, None]
    shape = tf.stack([n + 1, *size, 3])
    images = tf.scatter_nd(places, images, shape)[:-1]
    ok = tf.scatter_nd(places, tf.ones_like(places[:, 0]), [n + 1])[:-1]
    return tf.ensure_shape(images, [None, *size, 3]), ok > 0
