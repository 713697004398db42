"""Small pictures of what is in an index, made once and kept for a while."""

import collections
import os
import stat
import threading

from hashnet_tf.datasets.pixels.pillow import small_jpeg
from hashnet_tf.index import Entry

# Pixels of the longer side; twice what a page shows, for fine screens.
SIDE = 320
KEPT = 2000
_Key = tuple[str, int, int]


class Thumbnails:
    """Makes small JPEGs of the files of entries. Threads may share it.

    Args:
        kept: Int, how many are kept in memory, those that were asked for last.

    Example:

    >>> from hashnet_tf.index import Entry
    >>> from hashnet_tf.serving.thumbnails import Thumbnails
    >>> Thumbnails().of(Entry(1, "/gone.jpg", b"", None, "a")) is None
    True
    """

    def __init__(self, kept: int = KEPT) -> None:
        self._kept = kept
        self._made: collections.OrderedDict[_Key, bytes] = (
            collections.OrderedDict()
        )
        self._lock = threading.Lock()

    def of(self, entry: Entry) -> bytes | None:
        """Returns the JPEG of an entry.

        Args:
            entry: `Entry` that an index gave. One whose name is no absolute
                path is of no file.

        Returns:
            Bytes, or None where there is no such file any more, or it is no
            image.
        """
        if not os.path.isabs(entry.name):
            return None
        # By the file as it is now: the digest of the index is that of what was
        # added, and may be that of other files too.
        key = _key(entry.name)
        if key is None:
            return None
        with self._lock:
            if key in self._made:
                self._made.move_to_end(key)
                return self._made[key]
        made = _made(entry.name)
        if made is not None:
            with self._lock:
                self._made[key] = made
                while len(self._made) > self._kept:
                    self._made.popitem(last=False)
        return made


def _key(path: str) -> _Key | None:
    """Returns what is another once a file is, or None of what is none."""
    try:
        told = os.stat(path)
    except (OSError, ValueError):
        return None
    # Of a pipe or a device nothing would come, or too much.
    if not stat.S_ISREG(told.st_mode):
        return None
    return path, told.st_mtime_ns, told.st_size


def _made(path: str) -> bytes | None:
    try:
        return small_jpeg(path, SIDE)
    # One too large for the memory that is left is not shown.
    except (OSError, ValueError, MemoryError):
        return None
