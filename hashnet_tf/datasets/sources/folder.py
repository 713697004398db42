"""Folders of images: one a class, or any without labels."""

import collections
import os
import pathlib
import unicodedata

import numpy as np

from hashnet_tf.datasets.images.file_images import FileImages
from hashnet_tf.datasets.sources.pool import Pool
from hashnet_tf.datasets.sources.reading import looked_for
from hashnet_tf.datasets.sources.walking import (
    ENDINGS,
    SHOWN,
    Account,
    Listing,
    identities,
    list_folder,
    none_in,
    walk,
)

# What people call the parts of a data set, which are no classes.
SPLITS = "train training test testing val valid validation".split()


def read_folder(place: str) -> Pool:
    """Reads a folder of images ("folder:DIR").

    DIR holds one folder a class, two at least, or `train/` and `test/` of such
    folders with the same classes. A class folder may hold folders itself. What
    is no image is passed over, and counted.

    Any other tree is read without labels, all images to any depth, and a note
    tells what it lacks.

    Args:
        place: Str, DIR.

    Returns:
        `Pool`, whose test part is `test/`, where there is `train/` too.

    Raises:
        ValueError: If DIR is no folder or holds no images.
        OSError: As `hashnet_tf.datasets.sources.walking.walk`.
    """
    root = pathlib.Path(place)
    if not place or not root.is_dir():
        raise ValueError(
            '"folder:DIR" needs an existing folder.'
            f" Received: {looked_for('folder', place)}"
        )
    above = list_folder(root)
    try:
        return _by_classes(root, above)
    except _NoClassesError as error:
        return _without_labels(root, above, str(error))


class _NoClassesError(Exception):
    """A folder is not laid out by classes; the message tells how."""


def _without_labels(root: pathlib.Path, above: Listing, lacking: str) -> Pool:
    found, passed_over = walk(root)
    if not found:
        raise ValueError(
            f"A folder of images needs images ({', '.join(ENDINGS)}) in it, to"
            f" any depth. Received: {none_in(root, passed_over)}"
        )
    tops = [pathlib.PurePath(path).parts[0] for path in found]
    has_test = {"train", "test"} <= set(above.folders) & set(tops)
    return Pool(
        FileImages(root, found, None),
        in_test=np.array([t == "test" for t in tops]) if has_test else None,
        notes=(f"the images are without labels: {lacking}",),
        account=Account(len(found), passed_over=dict(passed_over)),
    )


def _by_classes(root: pathlib.Path, above: Listing) -> Pool:
    parts = [root]
    if {"train", "test"} <= set(above.folders):
        parts = [root / "train", root / "test"]
    listed = [list_folder(part) for part in parts]
    classes = _class_names(parts, listed)
    passed_over, notes = _beside(above, listed)
    if alike := _alike(classes):
        notes.append(
            f"class folders look alike and are of other characters:"
            f" {', '.join(map(ascii, alike))}"
        )
    # A link may lead from one class to another, whose images are its own.
    apart = identities(
        [root, *parts, *(part / name for part in parts for name in classes)]
    )
    paths, labels, in_test = [], [], []
    for part in parts:
        for label, name in enumerate(classes):
            found, rest = walk(part / name, apart)
            if not found:
                raise _NoClassesError(
                    f"a class folder needs images ({', '.join(ENDINGS)}),"
                    f" unlike {none_in(part / name, rest)}"
                )
            inner = str((part / name).relative_to(root))
            paths += [os.path.join(inner, path) for path in found]
            labels += [label] * len(found)
            in_test += [part.name == "test" and len(parts) == 2] * len(found)
            passed_over += rest
    return Pool(
        FileImages(root, paths, np.array(labels, dtype=np.int32)),
        in_test=np.array(in_test) if len(parts) == 2 else None,
        class_names=classes,
        notes=tuple(notes),
        account=Account(len(paths), passed_over=dict(passed_over)),
    )


def _beside(
    above: Listing, listed: list[Listing]
) -> tuple[collections.Counter[str], list[str]]:
    """Returns what is passed over beside the class folders, and notes of it."""
    with_parts = len(listed) == 2
    levels = [above, *listed] if with_parts else listed
    passed_over: collections.Counter[str] = collections.Counter()
    for level in levels:
        passed_over += level.passed_over
    notes = []
    if images := [name for level in levels for name in level.images]:
        passed_over["images beside the class folders"] = len(images)
        more = ", ..." if len(images) > SHOWN else ""
        notes.append(
            f"{len(images):,} images beside the class folders are left alone"
            f" ({', '.join(images[:SHOWN])}{more})"
        )
    beside = [name for name in above.folders if name not in ("train", "test")]
    if with_parts and beside:
        passed_over.update(f"{name}/" for name in beside)
        notes.append(
            f"{', '.join(beside)} beside train/ and test/ is left alone"
        )
    return passed_over, notes


def _class_names(parts: list[pathlib.Path], listed: list[Listing]) -> list[str]:
    classes = [listing.folders for listing in listed]
    # Otherwise train/ and validation/ would be taken for two classes.
    for name in classes[0] if len(parts) == 1 else []:
        lone = parts[0] / name
        if name.lower() in SPLITS and _holds_only_folders(lone):
            raise _NoClassesError(
                "labels need class folders, or both train/ and test/, so"
                f" spelled, with class folders, unlike {lone}"
            )
    if len(parts) == 2 and classes[0] != classes[1]:
        only = sorted(set(classes[0]) ^ set(classes[1]))
        # As escapes, where the letters would look alike.
        told = ascii(only) if _alike(only) else str(only)
        raise _NoClassesError(
            "train/ and test/ must hold the same classes, unlike"
            f" {parts[0].parent} with {told} in one of them only"
        )
    if len(classes[0]) < 2:
        raise _NoClassesError(
            "labels need two class folders at least, unlike"
            f" {parts[0]} with {len(classes[0])}"
        )
    return classes[0]


def _alike(names: list[str]) -> list[str]:
    """Returns the names that others look like, of other characters."""
    looks = [unicodedata.normalize("NFC", name) for name in names]
    counts = collections.Counter(looks)
    return [n for n, look in zip(names, looks, strict=True) if counts[look] > 1]


def _holds_only_folders(folder: pathlib.Path) -> bool:
    listing = list_folder(folder)
    return bool(listing.folders) and not listing.images
