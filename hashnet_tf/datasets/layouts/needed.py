"""What a layout cannot be read without."""

import os


def needed_folder(path, needs):
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


def needed_file(path, needs):
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


def first_with(folders, holds, needs):
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
