"""Which files a source needs, and where listed ones lie."""

import collections.abc
import os
import pathlib
from typing import TypeVar

import numpy as np

from hashnet_tf.datasets.sources.walking import list_folder

_Path = TypeVar("_Path", str, pathlib.Path)


def needed_folder(path: _Path, needs: str) -> _Path:
    """Returns `path` as it is, if it is a folder.

    Args:
        path: Str or `pathlib.Path`.
        needs: Str, the sentence that says what the layout needs, and where.

    Raises:
        ValueError: If it is none.
    """
    # An empty path would be the folder one happens to be in.
    if not str(path) or not os.path.isdir(path):
        raise ValueError(f"{needs} Received: no folder {str(path)!r}")
    return path


def needed_file(path: _Path, needs: str) -> _Path:
    """Returns `path` as it is, if it is a file.

    Args:
        path: `pathlib.Path`.
        needs: As in `needed_folder`.

    Raises:
        ValueError: If it is none.
    """
    if not os.path.isfile(path):
        raise ValueError(f"{needs} Received: no file {str(path)!r}")
    return path


def reason_of(path: str) -> str:
    """Returns why a path is not found, " (...)", if not for being gone."""
    try:
        os.stat(path)
    except FileNotFoundError:
        pass
    except OSError as error:
        return f" ({error.strerror})"
    return ""


def first_with(
    folders: list[pathlib.Path],
    holds: collections.abc.Callable[[pathlib.Path], bool],
    needs: str,
) -> pathlib.Path:
    """Returns the first of some folders that holds what is looked for.

    Args:
        folders: List of `pathlib.Path`.
        holds: Function from a folder that exists to a bool.
        needs: As in `needed_folder`.

    Raises:
        ValueError: If none does.
    """
    for folder in folders:
        if os.path.isdir(folder) and holds(folder):
            return folder
    raise ValueError(
        f"{needs} Received: none of {', '.join(map(str, folders))} with it"
    )


def present(
    root: pathlib.Path, paths: list[str]
) -> tuple[np.ndarray, tuple[str, ...]]:
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
            found = list_folder(inside).images if inside.is_dir() else []
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


def lies_inside(path: str) -> bool:
    """Returns whether a path stays below the folder that it is relative to.

    Args:
        path: Str, as written: links are not followed, one inside the folder
            may lead to a large disk.

    Example:

    >>> from hashnet_tf.datasets.sources._paths import lies_inside
    >>> [lies_inside(path) for path in ("a/b.jpg", "a/../../b.jpg", "/b.jpg")]
    [True, False, False]
    """
    pure = pathlib.PurePath(path)
    return not pure.is_absolute() and ".." not in pure.parts


def foreign_prefix(root: str | os.PathLike[str], path: str) -> str:
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
    >>> from hashnet_tf.datasets.sources._paths import foreign_prefix
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


def _starts(path: str) -> collections.abc.Iterator[int]:
    yield 0
    for position, letter in enumerate(path, start=1):
        if letter == "/":
            yield position
