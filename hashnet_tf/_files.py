"""Files and folders that are whole or not there."""

import contextlib
import json
import os
import pathlib
import shutil
from collections.abc import Iterator
from typing import Any


@contextlib.contextmanager
def written_beside(path: str | os.PathLike[str]) -> Iterator[pathlib.Path]:
    """Gives a place beside `path`, and renames it to `path` at the end.

    Whoever reads `path` sees the old or the new and never a part. If the block
    raises, what was written is removed and `path` is as it was.

    Args:
        path: Str or path of a file or a folder; its parent is made if it is
            missing. A file that is there is replaced, a folder is not.

    Yields:
        `pathlib.Path` to write to, in the same parent.

    Raises:
        OSError: If `path` is a folder that holds something.

    Example:

    >>> import pathlib, tempfile
    >>> from hashnet_tf._files import written_beside
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder, "new", "notes.txt")
    ...     with written_beside(path) as beside:
    ...         _ = beside.write_text("all of it")
    ...     path.read_text()
    'all of it'
    """
    path = pathlib.Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    # The ending stays: Keras and numpy choose the format by it.
    beside = path.with_name(f".{os.getpid()}.{path.name}")
    try:
        yield beside
        os.replace(beside, path)
    finally:
        if beside.is_dir():
            shutil.rmtree(beside)
        else:
            beside.unlink(missing_ok=True)


def write_json(path: str | os.PathLike[str], value: Any) -> None:
    """Writes `value` as JSON, whole or not at all.

    Args:
        path: Str or path; a file that is there is replaced.
        value: What `json.dumps` takes.

    Example:

    >>> import pathlib, tempfile
    >>> from hashnet_tf._files import write_json
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_json(f"{folder}/a.json", [1, 2])
    ...     pathlib.Path(folder, "a.json").read_text().split()
    ['[', '1,', '2', ']']
    """
    text = json.dumps(value, indent=2, ensure_ascii=False)
    with written_beside(path) as beside:
        beside.write_text(text + "\n", encoding="utf-8")
