"""The scanned digits that scikit-learn ships."""

from typing import Any

import numpy as np

from hashnet_tf.datasets.images.array_images import ArrayImages
from hashnet_tf.datasets.sources.pool import Pool


def read_digits(place: str) -> Pool:
    """Reads 1,797 scanned digits of 8 by 8 pixels ("digits").

    Optical Recognition of Handwritten Digits (Alpaydin and Kaynak, 1998), as
    `sklearn.datasets.load_digits` has them.

    Args:
        place: Empty str.

    Returns:
        `Pool`.

    Raises:
        ValueError: If `place` is not empty.

    Example:

    >>> from hashnet_tf.datasets.sources.digits import read_digits
    >>> len(read_digits("").images)
    1797
    """
    if place:
        raise ValueError(f'"digits" takes no place. Received: digits:{place}')
    # Here, for scikit-learn takes longer to import than the digits to read.
    from sklearn.datasets import load_digits

    digits: Any = load_digits()
    images = np.round(digits.images * (255 / 16)).astype(np.uint8)
    return Pool(
        ArrayImages(images, digits.target.astype(np.int32)),
        class_names=[str(digit) for digit in range(10)],
    )
