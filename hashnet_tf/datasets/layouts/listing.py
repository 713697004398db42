"""Folders, each listed by one call: a stat a file takes minutes on a million.

What begins with a dot is left alone: macOS writes "._1.jpg", which is no
image, beside 1.jpg on disks of other systems.
"""

import os

import numpy as np

from hashnet_tf.datasets.folder import ENDINGS, check_utf8
from hashnet_tf.datasets.listed_paths import lies_inside


def image_names(folder):
    """Returns the names of the image files in a folder, sorted.

    Args:
        folder: Str or `pathlib.Path`.

    Returns:
        List of str: what ends as an image does.

    Raises:
        ValueError: If a name is no UTF-8: it could not be written to a file.
    """
    names = sorted(
        name
        for name in os.listdir(folder)
        if name.lower().endswith(ENDINGS) and not name.startswith(".")
    )
    for name in names:
        check_utf8(os.path.join(folder, name))
    return names


def present(root, paths):
    """Finds which of the listed images are there.

    Args:
        root: `pathlib.Path`.
        paths: List of n str, relative to it, with "/" between their parts.

    Returns:
        `(there, notes)`: boolean `[n]`, and a tuple of str for `Pool`.

    Raises:
        ValueError: If none is there, or a path leads out of `root`.
    """
    names, there = {}, np.zeros(len(paths), dtype=bool)
    for i, path in enumerate(paths):
        if not lies_inside(path):
            raise ValueError(
                f"Listed images must lie inside {root}. Received: {path}"
            )
        folder, _, name = path.rpartition("/")
        if folder not in names:
            inside = root / folder
            found = image_names(inside) if inside.is_dir() else []
            names[folder] = frozenset(found)
        there[i] = name in names[folder]
    if not there.any():
        raise ValueError(
            f"At least one of the {len(paths)} listed images must be there."
            f" Received: no {root / (paths[0] if paths else '')}"
        )
    missing = len(paths) - int(there.sum())
    if not missing:
        return there, ()
    return there, (f"{missing:,} of {len(paths):,} listed images are missing",)
