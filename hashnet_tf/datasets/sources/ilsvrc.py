"""ImageNet as the ILSVRC challenges from 2012 on hand it out."""

import collections
import pathlib
import re
import xml.etree.ElementTree as ElementTree

import numpy as np

from hashnet_tf.datasets.images.file_images import FileImages
from hashnet_tf.datasets.sources._paths import (
    first_with,
    needed_file,
    needed_folder,
)
from hashnet_tf.datasets.sources.pool import Pool
from hashnet_tf.datasets.sources.walking import Account, list_folder

NEEDS = (
    "The layout ilsvrc needs train/WNID/*.JPEG and either val/WNID/*.JPEG or"
    " val/*.JPEG with Annotations/CLS-LOC/val/*.xml, where WNID is as"
    " n01440764; train and val lie in DIR, DIR/Data/CLS-LOC or"
    " DIR/ILSVRC/Data/CLS-LOC, Annotations in DIR or DIR/ILSVRC."
)


def read_ilsvrc(place: str) -> Pool:
    """Reads the images for classification and localization (CLS-LOC).

    DIR is one of these; Kaggle's archive unpacks to the last:

        DIR/train/n01440764/n01440764_18.JPEG
        DIR/val/n01440764/ILSVRC2012_val_00000293.JPEG

        DIR/Data/CLS-LOC/train/n01440764/n01440764_18.JPEG
        DIR/Data/CLS-LOC/val/ILSVRC2012_val_00000293.JPEG
        DIR/Annotations/CLS-LOC/val/ILSVRC2012_val_00000293.xml

        DIR/ILSVRC/Data and DIR/ILSVRC/Annotations, as above

    A validation image has its class from its folder or, where val/ has none,
    from its annotation. No image is opened. A class's id is its place among
    the sorted WordNet ids of train/; validation images of other classes are
    left out.

    Args:
        place: Str, DIR.

    Returns:
        `Pool` with class ids; its test part is val/.

    Raises:
        ValueError: If a folder or an annotation is missing, a class folder is
            empty or not named by a WordNet id, or an annotation names no class
            or several.
    """
    root = pathlib.Path(needed_folder(place, NEEDS))
    kaggle = root / "ILSVRC"
    homes = {
        root: root,
        root / "Data" / "CLS-LOC": root,
        kaggle / "Data" / "CLS-LOC": kaggle,
    }
    images = first_with(
        list(homes), lambda folder: (folder / "train").is_dir(), NEEDS
    )
    annotations = homes[images] / "Annotations" / "CLS-LOC" / "val"
    over: collections.Counter[str] = collections.Counter()
    classes, beside = _class_folders(images / "train", over)
    if not classes:
        raise ValueError(f"{NEEDS} Received: {images / 'train'} with no WNID")
    train = _of_folders(images, "train", classes, over)
    if beside:
        over["images beside the class folders"] = len(beside)
    needed_folder(images / "val", NEEDS)
    folders, loose = _class_folders(images / "val", over)
    if folders and loose:
        raise ValueError(
            f"{NEEDS} Received: {images / 'val'} with both, as {folders[0]} and"
            f" {loose[0]}"
        )
    if folders:
        test = _of_folders(images, "val", folders, over)
    else:
        test = _annotated(loose, annotations)
    known = set(classes)
    kept = [(path, wnid) for path, wnid in test if wnid in known]
    if not kept:
        raise ValueError(
            f"{NEEDS} Received: {images / 'val'} with no image of the"
            f" {len(classes)} classes of train"
        )
    if strangers := len(test) - len(kept):
        over["images of classes without training images"] = strangers
    paths, wnids = zip(*train, *kept, strict=True)
    return Pool(
        images=FileImages(images, paths, np.searchsorted(classes, wnids)),
        in_test=np.arange(len(paths)) >= len(train),
        class_names=classes,
        notes=_notes(classes, test, kept),
        account=Account(len(paths), passed_over=dict(over)),
    )


def _class_folders(folder, over):
    """Returns the names of the class folders, and of images beside them."""
    listing = list_folder(folder)
    for name in listing.folders:
        if not re.fullmatch(r"n\d{8}", name):
            raise ValueError(f"{NEEDS} Received: {folder / name}")
    over.update(listing.passed_over)
    return listing.folders, listing.images


def _of_folders(images, part, wnids, over):
    """Returns `(path, wnid)` of each image of a part."""
    found = []
    for wnid in wnids:
        listing = list_folder(images / part / wnid)
        over.update(listing.passed_over)
        over.update(f"{name}/" for name in listing.folders)
        names = listing.images
        if not names:
            raise ValueError(
                f"{NEEDS} Received: {images / part / wnid} with no image"
            )
        found += [(f"{part}/{wnid}/{name}", wnid) for name in names]
    return found


def _annotated(names, annotations):
    """Returns `(path, wnid)` of each image in a val/ without folders."""
    if names:
        needed_folder(annotations, NEEDS)
    return [
        (f"val/{name}", _annotated_wnid(annotations, pathlib.Path(name).stem))
        for name in names
    ]


def _annotated_wnid(annotations, stem):
    file = needed_file(annotations / f"{stem}.xml", NEEDS)
    try:
        tree = ElementTree.parse(file)
    except ElementTree.ParseError as error:
        raise ValueError(
            f"{file}:{error.position[0]}: an annotation must be XML."
            f" Received: {error}"
        ) from error
    # One object for each box: all of them of the image's one class.
    names = sorted({name.text or "" for name in tree.iterfind("object/name")})
    if len(names) != 1:
        raise ValueError(
            f"{file}: the objects of an image must be of one class, their"
            f" <name>. Received: {names}"
        )
    return names[0].strip()


def _notes(classes, test, kept):
    notes = []
    if left_out := len(test) - len(kept):
        notes.append(
            f"{left_out:,} of {len(test):,} validation images are of classes"
            " without training images and left out"
        )
    if without := len(classes) - len({wnid for _, wnid in kept}):
        notes.append(
            f"{without:,} of {len(classes):,} classes have no validation images"
        )
    return tuple(notes)
