"""Draws queries and training images class by class."""

import numpy as np


def draw_per_class(labels, count, rng, candidates=None):
    """Draws `count` images of each class.

    Args:
        labels: Class ids `[n]`; those below 0 are of no class.
        count: Positive int.
        rng: `numpy.random.Generator`.
        candidates: Boolean `[n]`, which images may be drawn, or None for all.

    Returns:
        Boolean `[n]`.

    Raises:
        ValueError: If a class has too few candidates.

    Example:

    >>> import numpy as np
    >>> from hashnet_tf.datasets.splits import draw_per_class
    >>> labels = np.array([0, 0, 1, 1])
    >>> int(draw_per_class(labels, 1, np.random.default_rng(0)).sum())
    2
    """
    drawn = np.zeros(len(labels), dtype=bool)
    for label in np.unique(labels[labels >= 0]):
        pool = labels == label
        if candidates is not None:
            pool &= candidates
        pool = np.flatnonzero(pool)
        if not 0 < count <= len(pool):
            raise ValueError(
                "The number of images to draw must be between 1 and what each"
                f" class has; class {label} has {len(pool)}."
                f" Received: {count}"
            )
        drawn[rng.choice(pool, size=count, replace=False)] = True
    return drawn


def split(labels, in_test, query_per_class, train_per_class, seed):
    """Splits a single-label source into query, database and training images.

    Queries are drawn from the test part, or from everything where there is
    none; all that is no query is the database; training images are drawn from
    the database, less the test part. Nothing unlabelled is drawn; where all of
    a part is taken, it is among it.

    Args:
        labels: Class ids `[n]`, below 0 where unlabelled.
        in_test: Boolean `[n]`, or None where the source has no test part.
        query_per_class: Positive int; None takes the whole test part or,
            without one, a tenth of the smallest class.
        train_per_class: Positive int; None takes all.
        seed: Int.

    Returns:
        `(train, query, database, protocol)`: three rising index arrays and a
        str.

    Raises:
        ValueError: If no image is labelled, or a class has too few images.

    Example:

    >>> import numpy as np
    >>> from hashnet_tf.datasets.splits import split
    >>> labels = np.repeat([0, 1], 50)
    >>> train, query, database, _ = split(labels, None, 10, 20, seed=0)
    >>> len(train), len(query), len(database)
    (40, 20, 80)
    """
    labels = np.asarray(labels)
    if not (labels >= 0).any():
        raise ValueError(
            "The source must hold labelled images."
            f" Received: {len(labels)} images, none of them labelled"
        )
    rng = np.random.default_rng(seed)
    if query_per_class is None and in_test is None:
        query_per_class = max(
            1, np.unique(labels[labels >= 0], return_counts=True)[1].min() // 10
        )
    if query_per_class is None:
        query, queries = in_test.copy(), "the test part"
    else:
        query = draw_per_class(labels, query_per_class, rng, in_test)
        queries = f"{query_per_class} a class"
        queries += "" if in_test is None else " of the test part"
    train = ~query if in_test is None else ~query & ~in_test
    training = "all of it" if in_test is None else "all of it but the test part"
    if train_per_class is not None:
        train = draw_per_class(labels, train_per_class, rng, train)
        training = f"{train_per_class} a class of it"
    protocol = (
        f"Queries: {queries}; database: the rest; training images: {training};"
        f" seed {seed}."
    )
    train, query, database = map(np.flatnonzero, (train, query, ~query))
    return train, query, database, protocol
