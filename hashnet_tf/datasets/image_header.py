"""What an image file says of itself, before a pixel of it is decoded."""

import tensorflow as tf

FORMATS = ("JPEG", "PNG", "WebP", "BMP")
# As many as 8,192 x 8,192, more than the cameras of today give; decoded they
# fill 192 MiB.
MAX_PIXELS = 2**26
_HEADER = 30


def image_format(encoded):
    """Tells the format of an image file by its first bytes.

    Args:
        encoded: Scalar string tensor.

    Returns:
        int32 scalar, the place in `FORMATS`, or `len(FORMATS)` for anything
        else. A GIF is such, and so is an animated WebP: how much memory an
        animation takes stands in no header.

    Example:

    >>> import tensorflow as tf
    >>> from hashnet_tf.datasets.image_header import FORMATS, image_format
    >>> png = tf.io.encode_png(tf.zeros([2, 3, 3], tf.uint8))
    >>> FORMATS[image_format(png)]
    'PNG'
    """
    header = _header(encoded)
    webp = _is(header, 0, b"RIFF") & _is(header, 8, b"WEBP")
    animated = _is(header, 12, b"VP8X") & ((header[20] & 2) > 0)
    is_of = [
        _is(header, 0, b"\xff\xd8\xff"),
        _is(header, 0, b"\x89PNG\r\n\x1a\n"),
        webp & ~animated,
        _is(header, 0, b"BM"),
        True,
    ]
    return tf.argmax(tf.stack(is_of), output_type=tf.int32)


def check_pixels(encoded, format):
    """Checks in the graph that an image has at most `MAX_PIXELS` pixels.

    By the size that the header gives and the decoder allocates: a file of some
    kilobytes can hold an image of many gigabytes.

    Args:
        encoded: Scalar string tensor, a file of that format.
        format: Str of `FORMATS`.

    Returns:
        `encoded`, which is to be used so that the check runs.

    Raises:
        tf.errors.InvalidArgumentError: If it has more, or none.

    Example:

    >>> import tensorflow as tf
    >>> from hashnet_tf.datasets.image_header import check_pixels
    >>> png = tf.io.encode_png(tf.zeros([2, 3, 3], tf.uint8))
    >>> check_pixels(png, "PNG") == png
    <tf.Tensor: shape=(), dtype=bool, numpy=True>
    """
    height, width = _SIZES[format](encoded)
    fits = tf.debugging.Assert(
        (height > 0) & (width > 0) & (height * width <= MAX_PIXELS),
        [
            f"An image must have between 1 and {MAX_PIXELS} pixels. Received:"
            f" a {format} file of height, width =",
            height,
            width,
        ],
    )
    # Eagerly an assertion is no operation and has raised by now.
    with tf.control_dependencies([] if fits is None else [fits]):
        return tf.identity(encoded)


def _header(encoded):
    start = tf.strings.substr(encoded, 0, _HEADER) + b"\0" * _HEADER
    header = tf.io.decode_raw(tf.strings.substr(start, 0, _HEADER), tf.uint8)
    return tf.cast(tf.ensure_shape(header, [_HEADER]), tf.int64)


def _is(header, at, magic):
    return tf.reduce_all(header[at : at + len(magic)] == list(magic))


def _number(digits):
    """Reads digits of base 256, the lowest first."""
    places = [256**i for i in range(digits.shape[0])]
    return tf.reduce_sum(digits * places)


def _jpeg_size(encoded):
    shape = tf.cast(tf.io.extract_jpeg_shape(encoded), tf.int64)
    return shape[0], shape[1]


def _png_size(encoded):
    header = _header(encoded)
    return _number(header[23:19:-1]), _number(header[19:15:-1])


def _webp_size(encoded):
    header = _header(encoded)
    lossy = _number(header[28:30]) % 2**14, _number(header[26:28]) % 2**14
    packed = _number(header[21:25])
    lossless = 1 + packed // 2**14 % 2**14, 1 + packed % 2**14
    extended = 1 + _number(header[27:30]), 1 + _number(header[24:27])
    kinds = [b"VP8 ", b"VP8L", b"VP8X"]
    chosen = tf.stack([_is(header, 12, kind) for kind in kinds])
    sizes = tf.stack([lossy, lossless, extended])
    # An unknown kind has no pixels.
    size = tf.reduce_sum(tf.where(chosen[:, None], sizes, 0), axis=0)
    return size[0], size[1]


def _bmp_size(encoded):
    header = _header(encoded)
    height, width = _number(header[22:26]), _number(header[18:22])
    # A negative height, in two's complement, says that the top row comes first.
    return tf.minimum(height, 2**32 - height), width


_SIZES = {
    "JPEG": _jpeg_size,
    "PNG": _png_size,
    "WebP": _webp_size,
    "BMP": _bmp_size,
}
