"""The images that codes were made of, for another look at them."""

import pathlib

import numpy as np

from hashnet_tf.datasets import FileImages, load
from hashnet_tf.datasets.folder import ENDINGS, image_paths


def open_images(source):
    """Opens images by what a code set's manifest says of them.

    None of them is read; `hashnet_tf.datasets.decodable` leaves out those that
    are no images.

    Args:
        source: Dict with `folder`, a folder of images to any depth, without
            labels; or with `data`, `seed`, `query_per_class` and
            `train_per_class`, as `hashnet_tf.datasets.load` takes them, and
            `part`: "train", "query" or "database".

    Returns:
        `ImageSet`; images of a folder have the label -1.

    Raises:
        ValueError: If the source is not there, or a folder without images.

    Example:

    >>> import hashnet_tf as hn
    >>> images = hn.runs.open_images({"data": "digits", "part": "query"})
    >>> len(images)
    200
    """
    source = dict(source)
    if "folder" not in source:
        part = source.pop("part")
        return getattr(load(**source), part)
    root = pathlib.Path(source["folder"])
    if not root.is_dir():
        raise ValueError(
            f"Images are needed in an existing folder. Received: {root}"
        )
    names = [str(path.relative_to(root)) for path in image_paths(root)]
    if not names:
        raise ValueError(
            f"A folder needs images ({', '.join(ENDINGS)}) in it, to any depth."
            f" Received: {root} with none"
        )
    return FileImages(root, names, np.full(len(names), -1, np.int32))
