"""Folders of images, one a class."""

import os
import pathlib

import numpy as np

from hashnet_tf.datasets.images.file_images import FileImages
from hashnet_tf.datasets.sources.reading import Pool

ENDINGS = (".jpg", ".jpeg", ".png", ".webp", ".bmp")

# What people call the parts of a data set, which are no classes.
SPLITS = "train training test testing val valid validation".split()


def read_folder(place: str) -> Pool:
    """Reads a folder of class folders ("folder:DIR").

    DIR holds one folder a class, or `train/` and `test/` of such folders with
    the same classes. A class folder may hold folders itself. What begins with
    a dot is left alone.

    Args:
        place: Str, DIR.

    Returns:
        `Pool`, whose test part is `test/`.

    Raises:
        ValueError: If DIR is no folder, holds no class folders or one of
            `train/` and `test/` without the other, a class folder holds no
            images, or the classes of the parts differ.
    """
    root = pathlib.Path(place)
    if not place or not root.is_dir():
        raise ValueError(
            f'"folder:DIR" needs an existing folder. Received: folder:{place}'
        )
    parts = [root / "train", root / "test"]
    if not all(part.is_dir() for part in parts):
        parts = [root]
    classes = _class_names(parts)
    paths, labels, in_test = [], [], []
    for part in parts:
        for label, name in enumerate(classes):
            found = image_paths(part / name)
            if not found:
                raise ValueError(
                    f"A class folder needs images ({', '.join(ENDINGS)})."
                    f" Received: {part / name} with none"
                )
            paths += [str(path.relative_to(root)) for path in found]
            labels += [label] * len(found)
            in_test += [part.name == "test" and len(parts) == 2] * len(found)
    beside = [n for n in folder_names(root) if n not in ("train", "test")]
    notes = [f"{', '.join(beside)} beside train/ and test/ is left alone"]
    return Pool(
        FileImages(root, paths, np.array(labels, dtype=np.int32)),
        in_test=np.array(in_test) if len(parts) == 2 else None,
        class_names=classes,
        notes=tuple(notes) if beside and len(parts) == 2 else (),
    )


def image_paths(folder: pathlib.Path) -> list[pathlib.Path]:
    """Returns the image files in a folder, to any depth, sorted.

    Args:
        folder: `pathlib.Path`.

    Returns:
        List of `pathlib.Path`.

    Raises:
        ValueError: If a name is no UTF-8: it could not be written to a file.
    """
    found = []
    for path in sorted(folder.rglob("*")):
        # macOS writes "._1.jpg", which is no image, beside 1.jpg on disks of
        # other systems.
        inner = path.relative_to(folder).parts
        if any(part.startswith(".") for part in inner):
            continue
        if path.suffix.lower() in ENDINGS and path.is_file():
            check_utf8(str(path))
            found.append(path)
    return found


def check_utf8(path: str) -> None:
    """Checks that a path can be written to a file.

    Args:
        path: Str.

    Raises:
        ValueError: If it is no UTF-8.
    """
    try:
        path.encode()
    except UnicodeEncodeError as error:
        raise ValueError(
            f"Names of files must be UTF-8. Received: {path!r}"
        ) from error


def folder_names(folder: str | os.PathLike[str]) -> list[str]:
    """Returns the names of the folders in a folder, sorted.

    Args:
        folder: Str or `pathlib.Path`.

    Returns:
        List of str.
    """
    with os.scandir(folder) as entries:
        return sorted(
            entry.name
            for entry in entries
            if not entry.name.startswith(".") and entry.is_dir()
        )


def _class_names(parts: list[pathlib.Path]) -> list[str]:
    classes = [folder_names(part) for part in parts]
    if not classes[0]:
        raise ValueError(
            "A folder of images needs one folder a class in it."
            f" Received: {parts[0]} with none"
        )
    # Otherwise train/ and validation/ would be taken for two classes.
    for name in classes[0] if len(parts) == 1 else []:
        lone = parts[0] / name
        if name.lower() in SPLITS and _holds_only_folders(lone):
            raise ValueError(
                "A folder of images needs class folders, or both train/ and"
                f" test/, so spelled, with class folders. Received: {lone}"
            )
    if len(parts) == 2 and classes[0] != classes[1]:
        only = sorted(set(classes[0]) ^ set(classes[1]))
        raise ValueError(
            "train/ and test/ must hold the same classes. Received:"
            f" {parts[0].parent} with {only} in one of them only"
        )
    return classes[0]


def _holds_only_folders(folder: pathlib.Path) -> bool:
    images = [
        entry for entry in folder.iterdir() if entry.suffix.lower() in ENDINGS
    ]
    return bool(folder_names(folder)) and not images
