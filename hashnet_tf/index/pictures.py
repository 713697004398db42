"""The pictures of folders: their paths, what they are called, their size."""

import collections
import collections.abc
import os
import pathlib
import statistics
import typing

import numpy as np
import numpy.typing as npt
from PIL import Image

from hashnet_tf.datasets.pixels.pillow import open_image
from hashnet_tf.datasets.sources.walking import Account, walk
from hashnet_tf.index._database import Path

# Sides that MobileNet and its like have weights for.
SIZES = (96, 128, 160, 192, 224)
# Pixels a side of a picture on a sheet, and what stands for one that has gone.
SIDE, GONE = 128, 160
# Pictures whose size tells that of all.
LOOKED_AT = 50


class Pictures(typing.NamedTuple):
    """What was found in some folders.

    Attributes:
        paths: List of str, absolute.
        labels: List of str, the folder that each lies in, or None of one that
            lies in a given folder itself.
        passed_over: Counter of what is no picture, by its kind.
    """

    paths: list[str]
    labels: list[str | None]
    passed_over: "collections.Counter[str]"

    def text(self) -> str:
        """Returns the sum in one line."""
        return Account(len(self.paths), passed_over=self.passed_over).text()


def find_pictures(paths: collections.abc.Iterable[Path]) -> Pictures:
    """Finds the image files in folders, to any depth, each once.

    Args:
        paths: Folders, or image files.

    Returns:
        `Pictures`.

    Raises:
        FileNotFoundError: If a path is not there.
        OSError: As `hashnet_tf.datasets.sources.walking.walk`.

    Example:

    >>> import pathlib, tempfile
    >>> from hashnet_tf.index import find_pictures
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     for name in ("b.png", "cats/1.jpg", "cats/notes.txt"):
    ...         path = pathlib.Path(folder, name)
    ...         path.parent.mkdir(exist_ok=True)
    ...         path.touch()
    ...     found = find_pictures([folder])
    >>> [pathlib.Path(path).name for path in found.paths], found.labels
    (['b.png', '1.jpg'], [None, 'cats'])
    """
    found: dict[str, str | None] = {}
    passed_over: collections.Counter[str] = collections.Counter()
    for path in paths:
        root = os.path.abspath(path)
        if os.path.isdir(root):
            names, rest = walk(root)
            passed_over += rest
            for name in names:
                folder = pathlib.PurePath(name).parent.name
                found.setdefault(os.path.join(root, name), folder or None)
        elif os.path.exists(root):
            found.setdefault(root, None)
        else:
            raise FileNotFoundError(
                f"Folders and files must be there. Received: no {path}"
            )
    return Pictures(list(found), list(found.values()), passed_over)


def usual_size(paths: collections.abc.Sequence[Path]) -> int:
    """Returns the side, in pixels, at which a network should see pictures.

    The smallest of 96, 128, 160, 192 and 224 that the short side of half of
    the pictures does not exceed, by the headers of 50 of them.

    Args:
        paths: Of image files.

    Example:

    >>> from hashnet_tf.index import usual_size
    >>> usual_size([])
    224
    """
    some = paths[:: max(1, len(paths) // LOOKED_AT)][:LOOKED_AT]
    sides = []
    for path in some:
        try:
            with Image.open(path) as image:
                sides.append(min(image.size))
        except (OSError, ValueError, SyntaxError):
            # Told when it is to be added.
            continue
    side = statistics.median(sides) if sides else SIZES[-1]
    return next((size for size in SIZES if size >= side), SIZES[-1])


def thumbnails(
    paths: collections.abc.Iterable[Path],
) -> list[npt.NDArray[np.uint8]]:
    """Returns pictures small enough for a sheet.

    Args:
        paths: Of image files.

    Returns:
        List of uint8 `[h, w, 3]`, the longer side at most 128, as many as there
        are paths: a grey square in the place of one that is not there any
        more or is no image.

    Example:

    >>> from hashnet_tf.index import thumbnails
    >>> [image.shape for image in thumbnails(["gone.jpg"])]
    [(128, 128, 3)]
    """
    found = []
    for path in paths:
        try:
            image = open_image(os.fspath(path))
            image.thumbnail((SIDE, SIDE))
        except (OSError, ValueError):
            image = Image.new("RGB", (SIDE, SIDE), (GONE, GONE, GONE))
        found.append(np.asarray(image))
    return found
