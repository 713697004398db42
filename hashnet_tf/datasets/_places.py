"""Whether places are there, which is told before TensorFlow is loaded."""

import os
from collections.abc import Iterable

from hashnet_tf.datasets.protocol import protocols
from hashnet_tf.datasets.sources.reading import SOURCES, source_words

# What stands behind the colon, and what it must be on disk.
_ON_DISK = {"DIR": ("folder", os.path.isdir), "FILE": ("file", os.path.isfile)}


def check_place(data: str) -> None:
    """Checks the word of a data set, and the folder or file that it names.

    `hashnet_tf.datasets.load` checks the same and more, but needs TensorFlow,
    for which an error in a flag should not wait.

    Args:
        data: As in `hashnet_tf.datasets.load`.

    Raises:
        ValueError: If the word is unknown, or the place is not there.

    Example:

    >>> from hashnet_tf.datasets._places import check_place
    >>> check_place("digits")
    >>> check_place("folder:missing")
    Traceback (most recent call last):
        ...
    ValueError: "folder:DIR" needs an existing folder. Received: folder:missing
    """
    kind, colon, place = data.partition(":")
    source = SOURCES.get(kind)
    if source is not None and source.is_word:
        what, is_there = _ON_DISK.get(source.place, ("", bool))
        if what and not is_there(place):
            raise ValueError(
                f'"{source.word}" needs an existing {what}.'
                f" Received: {kind}:{place}"
            )
        return
    protocol = protocols().get(kind)
    if protocol is None:
        raise ValueError(
            f"`data` must be {source_words()}"
            " or a protocol, alone or with :DIR (hashnet datasets list)."
            f" Received: data={data!r}"
        )
    if protocol.drawing is not None and colon and not os.path.isdir(place):
        raise ValueError(
            f"{data} cannot be read: There is no folder {place!r}."
            f" {protocol.where()} Received: {data}"
        )


def check_files(paths: Iterable[os.PathLike[str] | str]) -> None:
    """Checks that image files are there, whatever they hold.

    Args:
        paths: Paths of files.

    Raises:
        ValueError: If one is not.

    Example:

    >>> from hashnet_tf.datasets._places import check_files
    >>> check_files([])
    """
    for path in paths:
        if not os.path.isfile(path):
            raise ValueError(
                f"A JPEG, PNG, WebP or BMP file is needed. Received: {path}"
            )
