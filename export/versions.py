"""The versions of a model, as TensorFlow Serving keeps them on disk."""

import pathlib


def version_numbers(directory):
    """Returns the numbers that name entries of a folder.

    Args:
        directory: Str or path of the folder of all versions.

    Returns:
        List of int, in no order; empty if there is no such folder.

    Example:

    >>> import pathlib, tempfile
    >>> from hashnet_tf.export.versions import version_numbers
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     for name in ("1", "12", "notes"):
    ...         pathlib.Path(folder, name).mkdir()
    ...     sorted(version_numbers(folder))
    [1, 12]
    """
    directory = pathlib.Path(directory)
    there = directory.iterdir() if directory.is_dir() else ()
    return [int(entry.name) for entry in there if entry.name.isdecimal()]
