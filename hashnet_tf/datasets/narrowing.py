"""Leaves out, before parts are drawn, what a protocol does not regard."""

import dataclasses

import numpy as np


def narrowed(pool, drawing, seed):
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
    >>> from hashnet_tf.datasets.drawing import Draw, Drawing
    >>> from hashnet_tf.datasets.narrowing import narrowed
    >>> from hashnet_tf.datasets.pool import Pool
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


def _drawn_classes(pool, count, seed):
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


def _frequent_labels(pool, count):
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


def _labelled(pool):
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
