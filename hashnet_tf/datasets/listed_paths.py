"""Paths as lists of images write them."""

import os
import pathlib


def lies_inside(path):
    """Returns whether a path stays below the folder that it is relative to.

    Args:
        path: Str, as written: links are not followed, one inside the folder
            may lead to a large disk.

    Example:

    >>> from hashnet_tf.datasets.listed_paths import lies_inside
    >>> [lies_inside(path) for path in ("a/b.jpg", "a/../../b.jpg", "/b.jpg")]
    [True, False, False]
    """
    path = pathlib.PurePath(path)
    return not path.is_absolute() and ".." not in path.parts


def foreign_prefix(root, path):
    """Finds what another machine's folder put in front of a path.

    Args:
        root: Str or path of the folder that holds the images.
        path: Str, such as "/home/somebody/coco/train2014/1.jpg".

    Returns:
        Str: the shortest beginning of `path`, with its last slash, without
        which it is a file below `root`; empty if `path` is one as it is, or
        never becomes one.

    Example:

    >>> import pathlib, tempfile
    >>> from hashnet_tf.datasets.listed_paths import foreign_prefix
    >>> with tempfile.TemporaryDirectory() as root:
    ...     pathlib.Path(root, "1.jpg").touch()
    ...     foreign_prefix(root, "../images/1.jpg")
    '../images/'
    """
    for start in _starts(path):
        rest = path[start:]
        if lies_inside(rest) and os.path.isfile(os.path.join(root, rest)):
            return path[:start]
    return ""


def _starts(path):
    yield 0
    for position, letter in enumerate(path, start=1):
        if letter == "/":
            yield position
