"""MNIST and the sets handed out in its format, as Fashion-MNIST."""

import gzip
import math
import pathlib
import zlib

import numpy as np

from hashnet_tf.datasets.images.array_images import ArrayImages
from hashnet_tf.datasets.sources._paths import needed_folder
from hashnet_tf.datasets.sources.pool import Pool

NEEDS = (
    "The layout idx needs DIR/train-images-idx3-ubyte, train-labels-idx1-ubyte,"
    " t10k-images-idx3-ubyte and t10k-labels-idx1-ubyte, each as it is or with"
    " .gz."
)


def read_idx(place: str) -> Pool:
    """Reads images and class ids from four files of the format IDX.

        DIR/train-images-idx3-ubyte     or with .gz, each of them
        DIR/train-labels-idx1-ubyte
        DIR/t10k-images-idx3-ubyte
        DIR/t10k-labels-idx1-ubyte

    A file is the bytes 0, 0, 8 and the number of its dimensions, then each of
    them as a big-endian 32-bit integer, then unsigned bytes.

    Args:
        place: Str, DIR.

    Returns:
        `Pool` with class ids; its test part is t10k.

    Raises:
        ValueError: If a file is missing, damaged or of another size than it
            says, or images and labels are not equally many.
    """
    root = pathlib.Path(needed_folder(place, NEEDS))
    images, labels = [], []
    for part in ("train", "t10k"):
        images.append(_array(root, f"{part}-images-idx3-ubyte", 3))
        labels.append(_array(root, f"{part}-labels-idx1-ubyte", 1))
        if len(images[-1]) != len(labels[-1]):
            raise ValueError(
                f"Every image of {part} in {root} needs a label. Received:"
                f" {len(images[-1])} images and {len(labels[-1])} labels"
            )
    if images[0].shape[1:] != images[1].shape[1:]:
        raise ValueError(
            f"Images of train and t10k in {root} must be of one size."
            f" Received: {images[0].shape[1:]} and {images[1].shape[1:]}"
        )
    return Pool(
        images=ArrayImages(np.concatenate(images), np.concatenate(labels)),
        in_test=np.repeat([False, True], [len(rows) for rows in labels]),
    )


def _array(root, name, dimensions):
    """Returns what a file holds, uint8."""
    file = root / name
    content = _content(file)
    start = 4 + 4 * dimensions
    if content[:4] != bytes([0, 0, 8, dimensions]) or len(content) < start:
        raise ValueError(
            f"{file}: must start with the bytes 0, 0, 8, {dimensions} and"
            f" {dimensions} sizes. Received: {content[:start]!r}"
        )
    shape = np.frombuffer(content[4:start], ">u4").tolist()
    if len(content) - start != math.prod(shape):
        raise ValueError(
            f"{file}: {' x '.join(map(str, shape))} bytes must follow its"
            f" {start} first. Received: {len(content) - start}"
        )
    return np.frombuffer(content, np.uint8, offset=start).reshape(shape)


def _content(file):
    if file.is_file():
        return file.read_bytes()
    packed = file.with_name(f"{file.name}.gz")
    if not packed.is_file():
        raise ValueError(f"{NEEDS} Received: no {file} and no {packed.name}")
    try:
        return gzip.decompress(packed.read_bytes())
    except (EOFError, OSError, zlib.error) as error:
        raise ValueError(
            f"{packed}: must be a whole gzip file. Received: {error}"
        ) from error
