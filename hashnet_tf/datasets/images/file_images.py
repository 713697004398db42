"""Images in files."""

import collections.abc
import hashlib
import os
import pathlib

import numpy as np
import numpy.typing as npt

from hashnet_tf.datasets.images.image_set import ImageSet, Reader


class FileImages(ImageSet):
    """Image files below a folder; none is read before it is needed.

    Args:
        root: The folder.
        paths: List of n str, relative to it.
        labels: As in `ImageSet`.
        origins: List of n str, where each path was written ("train.txt:3"),
            for messages, or None.

    Example:

    >>> from hashnet_tf.datasets import FileImages
    >>> FileImages("photos", ["cat/1.jpg"], [0]).names
    ['cat/1.jpg']
    """

    def __init__(
        self,
        root: str | os.PathLike[str],
        paths: collections.abc.Iterable[str],
        labels: npt.ArrayLike | None,
        origins: list[str] | None = None,
    ) -> None:
        super().__init__(labels, paths)
        self.root = pathlib.Path(root)
        self.origins = origins
        # From a name to the file it leads to. Subsets share it, for one image
        # is of several parts, and to follow links asks the disk.
        self._files: dict[str, str] = {}

    def subset(self, indices: npt.ArrayLike) -> "FileImages":
        indices = np.asarray(indices)
        images = FileImages(
            self.root,
            [self.names[i] for i in indices],
            self.labels_at(indices),
            self.origins and [self.origins[i] for i in indices],
        )
        images._files = self._files
        return images

    def where(self, position: int) -> str:
        """Returns the file at `position` as a message names it."""
        path = str(self.root / self.names[position])
        if self.origins is None:
            return path
        return f"{self.origins[position]}: {path}"

    def missing(self) -> list[int]:
        """Returns the positions of the paths that are no files."""
        there = {
            name: os.path.isfile(os.path.join(self.root, name))
            for name in set(self.names)
        }
        return [i for i, name in enumerate(self.names) if not there[name]]

    def identities(self) -> list[str]:
        # Links are followed: two names of one file are one image. Of the many
        # files of a folder, the folder is followed only once.
        folders = {}
        for name in self.names:
            if name in self._files:
                continue
            folder, last = os.path.split(os.path.join(self.root, name))
            if folder not in folders:
                folders[folder] = os.path.realpath(folder)
            path = os.path.join(folders[folder], last)
            if last in ("", ".", "..") or os.path.islink(path):
                path = os.path.realpath(path)
            self._files[name] = path
        return [self._files[name] for name in self.names]

    def reader(self) -> Reader:
        import tensorflow as tf

        paths = tf.constant(
            [str(self.root / name) for name in self.names], dtype=tf.string
        )
        return lambda position: tf.io.read_file(paths[position])

    def fingerprint(self) -> str:
        # Without the folder: a set stays itself when its folder is renamed.
        digest = hashlib.sha256()
        for line in self._states():
            digest.update(f"{line}\n".encode())
        return digest.hexdigest()

    def fingerprints(self) -> list[str]:
        # With the folder: two disks number their files alike.
        folder = self.root.resolve()
        return [f"{folder}\0{line}" for line in self._states()]

    def _states(self) -> collections.abc.Iterator[str]:
        for name in self.names:
            status = os.stat(os.path.join(self.root, name))
            # The time of writing can be set, as unpacking and copying do. That
            # of the last change cannot, and where two files were made at once
            # they are two to the disk.
            state = (
                status.st_size,
                status.st_mtime_ns,
                status.st_ctime_ns,
                status.st_ino,
            )
            yield "\0".join([name, *map(str, state)])
