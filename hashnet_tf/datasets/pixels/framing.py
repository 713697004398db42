"""Which part of an image a network sees, and at what size.

| framing | at test | in training |
|---|---|---|
| "whole" | all of it, warped to the size | the same, and `augment_image` |
| "paper" | warped, then the centre | warped, then a random crop, mirrored |
| "modern" | the short side resized, then the centre | a random part, mirrored |

"paper" is what the reference code of HashNet (thuml/HashNet, Caffe) does, and
"modern" what networks of today were trained with: parts of 8 % to all of the
area and of aspect ratios from 3 / 4 to 4 / 3 (Szegedy et al., "Going Deeper
with Convolutions", CVPR 2015). Both crop from images that are 8 / 7 of the
network's size, as 256 is of 224.
"""

import typing

import tensorflow as tf

from hashnet_tf._framings import (
    AUGMENTATIONS,
    check_framing,
    uncropped_size,
)
from hashnet_tf.datasets.pixels.decoding import resize_image

# A tensor, or an array that TensorFlow takes for one: which of its operations
# give None, their types do not tell.
Image: typing.TypeAlias = typing.Any

SHIFT = 0.125

AREA = (0.08, 1.0)
ASPECT = (3 / 4, 4 / 3)


def augment_image(image: Image, seed: tf.Tensor, augmentation: str) -> Image:
    """Shifts an image by up to an eighth of its size and may mirror it.

    What a shift uncovers is filled by reflection.

    Args:
        image: uint8 tensor `[height, width, c]`.
        seed: int64 tensor `[2]`; the same seed gives the same change.
        augmentation: "none", "shift", or "shift_flip", which mirrors half of
            the images too (not for digits or letters).

    Returns:
        uint8 tensor of the same shape.

    Raises:
        ValueError: If `augmentation` is none of these.

    Example:

    >>> import tensorflow as tf
    >>> from hashnet_tf.datasets.pixels.framing import augment_image
    >>> image = tf.zeros([16, 16, 3], tf.uint8)
    >>> augment_image(image, tf.constant([0, 1], tf.int64), "shift").shape
    TensorShape([16, 16, 3])
    """
    if augmentation not in AUGMENTATIONS:
        raise ValueError(
            f"`augmentation` must be one of {tuple(AUGMENTATIONS)}."
            f" Received: augmentation={augmentation!r}"
        )
    if augmentation == "none":
        return image
    height, width, _ = image.shape
    rows, columns = int(height * SHIFT), int(width * SHIFT)
    padded = tf.pad(
        image, [[rows, rows], [columns, columns], [0, 0]], mode="REFLECT"
    )
    image = tf.image.stateless_random_crop(padded, image.shape, seed)
    if augmentation == "shift_flip":
        image = tf.image.stateless_random_flip_left_right(image, seed + 1)
    return image


def frame_image(
    image: Image, size: tuple[int, int], framing: str = "whole"
) -> Image:
    """Frames an image as at test.

    In one operation where it crops: no pixel outside of the crop is made, of
    which one that is long and thin would have billions.

    Args:
        image: uint8 tensor `[height, width, c]` or `[n, height, width, c]`, of
            any number of channels.
        size: `(height, width)` of the network.
        framing: "whole", "paper" or "modern".

    Returns:
        uint8 tensor of that size.

    Raises:
        ValueError: If `framing` is none of these.

    Example:

    >>> import tensorflow as tf
    >>> from hashnet_tf.datasets.pixels.framing import frame_image
    >>> image = tf.zeros([40, 60, 3], tf.uint8)
    >>> frame_image(image, (14, 14), "modern").shape
    TensorShape([14, 14, 3])
    """
    if check_framing(framing) == "whole":
        return resize_image(image, size)
    within = uncropped_size(size)
    if framing == "modern":
        within = _covering(tf.shape(image, tf.int64)[-3:-1], within)
    return resize_image(image, size, crop_of=within)


def keep_image(
    image: Image, size: tuple[int, int], framing: str = "whole"
) -> Image:
    """Does what is the same each time that an image is trained on.

    Done twice it changes nothing more.

    Args:
        image: uint8 tensor `[height, width, c]`.
        size: `(height, width)` of the network.
        framing: As in `frame_image`.

    Returns:
        uint8 tensor `[height, width, c]`: what `vary_image` takes.

    Example:

    >>> import tensorflow as tf
    >>> from hashnet_tf.datasets.pixels.framing import keep_image
    >>> keep_image(tf.zeros([40, 60, 3], tf.uint8), (14, 14), "paper").shape
    TensorShape([16, 16, 3])
    """
    if check_framing(framing) == "modern":
        return image
    kept = size if framing == "whole" else uncropped_size(size)
    return resize_image(image, kept)


def vary_image(
    image: Image,
    size: tuple[int, int],
    seed: tf.Tensor,
    framing: str = "whole",
    augmentation: str = "none",
) -> Image:
    """Does what is another each time that an image is trained on.

    Args:
        image: uint8 tensor `[height, width, c]`, as `keep_image` returns it.
        size: `(height, width)` of the network.
        seed: int64 tensor `[2]`; the same seed gives the same change.
        framing: As in `frame_image`.
        augmentation: As in `augment_image`, for "whole"; with the others the
            crop and the mirroring are the augmentation.

    Returns:
        uint8 tensor of `size`.

    Raises:
        ValueError: If `augmentation` is not such.

    Example:

    >>> import tensorflow as tf
    >>> from hashnet_tf.datasets.pixels.framing import vary_image
    >>> image, seed = tf.zeros([16, 16, 3], tf.uint8), tf.constant([0, 1])
    >>> vary_image(image, (14, 14), seed, "paper").shape
    TensorShape([14, 14, 3])
    """
    if framing == "whole":
        return augment_image(image, seed, augmentation)
    if augmentation != "none":
        raise ValueError(
            "`augmentation` is for framing='whole'; the others crop and mirror."
            f" Received: framing={framing!r}, augmentation={augmentation!r}"
        )
    shape = (*size, image.shape[-1])
    if framing == "paper":
        image = tf.image.stateless_random_crop(image, shape, seed)
    else:
        image = resize_image(_random_part(image, seed), size)
    image = tf.image.stateless_random_flip_left_right(image, seed + 1)
    return tf.ensure_shape(image, shape)


def _covering(size, least):
    """Returns the size of the same aspect ratio that just covers `least`."""
    # In 64 bits, which the longest image allowed does not exceed.
    height, width = size[0], size[1]
    wide, high = width * least[0], height * least[1]
    least = tf.constant(least, tf.int64)
    # Rounded down, as PyTorch's transforms do.
    return (
        tf.where(wide >= high, least[0], high // width),
        tf.where(wide >= high, wide // height, least[1]),
    )


def _random_part(image, seed):
    # Where none of a hundred draws fits, of a very long image, it is all.
    begin, size, _ = tf.image.stateless_sample_distorted_bounding_box(
        tf.shape(image),
        tf.zeros([1, 0, 4]),
        seed,
        min_object_covered=0.0,
        aspect_ratio_range=ASPECT,
        area_range=AREA,
        use_image_if_no_bounding_boxes=True,
    )
    return tf.slice(image, begin, size)
