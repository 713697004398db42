"""Random changes to training images that keep what they show."""

import tensorflow as tf

AUGMENTATIONS = ("none", "shift", "shift_flip")

SHIFT = 0.125


def augment_image(image, seed, augmentation):
    """Shifts an image by up to an eighth of its size and may mirror it.

    What a shift uncovers is filled by reflection.

    Args:
        image: uint8 tensor `[height, width, 3]`.
        seed: int64 tensor `[2]`; the same seed gives the same change.
        augmentation: "none", "shift", or "shift_flip", which mirrors half of
            the images too (not for digits or letters).

    Returns:
        uint8 tensor of the same shape.

    Raises:
        ValueError: If `augmentation` is none of these.

    Example:

    >>> import tensorflow as tf
    >>> from hashnet_tf.datasets.augmentation import augment_image
    >>> image = tf.zeros([16, 16, 3], tf.uint8)
    >>> augment_image(image, tf.constant([0, 1], tf.int64), "shift").shape
    TensorShape([16, 16, 3])
    """
    if augmentation not in AUGMENTATIONS:
        raise ValueError(
            f"`augmentation` must be one of {AUGMENTATIONS}."
            f" Received: augmentation={augmentation!r}"
        )
    if augmentation == "none":
        return image
    height, width, _ = image.shape
    rows, columns = int(height * SHIFT), int(width * SHIFT)
    padded = tf.pad(
        image, [[rows, rows], [columns, columns], [0, 0]], mode="REFLECT"
    )
    image = tf.image.stateless_random_crop(padded, (height, width, 3), seed)
    if augmentation == "shift_flip":
        image = tf.image.stateless_random_flip_left_right(image, seed + 1)
    return image
