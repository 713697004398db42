"""Which way up a photograph is, by the EXIF tag that its camera wrote.

A telephone that is held upright stores rows that lie on their side, and notes
it. In operations of a graph, for a server turns images too, and in few: a file
without EXIF costs one search for a word, and the rest is one function that is
not run.
"""

import numpy as np
import tensorflow as tf

from hashnet_tf.datasets.pixels.header import (
    MOST_PARTS,
    image_format,
    numbers_of,
    slice_of,
)

UPRIGHT = 1
_TAG = 0x0112
_SHORT, _LONG = 3, 4
_ENTRY = 12
# Of a JPEG and a PNG the word before EXIF, and of a WebP what begins a file
# whose flags tell of it.
_WORDS = {"JPEG": r"Exif\x00\x00", "PNG": "eXIf"}
_FLAGGED = r"VP8X\C{4}[\x08-\x0f\x18-\x1f\x28-\x2f\x38-\x3f]"
# How the parts of a file follow each other, a column a format: where the first
# begins, how its first bytes weigh in its length, what it is longer than that,
# whether it is filled up to an even length, and where EXIF begins in it.
_PARTS = ("JPEG", "PNG", "WebP")
_HEAD = 10
_FIRST = np.array([2, 8, 12], np.int64)
_WEIGHTS = np.zeros((3, _HEAD), np.int64)
_WEIGHTS[0, 2:4] = 2**8, 1
_WEIGHTS[1, :4] = 2**24, 2**16, 2**8, 1
_WEIGHTS[2, 4:8] = 1, 2**8, 2**16, 2**24
_BEYOND = np.array([2, 12, 8], np.int64)
_EVEN = np.array([0, 0, 1], np.int64)
_EXIF = np.array([10, 8, 8], np.int64)
# Of the end of a part, how much lies behind its EXIF: a checksum.
_BEHIND = np.array([0, 4, 0], np.int64)


def exif_orientation(encoded: tf.Tensor | bytes) -> tf.Tensor:
    """Reads the EXIF tag 0x0112 of an image file.

    Of a JPEG it stands in the first APP1 segment of EXIF, of a PNG in the eXIf
    chunk, of a WebP in the EXIF chunk. Only a whole number from 1 to 8 counts,
    and nothing beyond its segment or chunk is read.

    Args:
        encoded: Scalar string tensor.

    Returns:
        int64 scalar, 1 to 8: 1 where there is no tag, the tag is damaged, or
        the file is of another format or no image.

    Example:

    >>> import io
    >>> from PIL import Image
    >>> from hashnet_tf.datasets.pixels.orientation import exif_orientation
    >>> file, exif = io.BytesIO(), Image.Exif()
    >>> exif[0x0112] = 6
    >>> Image.new("RGB", (4, 3)).save(file, "JPEG", exif=exif)
    >>> int(exif_orientation(file.getvalue()))
    6
    """
    return _orientation(tf.convert_to_tensor(encoded, tf.string))


# Not inlined, for operations of a branch that is not taken cost time too.
@tf.function(
    input_signature=[tf.TensorSpec([], tf.string)],
    autograph=False,
    experimental_attributes={"_noinline": True},
)
def _orientation(encoded: tf.Tensor) -> tf.Tensor:
    return _tag(_exif(encoded))


def may_be_turned(encoded: tf.Tensor | bytes, format: str) -> tf.Tensor:
    """Asks quickly whether a file may tell how to turn it.

    Args:
        encoded: Scalar string tensor.
        format: Str, one of `FORMATS`.

    Returns:
        bool scalar, false only where `exif_orientation` would be 1.

    Example:

    >>> from hashnet_tf.datasets.pixels.orientation import may_be_turned
    >>> bool(may_be_turned(b"a file without", "PNG"))
    False
    """
    if format == "WebP":
        return tf.strings.regex_full_match(slice_of(encoded, 12, 9), _FLAGGED)
    if format not in _WORDS:
        return tf.constant(False)
    # To replace searches by a word's first byte, which to match does not.
    before = tf.strings.regex_replace(
        encoded, rf"{_WORDS[format]}\C*", "", replace_global=False
    )
    return tf.strings.length(before) < tf.strings.length(encoded)


def turn_image(image: tf.Tensor, orientation: tf.Tensor | int) -> tf.Tensor:
    """Turns an image upright.

    | orientation | what is done |
    |---|---|
    | 1 | nothing |
    | 2, 4 | mirrored, left and right or top and bottom |
    | 3 | turned by 180 degrees |
    | 5, 7 | mirrored along a diagonal, that from the top left or the other |
    | 6, 8 | turned by 90 degrees, clockwise or the other way |

    Args:
        image: uint8 tensor `[height, width, 3]`, as it is stored.
        orientation: Integer scalar from 1 to 8.

    Returns:
        uint8 tensor, of 5 to 8 `[width, height, 3]`.

    Example:

    >>> import tensorflow as tf
    >>> from hashnet_tf.datasets.pixels.orientation import turn_image
    >>> turn_image(tf.zeros([2, 3, 3], tf.uint8), 6).shape
    TensorShape([3, 2, 3])
    """
    orientation = tf.cast(orientation, tf.int32)
    upside_down = tf.reduce_any(orientation == [3, 4, 7, 8])
    mirrored = tf.reduce_any(orientation == [2, 3, 6, 7])
    axes = tf.where(orientation >= 5, [1, 0, 2], [0, 1, 2])
    return tf.raw_ops.Reverse(
        # TensorFlow takes axes by a tensor; its stubs tell only of ints.
        tensor=tf.transpose(image, axes),  # pyright: ignore[reportArgumentType]
        dims=tf.stack([upside_down, mirrored, False]),
    )


def _exif(encoded: tf.Tensor) -> tf.Tensor:
    """Returns the EXIF of a file as it lies, empty where there is none."""
    format = image_format(encoded)
    known = format < len(_PARTS)
    format = tf.minimum(format, len(_PARTS) - 1)
    weights, beyond, even = (
        tf.gather(table, format) for table in (_WEIGHTS, _BEYOND, _EVEN)
    )

    def step(at, _, more):
        head = numbers_of(encoded, at, _HEAD)
        length = tf.reduce_sum(head * weights)
        found, last = _judged(head, format)
        behind = at + length + beyond
        following = behind + tf.math.floormod(length, 2) * even
        # Any number of bytes of 255 may stand before a marker.
        padding = (format == 0) & tf.reduce_all(head[:2] == 255)
        following = tf.where(padding, at + 1, following)
        more = (padding | tf.logical_not(found | last)) & (following < end)
        return (
            tf.where(found, at, following),
            tf.where(found, behind, 0),
            more,
        )

    start = tf.gather(_FIRST, format)
    end = tf.cast(tf.strings.length(encoded), tf.int64)
    at, end_of_exif, _ = tf.while_loop(
        lambda at, end_of_exif, more: more,
        step,
        (start, tf.constant(0, tf.int64), known),
        maximum_iterations=MOST_PARTS,
    )
    at += tf.gather(_EXIF, format)
    length = end_of_exif - tf.gather(_BEHIND, format) - at
    exif = slice_of(encoded, at, tf.maximum(length, 0))
    # Some put the word of a JPEG into a WebP too.
    return tf.strings.regex_replace(exif, rf"\A{_WORDS['JPEG']}", "")


def _judged(head: tf.Tensor, format: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Returns whether a part holds EXIF, and whether it is the last one."""
    marker, length = head[1], head[2] * 256 + head[3]
    found = [
        tf.reduce_all(head[:2] == [0xFF, 0xE1])
        & tf.reduce_all(head[4:] == [*b"Exif\0\0"]),
        tf.reduce_all(head[4:8] == [*b"eXIf"]),
        tf.reduce_all(head[:4] == [*b"EXIF"]),
    ]
    last = [
        # No marker, one without a length, the beginning of the pixels.
        (head[0] != 255)
        | (marker < 2)
        | (marker >= 0xD0) & (marker <= 0xDA)
        | (length < 2),
        tf.reduce_all(head[4:8] == [*b"IEND"]),
        tf.constant(False),
    ]
    return tf.gather(found, format), tf.gather(last, format)


def _tag(exif: tf.Tensor) -> tf.Tensor:
    """Returns the orientation in EXIF, which is the beginning of a TIFF."""
    order = slice_of(exif, 0, 4)
    big = order == b"MM\0*"

    def number(digits):
        places = tf.constant(256 ** np.arange(digits.shape[-1]), tf.int64)
        places = tf.where(big, places[::-1], places)
        return tf.reduce_sum(digits * places, axis=-1)

    start = number(numbers_of(exif, 4, 4))
    count = number(numbers_of(exif, start, 2))
    digits = tf.io.decode_raw(
        slice_of(exif, start + 2, count * _ENTRY), tf.uint8
    )
    # Of one that is cut off the beginning may look like the tag.
    whole = tf.size(digits) // _ENTRY * _ENTRY
    digits = tf.cast(tf.reshape(digits[:whole], [-1, _ENTRY]), tf.int64)
    kind = number(digits[:, 2:4])
    short, long = kind == _SHORT, kind == _LONG
    is_tag = (number(digits[:, :2]) == _TAG) & (short | long)
    is_tag &= number(digits[:, 4:8]) == 1
    value = tf.where(short, number(digits[:, 8:10]), number(digits[:, 8:]))
    # The last of several counts, as for PIL.
    value = tf.concat([[0], tf.boolean_mask(value, is_tag)], axis=0)[-1]
    known = big | (order == b"II*\0")
    return tf.where(known & (value >= 1) & (value <= 8), value, UPRIGHT)
