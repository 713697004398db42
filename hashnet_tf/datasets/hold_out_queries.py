"""Queries to choose settings by, with no look at the real ones."""

import dataclasses

import numpy as np

from hashnet_tf.datasets.protocol import Expected


def hold_out_queries(dataset, count, seed):
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
    >>> from hashnet_tf.datasets.hold_out_queries import hold_out_queries
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


def _without(images, asked):
    left = [
        i for i, name in enumerate(images.identities()) if name not in asked
    ]
    return images.subset(np.array(left, dtype=np.int64))
