"""Windows bitmaps, of which TensorFlow alone decodes some wrongly."""

import tensorflow as tf

# Where the header of a bitmap begins, and the numbers in it.
_INFO = 14
_BITS = 28
_COMPRESSION = 30
_UNCOMPRESSED, _BITFIELDS = 0, 3
# Of 32 bits a pixel: blue in the lowest byte, then green, then red.
_USUAL_MASKS = b"\x00\x00\xff\x00\x00\xff\x00\x00\xff\x00\x00\x00"


def decode_bmp(encoded: tf.Tensor | bytes) -> tf.Tensor:
    """Decodes a BMP of 1, 4, 8, 24 or 32 bits a pixel.

    TensorFlow alone takes the numbers of a palette for greys, of 8 bits alone,
    and reads compressed files and unusual orders of channels as if they were
    not: wrong pixels without an error.

    Args:
        encoded: Scalar string tensor.

    Returns:
        uint8 tensor `[height, width, 3]`.

    Raises:
        tf.errors.InvalidArgumentError: If the bytes are no such file.

    Example:

    >>> import io, numpy as np
    >>> from PIL import Image
    >>> from hashnet_tf.datasets.pixels.bmp import decode_bmp
    >>> file = io.BytesIO()
    >>> Image.fromarray(np.full((2, 3, 3), 7, np.uint8)).save(file, "BMP")
    >>> decode_bmp(file.getvalue()).shape
    TensorShape([2, 3, 3])
    """
    bits = _number(encoded, _BITS, tf.int16)
    compression = _number(encoded, _COMPRESSION, tf.int32)
    masks = tf.strings.substr(encoded, 54, len(_USUAL_MASKS))
    # The 12 bytes of OS/2's header hold other things at these places.
    windows = _number(encoded, _INFO, tf.int32) >= 40
    plain = (compression == _UNCOMPRESSED) | (
        (compression == _BITFIELDS) & (bits == 32) & (masks == _USUAL_MASKS)
    )
    checked = tf.debugging.Assert(
        windows & plain & tf.reduce_any(bits == [1, 4, 8, 24, 32]),
        [
            "A BMP must have 1, 4, 8, 24 or 32 bits a pixel and no compression."
            " Received: bits, compression =",
            bits,
            compression,
        ],
    )
    with tf.control_dependencies([] if checked is None else [checked]):
        encoded, bits = tf.identity(encoded), tf.cast(bits, tf.int32)
    return tf.cond(
        bits <= 8,
        lambda: tf.gather(_palette(encoded), _places_in_palette(encoded, bits)),
        lambda: tf.io.decode_bmp(encoded)[..., :3],
    )


def _places_in_palette(
    encoded: tf.Tensor | bytes, bits: tf.Tensor
) -> tf.Tensor:
    """Returns int32 `[height, width]`; the first pixel is in the high bits."""
    width, height = (_number(encoded, at, tf.int32) for at in (18, 22))
    # A row ends with a word of 32 bits.
    row = (width * bits + 31) // 32 * 4
    packed = tf.strings.substr(
        encoded, _number(encoded, 10, tf.int32), tf.abs(height) * row
    )
    rows = tf.reshape(tf.io.decode_raw(packed, tf.uint8), [-1, row, 1])
    shifts = tf.range(8 - bits, -1, -bits)
    digits = tf.bitwise.right_shift(tf.cast(rows, tf.int32), shifts)
    places = tf.reshape(
        tf.math.floormod(digits, tf.bitwise.left_shift(1, bits)),
        [tf.abs(height), row * 8 // bits],
    )
    # A positive height says that the bottom row comes first.
    return tf.cond(
        height > 0,
        lambda: tf.reverse(places[:, :width], [0]),
        lambda: places[:, :width],
    )


def _palette(encoded: tf.Tensor | bytes) -> tf.Tensor:
    """Returns the colours, uint8 `[n, 3]`, blue, green, red and none a file."""
    start = _INFO + _number(encoded, _INFO, tf.int32)
    end = _number(encoded, 10, tf.int32)
    colours = tf.io.decode_raw(
        tf.strings.substr(encoded, start, end - start), tf.uint8
    )
    return tf.reshape(colours, [-1, 4])[:, 2::-1]


def _number(encoded: tf.Tensor | bytes, at: int, dtype: tf.DType) -> tf.Tensor:
    return tf.io.decode_raw(tf.strings.substr(encoded, at, dtype.size), dtype)[
        0
    ]
