"""The scanned digits that scikit-learn ships."""

import numpy as np
from sklearn.datasets import load_digits

from hashnet_tf.datasets.array_images import ArrayImages
from hashnet_tf.datasets.retrieval_dataset import RetrievalDataset
from hashnet_tf.datasets.splits import split

QUERY_PER_CLASS = 20
TRAIN_PER_CLASS = 100


def load_digits_dataset(
    place, seed=0, query_per_class=None, train_per_class=None
):
    """Loads 1,797 scanned digits of 8 by 8 pixels ("digits").

    Optical Recognition of Handwritten Digits (Alpaydin and Kaynak, 1998), as
    `sklearn.datasets.load_digits` has them. By default 20 queries and 100
    training images a class.

    Args:
        place: Empty str.
        seed: Int, draws the parts.
        query_per_class: Int or None.
        train_per_class: Int or None.

    Returns:
        `RetrievalDataset`.
    """
    if place:
        raise ValueError(f'"digits" takes no place. Received: digits:{place}')
    digits = load_digits()
    images = np.round(digits.images * (255 / 16)).astype(np.uint8)
    labels = digits.target.astype(np.int32)
    train, query, database, protocol = split(
        labels,
        None,
        QUERY_PER_CLASS if query_per_class is None else query_per_class,
        TRAIN_PER_CLASS if train_per_class is None else train_per_class,
        seed,
    )
    images = ArrayImages(images, labels)
    return RetrievalDataset(
        name="digits",
        protocol=protocol,
        train=images.subset(train),
        query=images.subset(query),
        database=images.subset(database),
        class_names=[str(digit) for digit in range(10)],
    )
