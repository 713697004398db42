"""MIRFLICKR-25000 as the LIACS Medialab at Leiden released it."""

import pathlib
import re

import numpy as np

from hashnet_tf.datasets.images.file_images import FileImages
from hashnet_tf.datasets.sources._paths import (
    first_with,
    needed_file,
    needed_folder,
    present,
)
from hashnet_tf.datasets.sources.pool import Pool
from hashnet_tf.datasets.sources.walking import Account, list_folder

NEEDS = (
    "The layout mirflickr needs im1.jpg, im2.jpg, ... in DIR, DIR/mirflickr or"
    " DIR/images, and animals.txt and the other 37 annotations in"
    " DIR/annotations, DIR/mirflickr25k_annotations_v080 or DIR."
)

# "_r1" is the stricter annotation of the same concept: not only visible, but
# relevant. Not every concept has one.
CONCEPTS = [
    "animals",
    "baby",
    "baby_r1",
    "bird",
    "bird_r1",
    "car",
    "car_r1",
    "clouds",
    "clouds_r1",
    "dog",
    "dog_r1",
    "female",
    "female_r1",
    "flower",
    "flower_r1",
    "food",
    "indoor",
    "lake",
    "male",
    "male_r1",
    "night",
    "night_r1",
    "people",
    "people_r1",
    "plant_life",
    "portrait",
    "portrait_r1",
    "river",
    "river_r1",
    "sea",
    "sea_r1",
    "sky",
    "structures",
    "sunset",
    "transport",
    "tree",
    "tree_r1",
    "water",
]
IMAGE = re.compile(r"im([1-9]\d*)\.jpg")


def read_mirflickr(place: str) -> Pool:
    """Reads MIRFLICKR-25000 with version 0.80 of its annotations.

        DIR/mirflickr/im1.jpg, ..., im25000.jpg     or DIR/ or DIR/images/
        DIR/mirflickr25k_annotations_v080/baby.txt      24 of these,
        DIR/mirflickr25k_annotations_v080/baby_r1.txt   14 of these,
                                                or DIR/annotations/ or DIR/

    A line of an annotation is the number of an image that shows the concept.
    Images are in the order of their numbers, columns in that of the alphabet,
    each "_r1" behind its concept. Annotated images that are missing are left
    out.

    Args:
        place: Str, DIR.

    Returns:
        `Pool` with a matrix of labels `[n, 38]` and no test part.

    Raises:
        ValueError: If an annotation or all images are missing, or a line is
            no number of an image.
    """
    root = pathlib.Path(needed_folder(place, NEEDS))
    images = first_with(
        [root / "mirflickr", root / "images", root],
        lambda folder: any(map(IMAGE.fullmatch, list_folder(folder).images)),
        NEEDS,
    )
    annotations = first_with(
        [root / "annotations", root / "mirflickr25k_annotations_v080", root],
        lambda folder: (folder / "animals.txt").is_file(),
        NEEDS,
    )
    listing = list_folder(images)
    matches = map(IMAGE.fullmatch, listing.images)
    numbers = sorted(int(match[1]) for match in matches if match)
    passed_over = listing.passed_over
    passed_over.update(f"{name}/" for name in listing.folders)
    if others := len(listing.images) - len(numbers):
        passed_over["images of other names"] = others
    shown = [
        _numbers(needed_file(annotations / f"{concept}.txt", NEEDS))
        for concept in CONCEPTS
    ]
    annotated = sorted(set().union(*shown))
    _, notes = present(images, [f"im{number}.jpg" for number in annotated])
    labels = np.stack([np.isin(numbers, of_concept) for of_concept in shown], 1)
    return Pool(
        images=FileImages(
            images, [f"im{number}.jpg" for number in numbers], labels
        ),
        class_names=list(CONCEPTS),
        notes=notes,
        account=Account(len(numbers), passed_over=dict(passed_over)),
    )


def _numbers(file):
    """Returns the numbers in an annotation, a list of int."""
    numbers = []
    with file.open("rb") as lines:
        for number, line in enumerate(lines, start=1):
            line = line.strip()
            if line and not line.isdigit():
                raise ValueError(
                    f"{file}:{number}: a line must be the number of an image."
                    f" Received: {line[:80]!r}"
                )
            numbers += [int(line)] if line else []
    return numbers
