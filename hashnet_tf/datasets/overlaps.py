"""Images that two parts of a data set share."""


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
