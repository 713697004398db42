"""What an image file says of itself, before a pixel of it is decoded.

In few operations, for each costs again with every image, and a small photograph
is decoded in no time.
"""

import numpy as np
import tensorflow as tf

from hashnet_tf._framings import JPEG_RATIO, MAX_PIXELS, MAX_SIDE

FORMATS = ("JPEG", "PNG", "WebP", "BMP")
JPEG_PIXELS = MAX_PIXELS * JPEG_RATIO**2
_HEADER = 30
# A file of nothing but empty parts must end too.
MOST_PARTS = 2**16
_OTHER = len(FORMATS)
_ANIMATED = b"\2"
_JPEG = b"\xff\xd8\xff"


def _number(
    *places: int, divided: int = 1, modulo: int = 2**32, plus: int = 0
) -> tuple[np.ndarray, int, int, int]:
    """Where a number stands, the lowest byte first, and what it means."""
    weights = np.zeros(_HEADER, np.int64)
    weights[list(places)] = [256**i for i in range(len(places))]
    return weights, divided, modulo, plus


_NONE = _number()
# Of each kind of file its format, what stands where, and its height and width;
# the first kind that fits counts. A JPEG has its size further on.
_KINDS = (
    (0, {0: _JPEG}, _NONE, _NONE),
    (
        1,
        {0: b"\x89PNG\r\n\x1a\n"},
        _number(23, 22, 21, 20),
        _number(19, 18, 17, 16),
    ),
    (_OTHER, {0: b"RIFF", 8: b"WEBPVP8X", 20: _ANIMATED}, _NONE, _NONE),
    (
        2,
        {0: b"RIFF", 8: b"WEBPVP8 "},
        _number(28, 29, modulo=2**14),
        _number(26, 27, modulo=2**14),
    ),
    (
        2,
        {0: b"RIFF", 8: b"WEBPVP8L"},
        _number(21, 22, 23, 24, divided=2**14, modulo=2**14, plus=1),
        _number(21, 22, 23, 24, modulo=2**14, plus=1),
    ),
    (
        2,
        {0: b"RIFF", 8: b"WEBPVP8X"},
        _number(27, 28, 29, plus=1),
        _number(24, 25, 26, plus=1),
    ),
    (3, {0: b"BM"}, _number(22, 23, 24, 25), _number(18, 19, 20, 21)),
    (_OTHER, {}, _NONE, _NONE),
)
_BMP = 6


def _patterns() -> tuple[np.ndarray, np.ndarray]:
    values = np.zeros((len(_KINDS), _HEADER), np.uint8)
    masks = np.zeros_like(values)
    for row, (_, parts, _, _) in enumerate(_KINDS):
        for at, part in parts.items():
            places = slice(at, at + len(part))
            values[row, places] = list(part)
            # Of the byte of flags the one bit, of others all.
            masks[row, places] = list(part) if part == _ANIMATED else 255
    return values, masks


_VALUES, _MASKS = _patterns()
_FORMAT_OF = np.array([kind[0] for kind in _KINDS], np.int32)
# Each [kinds, 2, ...], of height and width.
_WEIGHTS, _DIVIDED, _MODULO, _PLUS = (
    np.array([[kind[2][i], kind[3][i]] for kind in _KINDS], np.int64)
    for i in range(4)
)


def image_format(encoded: tf.Tensor | bytes) -> tf.Tensor:
    """Tells the format of an image file by its first bytes.

    Args:
        encoded: Scalar string tensor.

    Returns:
        int32 scalar, the place in `FORMATS`, or `len(FORMATS)` for anything
        else. A GIF is such, and so is an animated WebP: how much memory an
        animation takes stands in no header.

    Example:

    >>> import tensorflow as tf
    >>> from hashnet_tf.datasets.pixels.header import FORMATS, image_format
    >>> png = tf.io.encode_png(tf.zeros([2, 3, 3], tf.uint8))
    >>> FORMATS[image_format(png)]
    'PNG'
    """
    return tf.gather(_FORMAT_OF, _kind(_header(encoded)))


def is_jpeg(encoded: tf.Tensor | bytes) -> tf.Tensor:
    """Tells whether a file is a JPEG, in the two operations that it takes.

    Args:
        encoded: Scalar string tensor.

    Returns:
        bool scalar.

    Example:

    >>> import tensorflow as tf
    >>> from hashnet_tf.datasets.pixels.header import is_jpeg
    >>> bool(is_jpeg(tf.constant("no image")))
    False
    """
    return tf.strings.substr(encoded, 0, len(_JPEG)) == _JPEG


def check_jpeg(encoded: tf.Tensor | bytes) -> tuple[tf.Tensor, tf.Tensor]:
    """Checks that a JPEG decodes to at most `MAX_PIXELS` pixels.

    By the size that the header gives and the decoder allocates: a file of some
    kilobytes can hold an image of many gigabytes. One of more pixels, up to
    four times as many, is to be decoded at half its height and width
    (`JPEG_RATIO`). It must come in one scan, as cameras write it: of several,
    as of a progressive one, the decoder keeps all coefficients whatever the
    ratio.

    Args:
        encoded: Scalar string tensor, a JPEG.

    Returns:
        `(encoded, large)`: the file, which is to be used so that the check
        runs, and whether it is to be decoded at half its size, bool scalar.

    Raises:
        tf.errors.InvalidArgumentError: If it has more, or none.

    Example:

    >>> import tensorflow as tf
    >>> from hashnet_tf.datasets.pixels.header import check_jpeg
    >>> jpeg = tf.io.encode_jpeg(tf.zeros([2, 3, 3], tf.uint8))
    >>> bool(check_jpeg(jpeg)[1])
    False
    """
    # At most 65,535 a side.
    size = tf.io.extract_jpeg_shape(encoded, tf.int64)[:2]
    encoded = tf.convert_to_tensor(encoded, tf.string)
    large = size[0] * size[1] > MAX_PIXELS
    half = tf.cond(
        large, lambda: _in_one_scan(encoded), lambda: tf.constant(False)
    )
    # What is not to be decoded at half its size keeps it, and is refused.
    decoded = tf.where(half, -(-size // JPEG_RATIO), size)
    name = tf.where(large & ~half, "JPEG in several scans", "JPEG")
    return _checked(encoded, decoded, name, told=size), large


# Not inlined, for the operations of a branch that is not taken cost time too.
@tf.function(
    input_signature=[tf.TensorSpec([], tf.string)],
    autograph=False,
    experimental_attributes={"_noinline": True},
)
def _in_one_scan(encoded: tf.Tensor) -> tf.Tensor:
    """Tells whether a JPEG is sequential, all components in its first scan."""

    def step(at, kind, components, scanned, more):
        head = numbers_of(encoded, at, 10)
        marker = head[1]
        # C4, C8 and CC are no frames.
        frame = (marker >= 0xC0) & (marker <= 0xCF)
        frame &= tf.reduce_all(marker != [0xC4, 0xC8, 0xCC])
        scan = marker == 0xDA
        more = (head[0] == 255) & (marker != 0xDA) & (at < end)
        following = at + 2 + head[2] * 256 + head[3]
        return (
            # Any number of bytes of 255 may stand before a marker.
            tf.where(marker == 255, at + 1, following),
            tf.where(frame, marker, kind),
            tf.where(frame, head[9], components),
            tf.where(scan, head[4], scanned),
            more,
        )

    none = tf.constant(0, tf.int64)
    end = tf.cast(tf.strings.length(encoded), tf.int64)
    _, kind, components, scanned, _ = tf.while_loop(
        lambda at, kind, components, scanned, more: more,
        step,
        (tf.constant(2, tf.int64), none, none, none, tf.constant(True)),
        maximum_iterations=MOST_PARTS,
    )
    sequential = (kind == 0xC0) | (kind == 0xC1)
    return sequential & (scanned > 0) & (scanned == components)


def check_image(encoded: tf.Tensor | bytes) -> tuple[tf.Tensor, tf.Tensor]:
    """Checks that a file is an image of at most `MAX_PIXELS` pixels.

    As `check_jpeg`, for the formats whose header begins with the size.

    Args:
        encoded: Scalar string tensor, anything but a JPEG.

    Returns:
        `(encoded, format)`: the file, which is to be used so that the check
        runs, and its place in `FORMATS`, int32 scalar.

    Raises:
        tf.errors.InvalidArgumentError: If it has more, or none, or is of no
            format.

    Example:

    >>> import tensorflow as tf
    >>> from hashnet_tf.datasets.pixels.header import check_image
    >>> png = tf.io.encode_png(tf.zeros([2, 3, 3], tf.uint8))
    >>> int(check_image(png)[1])
    1
    """
    header = _header(encoded)
    kind = _kind(header)
    format = tf.gather(_FORMAT_OF, kind)
    name = tf.gather([*FORMATS, "another"], format)
    return _checked(encoded, _size(header, kind), name), format


def _checked(
    encoded: tf.Tensor | bytes,
    size: tf.Tensor,
    name: tf.Tensor,
    told: tf.Tensor | None = None,
) -> tf.Tensor:
    # Each side first, for the product of two may not fit into 64 bits.
    sides_fit = tf.reduce_all((size > 0) & (size <= MAX_SIDE))
    fits = tf.debugging.Assert(
        sides_fit & (size[0] * size[1] <= MAX_PIXELS),
        [
            f"An image must be a {', '.join(FORMATS[:-1])} or {FORMATS[-1]}"
            f" file that is no animation, of 1 to {MAX_PIXELS} pixels (a JPEG"
            f" in one scan, as cameras write it, to {JPEG_PIXELS}), at most"
            f" {MAX_SIDE} a side."
            " Received: format, height, width =",
            name,
            # As text, for a check that shows numbers would be a branch.
            tf.strings.as_string(size if told is None else told),
        ],
    )
    # Eagerly an assertion is no operation and has raised by now.
    with tf.control_dependencies([] if fits is None else [fits]):
        return tf.identity(encoded)


def _header(encoded: tf.Tensor | bytes) -> tf.Tensor:
    return tf.io.decode_raw(encoded, tf.uint8, fixed_length=_HEADER)


def _kind(header: tf.Tensor) -> tf.Tensor:
    return tf.argmax(tf.reduce_all(header & _MASKS == _VALUES, axis=1))


def _size(header: tf.Tensor, kind: tf.Tensor) -> tf.Tensor:
    number = tf.linalg.matvec(
        tf.gather(_WEIGHTS, kind), tf.cast(header, tf.int64)
    )
    number //= tf.gather(_DIVIDED, kind)
    size = number % tf.gather(_MODULO, kind) + tf.gather(_PLUS, kind)
    # A negative height, in two's complement, says that the top row of a BMP
    # comes first.
    top_first = (kind == _BMP) & (size > 2**31)
    return tf.where(top_first, 2**32 - size, size)


def slice_of(
    encoded: tf.Tensor | bytes, at: int | tf.Tensor, length: int | tf.Tensor
) -> tf.Tensor:
    """Returns bytes of a file, fewer where it ends before.

    Args:
        encoded: Scalar string tensor.
        at: Integer scalar, where they begin.
        length: Integer scalar, how many.

    Example:

    >>> from hashnet_tf.datasets.pixels.header import slice_of
    >>> slice_of(b"RIFF", 2, 9).numpy()
    b'FF'
    """
    end = tf.cast(tf.strings.length(encoded), tf.int64)
    at = tf.minimum(tf.cast(at, tf.int64), end)
    return tf.strings.substr(encoded, at, tf.cast(length, tf.int64))


def numbers_of(
    encoded: tf.Tensor | bytes, at: int | tf.Tensor, count: int
) -> tf.Tensor:
    """Returns bytes of a file as numbers, and zeros behind its end.

    Args:
        encoded: Scalar string tensor.
        at: Integer scalar, where they begin.
        count: Int, how many.

    Returns:
        int64 tensor `[count]`.

    Example:

    >>> from hashnet_tf.datasets.pixels.header import numbers_of
    >>> numbers_of(b"BM", 1, 3).numpy().tolist()
    [77, 0, 0]
    """
    some = slice_of(encoded, at, count)
    numbers = tf.io.decode_raw(some, tf.uint8, fixed_length=count)
    return tf.cast(numbers, tf.int64)
