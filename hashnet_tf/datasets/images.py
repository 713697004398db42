"""The one way an image becomes pixels: in training, encoding and export.

Two decoders or two resizings give different pixels and so, here and there,
different bits; the exported graph calls these very functions.
"""

import tensorflow as tf


def decode_image(encoded):
    """Decodes one image file to RGB.

    JPEG is decoded by the accurate integer transform, which gives the pixels
    that PIL gives; TensorFlow's default differs from it by up to 5. Grey
    images become RGB, of 16 bits a channel the upper 8 count, CMYK is
    multiplied out as by PIL (but for rounding) and transparency is dropped.
    Of an animation the first frame counts. The orientation that a camera
    noted is not regarded.

    Args:
        encoded: Scalar string tensor, the bytes of a JPEG, PNG, BMP or GIF.

    Returns:
        uint8 tensor `[height, width, 3]`.

    Raises:
        tf.errors.InvalidArgumentError: If the bytes are no such image, or a
            BMP of 8 bits a pixel or fewer.

    Example:

    >>> import tensorflow as tf
    >>> from hashnet_tf.datasets.images import decode_image
    >>> pixels = tf.fill([2, 3, 1], tf.constant(7, tf.uint8))
    >>> decode_image(tf.io.encode_png(pixels)).shape
    TensorShape([2, 3, 3])
    """
    image = tf.cond(
        tf.io.is_jpeg(encoded),
        lambda: tf.io.decode_jpeg(
            encoded, channels=3, dct_method="INTEGER_ACCURATE"
        ),
        lambda: tf.io.decode_image(
            _without_indexed_bmp(encoded), channels=3, expand_animations=False
        ),
    )
    return tf.ensure_shape(image, [None, None, 3])


def _without_indexed_bmp(encoded):
    # Such a BMP holds numbers of colours, which TensorFlow takes for greys:
    # wrong pixels without an error. Emptied it is refused like any other
    # non-image, in eager code and in every kind of graph.
    header = tf.strings.substr(encoded, 0, 29)
    indexed = tf.strings.regex_full_match(header, r"BM\C{26}[\x01-\x08]")
    return tf.where(indexed, b"", encoded)


def resize_image(image, size):
    """Resizes to `size` without regard to the aspect ratio, as the paper does.

    Bilinear with antialiasing, rounded back to bytes, so that a phone that
    hands over resized bytes and a server that resizes itself mean the same.

    Args:
        image: uint8 tensor `[height, width, 3]` or `[n, height, width, 3]`.
        size: `(height, width)`, positive ints.

    Returns:
        uint8 tensor of that size.

    Example:

    >>> import tensorflow as tf
    >>> from hashnet_tf.datasets.images import resize_image
    >>> resize_image(tf.zeros([8, 6, 3], tf.uint8), (4, 4)).shape
    TensorShape([4, 4, 3])
    """
    resized = tf.image.resize(image, size, antialias=True)
    return tf.cast(tf.clip_by_value(tf.round(resized), 0.0, 255.0), tf.uint8)
