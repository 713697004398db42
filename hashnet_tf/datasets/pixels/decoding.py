"""From the bytes of a file to pixels, and their resizing.

Two decoders or two resizings give different pixels and so, here and there,
different bits; the exported graph calls these very functions.
"""

from typing import Any

import tensorflow as tf

from hashnet_tf.datasets.pixels.bmp import decode_bmp
from hashnet_tf.datasets.pixels.header import (
    FORMATS,
    JPEG_RATIO,
    check_image,
    check_jpeg,
    is_jpeg,
)
from hashnet_tf.datasets.pixels.orientation import (
    UPRIGHT,
    exif_orientation,
    may_be_turned,
    turn_image,
)


def decode_image(encoded: tf.Tensor | bytes) -> tf.Tensor:
    """Decodes one image file to RGB.

    JPEG is decoded by the accurate integer transform, which gives the pixels
    that PIL gives; TensorFlow's default differs from it by up to 5. Grey
    images become RGB, of 16 bits a channel the upper 8 count (12 bits in 16
    come out all but black), and transparency is dropped, whatever colour lies
    below it. CMYK is multiplied out as by PIL (but for rounding) where the file
    has Adobe's marker; without it the numbers are ink, which PIL takes for
    light. An image is turned upright as the camera noted in EXIF
    (`exif_orientation`).

    A JPEG of more than 2^26 pixels is decoded at half its height and width,
    rounded up, which takes a quarter of the memory. A framing sees that image:
    it is of the same part, but for half a pixel, and resized from it.

    Args:
        encoded: Scalar string tensor, the bytes of a JPEG, PNG, WebP or BMP
            that is no animation (of an animated PNG the still image counts).

    Returns:
        uint8 tensor `[height, width, 3]`.

    Raises:
        tf.errors.InvalidArgumentError: If the bytes are no such image, or one
            of more than 2^26 pixels (a JPEG in one scan: 2^28) or 2^16 a side,
            which is refused by its header before it is decoded.

    Example:

    >>> import tensorflow as tf
    >>> from hashnet_tf.datasets.pixels.decoding import decode_image
    >>> pixels = tf.fill([2, 3, 1], tf.constant(7, tf.uint8))
    >>> decode_image(tf.io.encode_png(pixels)).shape
    TensorShape([2, 3, 3])
    """
    # An error of a function tells its operations before its reason.
    if tf.executing_eagerly():
        return _decode(encoded)
    return _traced_decode(encoded)


def _decode(encoded: tf.Tensor | bytes) -> tf.Tensor:
    image, asked = tf.cond(
        is_jpeg(encoded),
        lambda: (_decode_jpeg(encoded), may_be_turned(encoded, "JPEG")),
        lambda: _decode_other(encoded),
    )
    turn = tf.cond(
        asked,
        lambda: exif_orientation(encoded),
        lambda: tf.constant(UPRIGHT, tf.int64),
    )
    image = tf.cond(
        turn == UPRIGHT, lambda: image, lambda: turn_image(image, turn)
    )
    return tf.ensure_shape(image, [None, None, 3])


# Once for all pipelines: to trace takes longer than some photographs. Autograph
# would look through all of it for what tf.cond says already.
_traced_decode = tf.function(
    _decode, input_signature=[tf.TensorSpec([], tf.string)], autograph=False
)


def _decode_jpeg(encoded: tf.Tensor | bytes) -> tf.Tensor:
    checked, large = check_jpeg(encoded)

    def decoded(ratio):
        return tf.io.decode_jpeg(
            checked, channels=3, ratio=ratio, dct_method="INTEGER_ACCURATE"
        )

    return tf.cond(large, lambda: decoded(JPEG_RATIO), lambda: decoded(1))


def _decode_other(encoded: tf.Tensor | bytes) -> tuple[tf.Tensor, tf.Tensor]:
    """Returns the image, and whether its file may tell how to turn it."""
    encoded, format = check_image(encoded)
    decoders = {
        "PNG": lambda: tf.io.decode_png(encoded, channels=3),
        "WebP": lambda: _decode_webp(encoded),
        "BMP": lambda: decode_bmp(encoded),
    }
    branches = [
        lambda name=name: (decoders[name](), may_be_turned(encoded, name))
        for name in FORMATS[1:]
    ]
    return tf.switch_case(format - 1, branches)


def _decode_webp(encoded: tf.Tensor | bytes) -> tf.Tensor:
    # Frames, of which a still image has one, with as many channels as there
    # are: to ask for 3 is an error where there is transparency.
    return tf.io.decode_webp(encoded)[0, :, :, :3]


def resize_image(
    image: Any, size: tuple[int, int], crop_of: Any = None
) -> tf.Tensor:
    """Resizes to `size` without regard to the aspect ratio, as the paper does.

    Bilinear with antialiasing, rounded back to bytes, so that a phone that
    hands over resized bytes and a server that resizes itself mean the same.

    Args:
        image: uint8 tensor `[height, width, c]` or `[n, height, width, c]`, of
            any number of channels.
        size: `(height, width)`, positive ints.
        crop_of: `(height, width)` to resize to instead, of which the centre of
            `size` is returned, its offsets rounded down; ints or scalars, or
            None.

    Returns:
        uint8 tensor of that size.

    Example:

    >>> import tensorflow as tf
    >>> from hashnet_tf.datasets.pixels.decoding import resize_image
    >>> resize_image(tf.zeros([8, 6, 3], tf.uint8), (4, 4)).shape
    TensorShape([4, 4, 3])
    """
    image = tf.convert_to_tensor(image)
    there = tf.shape(image, tf.int64)[-3:-1]
    crop_of = tf.cast(tf.stack(crop_of or size), tf.int64)
    offset = (crop_of - size) // 2

    def cropped():
        (top, left), (height, width) = tf.unstack(offset), size
        rows, columns = slice(top, top + height), slice(left, left + width)
        # TensorFlow takes slices by tensors; its stubs tell only of ints.
        return image[..., rows, columns, :]  # pyright: ignore[reportArgumentType]

    def resampled():
        if image.shape.rank == 4:
            return _resample(image, size, crop_of, offset)
        return _resample(image[None], size, crop_of, offset)[0]

    # Resampling to the same size gives the same pixels, later.
    pixels = tf.cond(tf.reduce_all(crop_of == there), cropped, resampled)
    return tf.ensure_shape(pixels, [*image.shape[:-3], *size, image.shape[-1]])


def _resample(
    images: tf.Tensor,
    size: tuple[int, int],
    crop_of: tf.Tensor,
    offset: tf.Tensor,
) -> tf.Tensor:
    # What tf.image.resize(antialias=True) calls, with a window besides.
    there = tf.cast(tf.shape(images)[1:3], tf.float32)
    pixels = tf.raw_ops.ScaleAndTranslate(
        images=images,
        size=size,
        scale=tf.cast(crop_of, tf.float32) / there,
        translation=-tf.cast(offset, tf.float32),
        kernel_type="triangle",
        antialias=True,
    )
    return tf.cast(tf.clip_by_value(tf.round(pixels), 0.0, 255.0), tf.uint8)
