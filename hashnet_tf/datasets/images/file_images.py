"""Images in files."""

import hashlib
import os
import pathlib

import numpy as np
import tensorflow as tf

from hashnet_tf.datasets.images.image_set import ImageSet


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

    def __init__(self, root, paths, labels, origins=None):
        super().__init__(labels, paths)
        self.root = pathlib.Path(root)
        self.origins = origins

    def subset(self, indices):
        indices = np.asarray(indices)
        return FileImages(
            self.root,
            [self.names[i] for i in indices],
            self.labels[indices],
            self.origins and [self.origins[i] for i in indices],
        )

    def where(self, position):
        """Returns the file at `position` as a message names it."""
        path = str(self.root / self.names[position])
        if self.origins is None:
            return path
        return f"{self.origins[position]}: {path}"

    def missing(self):
        """Returns the positions of the paths that are no files."""
        return [
            position
            for position, name in enumerate(self.names)
            if not (self.root / name).is_file()
        ]

    def identities(self):
        # Links are followed: two names of one file are one image. Of the many
        # files of a folder, the folder is followed only once.
        folders, found = {}, []
        for name in self.names:
            folder, last = os.path.split(os.path.join(self.root, name))
            if folder not in folders:
                folders[folder] = os.path.realpath(folder)
            path = os.path.join(folders[folder], last)
            if last in ("", ".", "..") or os.path.islink(path):
                path = os.path.realpath(path)
            found.append(path)
        return found

    def reader(self):
        paths = tf.constant(
            [str(self.root / name) for name in self.names], dtype=tf.string
        )
        return lambda position: tf.io.read_file(paths[position])

    def fingerprint(self):
        # Without the folder: a set stays itself when its folder is moved.
        digest = hashlib.sha256()
        for line in self._states():
            digest.update(f"{line}\n".encode())
        return digest.hexdigest()

    def fingerprints(self):
        # With the folder: those of two data sets may hold a file of the same
        # name and size, and unpacked archives of the same time.
        folder = self.root.resolve()
        return [f"{folder}\0{line}" for line in self._states()]

    def _states(self):
        for name in self.names:
            status = os.stat(os.path.join(self.root, name))
            yield f"{name}\0{status.st_size}\0{status.st_mtime_ns}"
