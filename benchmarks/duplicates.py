"""Measures which copies of photographs are found, and which pairs falsely.

  python benchmarks/duplicates.py

Of photographs of MIRFlickr, where the folder HASHNET_TF_DATA has them, all
pairs of different ones within the radius of `hn.index.duplicate_groups` are
counted, and of copies of some of them how many lie within it. Then the groups
of all, beside a bare pass over the distances of all pairs.
"""

import argparse
import io
import os
import pathlib
import tarfile
import time

import numpy as np
from PIL import Image, ImageEnhance

from hashnet_tf.index import duplicate_groups, perceptual_hash
from hashnet_tf.index.duplicates import RADIUS

ARCHIVE = "mirflickr25k_96px.tar.gz"


def photographs(count):
    """Returns images, none where there is no archive."""
    data = pathlib.Path(os.environ.get("HASHNET_TF_DATA", "../shared/data"))
    found = []
    if not (data / ARCHIVE).is_file():
        return found
    with tarfile.open(data / ARCHIVE, "r|gz") as members:
        for member in members:
            if member.name.endswith(".jpg") and len(found) < count:
                file = members.extractfile(member)
                assert file is not None
                content = file.read()
                found.append(Image.open(io.BytesIO(content)).convert("RGB"))
    return found


def encoded(image, format, **options):
    """Returns an image as a file of a format gives it."""
    file = io.BytesIO()
    image.save(file, format, **options)
    return Image.open(io.BytesIO(file.getvalue())).convert("RGB")


def resized(image, factor):
    """Returns an image of `factor` of the height and the width."""
    return image.resize([round(side * factor) for side in image.size])


def cut(image, share):
    """Returns the middle of an image, less a share of height and width."""
    wide, high = (round(side * share / 2) for side in image.size)
    return image.crop((wide, high, image.width - wide, image.height - high))


def lit(image, factor):
    """Returns an image that is lighter, or darker."""
    return ImageEnhance.Brightness(image).enhance(factor)


COPIES = {
    "resized to 50 %": lambda image: resized(image, 0.5),
    "resized to 150 %": lambda image: resized(image, 1.5),
    "JPEG of quality 30": lambda image: encoded(image, "JPEG", quality=30),
    "WebP of quality 60": lambda image: encoded(image, "WEBP", quality=60),
    "2 % cut": lambda image: cut(image, 0.02),
    "5 % cut": lambda image: cut(image, 0.05),
    "10 % cut": lambda image: cut(image, 0.1),
    "20 % lighter": lambda image: lit(image, 1.2),
    "20 % darker": lambda image: lit(image, 0.8),
    "mirrored": lambda image: image.transpose(Image.Transpose(0)),
}


def hashes_of(images):
    """Returns perceptual hashes, uint64 `[n, 2]`."""
    joined = b"".join(map(perceptual_hash, images))
    return np.frombuffer(joined, np.uint64).reshape(-1, 2)


def count_pairs(words):
    """Returns how many pairs lie within the radius, of all pairs."""
    return sum(
        int(np.sum(np.bitwise_count(word ^ words[i:]).sum(axis=1) <= RADIUS))
        for i, word in enumerate(words[:-1], start=1)
    )


def main():
    """Prints both tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--copies", type=int, default=300)
    options = parser.parse_args()
    images = photographs(options.count)
    if not images:
        print(f"HASHNET_TF_DATA has no {ARCHIVE}: nothing is measured")
        return
    words = hashes_of(images)
    for kind, copied in COPIES.items():
        copies = hashes_of(map(copied, images[: options.copies]))
        distances = np.bitwise_count(copies ^ words[: len(copies)]).sum(axis=1)
        print(f"{kind:20} {np.mean(distances <= RADIUS):6.1%}")
    begun = time.perf_counter()
    pairs = count_pairs(words)
    bare = time.perf_counter() - begun
    begun = time.perf_counter()
    duplicate_groups(words.view(np.uint8))
    seconds = time.perf_counter() - begun
    total = len(words) * (len(words) - 1) // 2
    print(f"{pairs} of {total:,} pairs of photographs lie within {RADIUS} bits")
    print(
        f"groups of {len(words):,}: {seconds:.1f} s, RATIO to a bare pass"
        f" {seconds / bare:.2f}"
    )


if __name__ == "__main__":
    main()
