"""Parts of a data set held out: classes, queries, labels."""

import dataclasses

import numpy as np

from hashnet_tf.datasets.images.image_set import ImageSet
from hashnet_tf.datasets.protocol import Expected
from hashnet_tf.datasets.retrieval_dataset import PARTS, RetrievalDataset
from hashnet_tf.datasets.sources.pool import Pool
from hashnet_tf.datasets.splits import Drawing

# So many of the drawn classes are named beside a figure.
NAMED = 10


def hold_out_classes(
    dataset: RetrievalDataset, count: int, seed: int
) -> RetrievalDataset:
    """Splits the classes into those to train on and those to retrieve.

    The zero-shot protocol of Table 2 of HashNet (ICCV 2017): queries and
    database hold only images of the drawn classes, `train` only of the
    others. An image without a label is in no part then. The paper does not say
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
    >>> from hashnet_tf.datasets.held_out import hold_out_classes
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


def hold_out_queries(
    dataset: RetrievalDataset, count: int, seed: int
) -> RetrievalDataset:
    """Puts training images in the place of the queries.

    What is chosen on the queries themselves is chosen on the test. So the seed
    draws training images with a label to ask instead; they, and what is the
    same image, are neither trained on nor found.

    Args:
        dataset: `RetrievalDataset`.
        count: Int, how many queries are drawn, from 1 to two less than there
            are training images with a label.
        seed: Int.

    Returns:
        `RetrievalDataset`; its protocol tells that it is for validation.

    Raises:
        ValueError: If `count` is out of range, or what is left has no image or
            a single class to train on.

    Example:

    >>> import hashnet_tf as hn
    >>> from hashnet_tf.datasets.held_out import hold_out_queries
    >>> dataset = hold_out_queries(hn.datasets.load("digits"), 100, seed=0)
    >>> len(dataset.train), len(dataset.query), len(dataset.database)
    (900, 100, 1497)
    """
    labelled = np.flatnonzero(~dataset.train.unlabelled)
    if type(count) is not int or not 0 < count <= len(labelled) - 2:
        raise ValueError(
            "The number of queries for validation must be from 1 to"
            f" {len(labelled) - 2}, which leaves 2 of the {len(labelled)}"
            f" training images of {dataset.name} that have a label."
            f" Received: {count}"
        )
    rng = np.random.default_rng(seed)
    drawn = np.sort(rng.choice(labelled, size=count, replace=False))
    query = dataset.train.subset(drawn)
    asked = set(query.identities())
    parts = {
        part: _without(getattr(dataset, part), asked)
        for part in ("train", "database")
    }
    return dataclasses.replace(
        dataset,
        protocol=(
            f"{dataset.protocol} For validation {count} training images ask in"
            " place of the queries, in no other part then; seed"
            f" {seed}."
        ),
        query=query,
        # The counts of the parts as published hold no more.
        expected=Expected(labels=dataset.expected.labels),
        at=dataset.at and min(dataset.at, len(parts["database"])),
        **parts,
    )


def narrowed(pool: Pool, drawing: Drawing, seed: int) -> Pool:
    """Returns a pool less what `drawing` leaves out.

    Classes are drawn by the seed and numbered anew, in their old order. Of the
    labels of a matrix the most frequent are kept, in their old order; of two
    equally frequent ones, the earlier.

    Args:
        pool: `Pool`.
        drawing: `Drawing`, whose `classes`, `labels` and `labelled` say it.
        seed: Int.

    Returns:
        `Pool`.

    Raises:
        ValueError: If the pool has fewer classes or labels than are to be
            kept, or class ids where labels are to be kept or the other way
            round.

    Example:

    >>> import numpy as np
    >>> from hashnet_tf.datasets import ArrayImages
    >>> from hashnet_tf.datasets.splits import Draw, Drawing
    >>> from hashnet_tf.datasets.held_out import narrowed
    >>> from hashnet_tf.datasets.sources.pool import Pool
    >>> images = ArrayImages(np.zeros((6, 8, 8), np.uint8), [0, 1, 2] * 2)
    >>> drawing = Drawing(Draw(), Draw(), classes=2)
    >>> len(narrowed(Pool(images), drawing, seed=0).images)
    4
    """
    if drawing.classes is not None:
        pool = _drawn_classes(pool, drawing.classes, seed)
    if drawing.labels is not None:
        pool = _frequent_labels(pool, drawing.labels)
    if drawing.labelled:
        pool = _labelled(pool)
    return pool


def _classes(dataset: RetrievalDataset, part: str) -> np.ndarray:
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


def _text(
    dataset: RetrievalDataset, drawn: np.ndarray, there: np.ndarray, seed: int
) -> str:
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


def _without(images: ImageSet, asked: set[str]) -> ImageSet:
    left = [
        i for i, name in enumerate(images.identities()) if name not in asked
    ]
    return images.subset(np.array(left, dtype=np.int64))


def _drawn_classes(pool: Pool, count: int, seed: int) -> Pool:
    labels = pool.images.labels
    if labels.ndim != 1:
        raise ValueError(
            "Classes are drawn where each image has one class id."
            f" Received: labels.shape={labels.shape}"
        )
    there = np.unique(labels[labels >= 0])
    if count > len(there):
        raise ValueError(
            f"The source must have at least {count} classes."
            f" Received: {len(there)} classes"
        )
    rng = np.random.default_rng(seed)
    drawn = np.sort(rng.choice(there, size=count, replace=False))
    kept = np.flatnonzero(np.isin(labels, drawn))
    images = pool.images.subset(kept)
    names = pool.class_names
    return dataclasses.replace(
        pool,
        images=images.relabelled(np.searchsorted(drawn, images.labels)),
        in_test=pool.in_test if pool.in_test is None else pool.in_test[kept],
        class_names=names and [names[i] for i in drawn],
    )


def _frequent_labels(pool: Pool, count: int) -> Pool:
    labels = pool.images.labels
    if labels.ndim != 2 or count > labels.shape[1]:
        raise ValueError(
            f"The source must have a matrix of at least {count} labels."
            f" Received: labels.shape={labels.shape}"
        )
    sizes = labels.sum(axis=0, dtype=np.int64)
    kept = np.sort(np.argsort(-sizes, kind="stable")[:count])
    names = pool.class_names
    return dataclasses.replace(
        pool,
        images=pool.images.relabelled(labels[:, kept]),
        class_names=names and [names[i] for i in kept],
    )


def _labelled(pool: Pool) -> Pool:
    unlabelled = pool.images.unlabelled
    if not unlabelled.any():
        return pool
    kept = np.flatnonzero(~unlabelled)
    note = (
        f"{unlabelled.sum()} of {len(unlabelled)} images have no label and are"
        " left out"
    )
    return dataclasses.replace(
        pool,
        images=pool.images.subset(kept),
        in_test=pool.in_test if pool.in_test is None else pool.in_test[kept],
        notes=(*pool.notes, note),
    )
