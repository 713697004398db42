"""Images in a NumPy archive."""

import os
import pathlib
import typing

import numpy as np

from hashnet_tf.datasets.images.array_images import ArrayImages
from hashnet_tf.datasets.sources.pool import Pool
from hashnet_tf.datasets.sources.reading import looked_for

PARTED = ("x_train", "y_train", "x_test", "y_test")
# The labels as they are known.
WHOLE = ("images", "labels")
ENDING = ".npz"


def read_npz(place: str) -> Pool:
    """Reads arrays of images and class ids ("npz:FILE").

    FILE holds `images` and, where they are known, `labels`; or `x_train`,
    `y_train`, `x_test` and `y_test` as Keras' own archives do: images uint8
    `[n, height, width]` or `[n, height, width, channels]`, of which
    `ArrayImages` tells what becomes of grey, and labels integers `[n]` or
    `[n, 1]`, or a zero-or-one matrix `[n, L]`.

    What lies in more bits, uint16 or floats, is refused: framing, networks and
    exported encoders are of [0, 255], and of which values those are nobody but
    the owner knows. He scales them, all files alike.

    Args:
        place: Str, FILE.

    Returns:
        `Pool`, whose notes tell how many channels there are where they are not
        three.

    Raises:
        ValueError: If FILE is no such archive, or the images or labels of a
            part are not as above or not equally many.
    """
    arrays = _arrays(place)
    if "images" in arrays:
        images, labels = arrays["images"], arrays.get("labels")
        if labels is not None:
            images, labels = _part(place, images, labels)
        in_test = None
    else:
        train = _part(place, arrays["x_train"], arrays["y_train"])
        test = _part(place, arrays["x_test"], arrays["y_test"])
        if train[0].shape[1:] != test[0].shape[1:]:
            raise ValueError(
                f"Images of npz:{place} must be of one shape. Received:"
                f" x_train.shape={train[0].shape},"
                f" x_test.shape={test[0].shape}"
            )
        if train[1].shape[1:] != test[1].shape[1:]:
            raise ValueError(
                f"Labels of npz:{place} must be of one kind. Received:"
                f" y_train.shape={train[1].shape}, y_test.shape={test[1].shape}"
            )
        images, labels = map(np.concatenate, zip(train, test, strict=True))
        in_test = np.arange(len(labels)) >= len(train[1])
    try:
        found = ArrayImages(images, labels)
    except ValueError as error:
        raise ValueError(f"npz:{place}: {error}") from error
    notes = ()
    if found.channels != 3:
        height, width, channels = images.shape[1:]
        notes = (f"images of {height} x {width} with {channels} channels",)
    return Pool(found, in_test, notes=notes)


def open_npz(place: str | os.PathLike[str]) -> ArrayImages:
    """Returns the images of a file alone, with the labels that it has.

    Args:
        place: As in `read_npz`.

    Raises:
        ValueError: As `read_npz`.
    """
    return typing.cast(ArrayImages, read_npz(os.fspath(place)).images)


def _part(place, images, labels):
    if labels.ndim == 2 and labels.shape[1] == 1:
        labels = labels[:, 0]
    ids = labels.ndim == 1 and labels.dtype.kind in "iu"
    if not ids and (labels.ndim != 2 or labels.dtype.kind not in "biuf"):
        raise ValueError(
            f"Labels of npz:{place} must be integers [n] or [n, 1], or a"
            " zero-or-one matrix [n, L]. Received:"
            f" labels.shape={labels.shape}, labels.dtype={labels.dtype}"
        )
    if images.shape[:1] != labels.shape[:1]:
        raise ValueError(
            f"Every image of npz:{place} needs a label. Received:"
            f" images.shape={images.shape}, labels.shape={labels.shape}"
        )
    return images, labels


def _arrays(place):
    if not place or not pathlib.Path(place).is_file():
        raise ValueError(
            '"npz:FILE" needs an existing file.'
            f" Received: {looked_for('npz', place)}"
        )
    try:
        # Opened here: np.load leaves a file that it cannot read open.
        with open(place, "rb") as file:
            archive = np.load(file, allow_pickle=False)
            if isinstance(archive, np.ndarray):
                raise ValueError(
                    "a single array; np.savez(FILE, images=..., labels=...)"
                    " keeps images and labels together"
                )
            found = archive.files
            names = [name for name in WHOLE if name in found]
            if "images" not in names:
                names = PARTED
            if set(names) <= set(found):
                return {name: np.asarray(archive[name]) for name in names}
    except Exception as error:
        # An empty file, a text, objects, a password, another compression, a
        # damaged header: numpy and zipfile fail in many ways.
        raise ValueError(
            f"npz:{place} must be a NumPy archive (np.savez). Received:"
            f" {str(error) or type(error).__name__}"
        ) from error
    raise ValueError(
        f"npz:{place} must hold {' and '.join(WHOLE)}, or the first alone, or"
        f" {', '.join(PARTED)}."
        f" Received: {', '.join(found)}"
    )
