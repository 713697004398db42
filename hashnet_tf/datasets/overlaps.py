"""Images that two parts of a data set share."""

OVERLAPS = ("train-query", "train-database", "query-database")


def shared_images(one, other):
    """Returns which images of one part are in another too.

    Args:
        one: `ImageSet`.
        other: `ImageSet`.

    Returns:
        Rising list of positions in `one`.

    Example:

    >>> import hashnet_tf as hn
    >>> from hashnet_tf.datasets.overlaps import shared_images
    >>> digits = hn.datasets.load("digits")
    >>> len(shared_images(digits.train, digits.database))
    1000
    >>> shared_images(digits.query, digits.database)
    []
    """
    there = set(other.identities())
    return [i for i, name in enumerate(one.identities()) if name in there]


def shared_counts(dataset):
    """Counts the images that parts share.

    Args:
        dataset: `RetrievalDataset`.

    Returns:
        Dict from "train-query", "train-database" or "query-database" to how
        many images of the first part are in the second, where there are some.

    Example:

    >>> import hashnet_tf as hn
    >>> from hashnet_tf.datasets.overlaps import shared_counts
    >>> shared_counts(hn.datasets.load("digits"))
    {'train-database': 1000}
    """
    counts = {}
    for pair in OVERLAPS:
        one, other = (getattr(dataset, part) for part in pair.split("-"))
        if count := len(shared_images(one, other)):
            counts[pair] = count
    return counts
