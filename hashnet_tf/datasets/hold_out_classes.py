"""Retrieval among classes that training never sees."""

import dataclasses

import numpy as np

from hashnet_tf.datasets.protocol import Expected
from hashnet_tf.datasets.retrieval_dataset import PARTS

NAMED = 10


def hold_out_classes(dataset, count, seed):
    """Splits the classes into those to train on and those to retrieve.

    The zero-shot protocol of Table 2 of HashNet (ICCV 2017): queries and
    database hold images of the drawn classes alone, `train` of the others
    alone. An image without a label is in no part then. The paper does not say
    how it drew the classes; here the seed draws them.

    Args:
        dataset: `RetrievalDataset` of one class an image: class ids, or
            matrices in which no row has more than one 1.
        count: Int, how many classes are drawn, from 1 to two less than there
            are in all parts.
        seed: Int.

    Returns:
        `RetrievalDataset`; its protocol tells the drawn classes.

    Raises:
        ValueError: If `count` is out of range, an image has several labels
            or one that is withheld, or a part has no image left.

    Example:

    >>> import hashnet_tf as hn
    >>> from hashnet_tf.datasets.hold_out_classes import hold_out_classes
    >>> dataset = hold_out_classes(hn.datasets.load("digits"), 3, seed=0)
    >>> sorted(set(dataset.train.labels.tolist()))
    [0, 1, 2, 3, 4, 7, 8]
    >>> sorted(set(dataset.query.labels.tolist()))
    [5, 6, 9]
    """
    classes = {part: _classes(dataset, part) for part in PARTS}
    there = np.unique(np.concatenate(list(classes.values())))
    there = there[there >= 0]
    if type(count) is not int or not 0 < count <= len(there) - 2:
        raise ValueError(
            "The number of classes to retrieve must be from 1 to"
            f" {len(there) - 2}, which leaves 2 of the {len(there)} classes of"
            f" {dataset.name} to train on. Received: {count}"
        )
    rng = np.random.default_rng(seed)
    drawn = np.sort(rng.choice(there, size=count, replace=False))
    parts = {}
    for part, of_part in classes.items():
        kept = np.isin(of_part, drawn)
        if part == "train":
            kept = ~kept & (of_part >= 0)
        parts[part] = getattr(dataset, part).subset(np.flatnonzero(kept))
    return dataclasses.replace(
        dataset,
        protocol=f"{dataset.protocol} {_text(dataset, drawn, there, seed)}",
        # The counts of the whole data set hold no more.
        expected=Expected(),
        at=dataset.at and min(dataset.at, len(parts["database"])),
        **parts,
    )


def _classes(dataset, part):
    images = getattr(dataset, part)
    labels = images.labels
    if labels.ndim == 1:
        return labels
    ones = labels > 0
    wrong = (ones.sum(axis=1) > 1) | (~ones.any(axis=1) & ~images.unlabelled)
    if wrong.any():
        position = int(np.argmax(wrong))
        raise ValueError(
            "Classes are split where each image has one label, which is"
            f" known. Received: {dataset.name} with the {part} image"
            f" {images.names[position]}, labels"
            f" {np.flatnonzero(labels[position]).tolist()}"
        )
    return np.where(ones.any(axis=1), ones.argmax(axis=1), -1)


def _text(dataset, drawn, there, seed):
    names = [
        str(label)
        if dataset.class_names is None
        else dataset.class_names[label]
        for label in drawn[:NAMED]
    ]
    if len(drawn) > NAMED:
        names.append(f"{len(drawn) - NAMED} more")
    return (
        f"Unseen classes: queries and database of {len(drawn)} of"
        f" {len(there)} classes ({', '.join(names)}), training images of the"
        f" others; seed {seed}."
    )
