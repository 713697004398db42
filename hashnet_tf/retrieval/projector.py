"""Codes for TensorBoard's Embedding Projector."""

import contextlib
import math
from pathlib import Path

import numpy as np

from hashnet_tf.atomic import written_beside
from hashnet_tf.retrieval.codes import unpack
from hashnet_tf.retrieval.labels import check_labels

# The largest side of a sprite that the Projector takes.
LARGEST = 8192


def write_projector(codes, bits, labels, folder, names=None, images=None):
    """Writes codes as a folder that `tensorboard --logdir` shows.

    The folder then holds `tensors.tsv`, a row of signs a code; `metadata.tsv`,
    a name and its labels a row; `projector_config.pbtxt`; and, with images,
    `sprite.png`, all of them in one grid. Other files there stay.

    Args:
        codes: uint8 `[n, ceil(bits / 8)]`, n >= 1.
        bits: Int, the length K of the codes.
        labels: Class ids `[n]`, negative where unlabelled, or a zero-or-one
            matrix `[n, L]`, whose columns are written as "1,4".
        folder: Str or path; made if it is missing.
        names: n strings without tabs and line ends, for example file names,
            or None for the index.
        images: uint8 `[n, height, width, 3]`, or None.

    Returns:
        The folder, a `pathlib.Path`.

    Raises:
        ValueError: If codes or labels are malformed, if labels, names and
            images are not one for each code, or if the grid of the images,
            ceil(sqrt(n)) in each row, is over 8,192 pixels wide or high, the
            most that the Projector takes.

    Example:

    >>> import pathlib, tempfile
    >>> import numpy as np
    >>> from hashnet_tf.retrieval import pack
    >>> from hashnet_tf.retrieval.projector import write_projector
    >>> codes = pack(np.array([[1, -1, 1], [-1, -1, 1]]))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = write_projector(codes, 3, [7, -1], folder)
    ...     pathlib.Path(folder, "tensors.tsv").read_text().splitlines()
    ['1\\t-1\\t1', '-1\\t-1\\t1']
    """
    signs = unpack(codes, bits)
    n = len(signs)
    if not n:
        raise ValueError(
            "`codes` must not be empty."
            f" Received: codes.shape={np.shape(codes)}"
        )
    labels = check_labels(labels, n)
    names = range(n) if names is None else _check_names(names, n)
    if images is not None:
        images = _check_images(images, n)

    folder = Path(folder)
    # Nothing takes its place before all is written, and the file that names
    # the others takes it last.
    with contextlib.ExitStack() as files:
        config, tensors, metadata = (
            files.enter_context(written_beside(folder / name))
            for name in (
                "projector_config.pbtxt",
                "tensors.tsv",
                "metadata.tsv",
            )
        )
        config.write_text(_config(images), encoding="utf-8")
        np.savetxt(tensors, signs, fmt="%d", delimiter="\t")
        rows = [
            f"{name}\t{_text(label)}\n"
            for name, label in zip(names, labels, strict=True)
        ]
        metadata.write_text(
            "".join(["name\tlabel\n", *rows]), encoding="utf-8", newline=""
        )
        if images is not None:
            from PIL import Image

            sprite = files.enter_context(written_beside(folder / "sprite.png"))
            Image.fromarray(_grid(images)).save(sprite)
    return folder


def _text(label):
    if label.ndim:
        return ",".join(map(str, np.flatnonzero(label)))
    return "" if label < 0 else str(label)


def _config(images):
    sprite = ""
    if images is not None:
        height, width = images.shape[1:3]
        sprite = (
            "  sprite {\n"
            '    image_path: "sprite.png"\n'
            f"    single_image_dim: {width}\n"
            f"    single_image_dim: {height}\n"
            "  }\n"
        )
    return (
        "embeddings {\n"
        '  tensor_name: "codes"\n'
        '  tensor_path: "tensors.tsv"\n'
        '  metadata_path: "metadata.tsv"\n'
        f"{sprite}}}\n"
    )


def _columns(n):
    return math.isqrt(n - 1) + 1


def _grid(images):
    n, height, width, channels = images.shape
    columns = _columns(n)
    rows = -(-n // columns)
    cells = np.full((rows * columns, height, width, channels), 255, np.uint8)
    cells[:n] = images
    cells = cells.reshape(rows, columns, height, width, channels)
    return cells.swapaxes(1, 2).reshape(rows * height, columns * width, -1)


def _check_names(names, n):
    names = [str(name) for name in names]
    if len(names) != n:
        raise ValueError(
            f"`names` must hold one name for each of {n} codes."
            f" Received: {len(names)} names"
        )
    for name in names:
        if set(name) & set("\t\r\n"):
            raise ValueError(
                "`names` must not hold tabs or line ends, which part the table."
                f" Received: name={name!r}"
            )
    return names


def _check_images(images, n):
    images = np.asarray(images)
    if (
        images.ndim != 4
        or images.shape[0] != n
        or images.shape[3] != 3
        or images.size == 0
        or images.dtype != np.uint8
    ):
        raise ValueError(
            f"`images` must be uint8 of shape [{n}, height, width, 3]."
            f" Received: images.shape={images.shape},"
            f" images.dtype={images.dtype}"
        )
    columns = _columns(n)
    height, width = images.shape[1:3]
    side = max(-(-n // columns) * height, columns * width)
    if side > LARGEST:
        raise ValueError(
            f"The grid of the images must not be over {LARGEST} pixels wide or"
            f" high. Received: images.shape={images.shape}, a side of {side}"
        )
    return images
