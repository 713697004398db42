"""Microsoft COCO 2014."""

import json
import pathlib

import numpy as np

from hashnet_tf.datasets.images.file_images import FileImages
from hashnet_tf.datasets.sources._paths import (
    needed_file,
    needed_folder,
    present,
)
from hashnet_tf.datasets.sources.pool import Pool

NEEDS = (
    "The layout coco needs DIR/annotations/instances_train2014.json and"
    " instances_val2014.json, and the images in DIR/train2014 and"
    " DIR/val2014."
)


def read_coco(place: str) -> Pool:
    """Reads the images of train2014 and val2014 with the objects on them.

        DIR/annotations/instances_train2014.json
        DIR/annotations/instances_val2014.json
        DIR/train2014/COCO_train2014_000000000009.jpg
        DIR/val2014/COCO_val2014_000000000042.jpg

    An image has a label for each category that it shows an object of: a row
    of zeros where it shows none. The columns are in the order of the ids of
    the categories, the images in that of their names, train2014 first. Of the
    listed images those that are missing are left out.

    Args:
        place: Str, DIR.

    Returns:
        `Pool` with a matrix of labels `[n, 80]`; its test part is val2014.

    Raises:
        ValueError: If a file or folder is missing, the JSON is damaged or
            lacks what is read of it, an annotation names an unknown image or
            category, or the two parts differ in their categories.
    """
    root = pathlib.Path(needed_folder(place, NEEDS))
    paths, labels, counts, names = [], [], [], None
    for part in ("train2014", "val2014"):
        file = root / "annotations" / f"instances_{part}.json"
        files, of_part, of_names = _read(needed_file(file, NEEDS))
        if names is not None and of_names != names:
            raise ValueError(
                "The categories of train2014 and val2014 must be the same."
                f" Received: {sorted(set(of_names) ^ set(names))} in one of"
                f" them only, or another order, in {file}"
            )
        names = of_names
        needed_folder(root / part, NEEDS)
        paths += [f"{part}/{name}" for name in files]
        labels.append(of_part)
        counts.append(len(files))
    there, notes = present(root, paths)
    in_test = np.repeat([False, True], counts)
    return Pool(
        images=FileImages(
            root,
            [paths[i] for i in np.flatnonzero(there)],
            np.concatenate(labels)[there],
        ),
        in_test=in_test[there],
        class_names=names,
        notes=notes,
    )


def _read(file):
    """Returns `(file names, labels [n, L], category names)` of a part."""
    content = _json(file)
    try:
        names = {row["id"]: row["name"] for row in content["categories"]}
        images = sorted(
            (row["file_name"], row["id"]) for row in content["images"]
        )
        pairs = [
            (row["id"], row["image_id"], row["category_id"])
            for row in content["annotations"]
        ]
    except (KeyError, TypeError) as error:
        raise ValueError(
            f"{file}: instances need categories with id and name, images with"
            " id and file_name, and annotations with id, image_id and"
            f" category_id. Received: {error!r}"
        ) from error
    row_of = {key: row for row, (_, key) in enumerate(images)}
    column_of = {key: column for column, key in enumerate(sorted(names))}
    labels = np.zeros((len(images), len(names)), dtype=np.uint8)
    for key, image, category in pairs:
        if image not in row_of or category not in column_of:
            raise ValueError(
                f"{file}: annotation {key} must be of a listed image and"
                f" category. Received: image_id={image},"
                f" category_id={category}"
            )
        labels[row_of[image], column_of[category]] = 1
    return (
        [name for name, _ in images],
        labels,
        [names[key] for key in sorted(names)],
    )


def _json(file):
    try:
        with file.open(encoding="utf-8") as text:
            return json.load(text, object_hook=_without_outline)
    except json.JSONDecodeError as error:
        raise ValueError(
            f"{file}:{error.lineno}: must be JSON. Received: {error}"
        ) from error
    except UnicodeDecodeError as error:
        raise ValueError(f"{file}: must be UTF-8. Received: {error}") from error


def _without_outline(row):
    # Nine tenths of the numbers in the file, let go as they are read.
    row.pop("segmentation", None)
    return row
