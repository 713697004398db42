"""Measures codes that are learned without labels, beside the floats.

  python benchmarks/without_labels.py

Of MIRFlickr and CIFAR-10, where the folder HASHNET_TF_DATA has them and the
weights of MobileNetV2, some pictures are drawn; of these a part asks and the
others are found. Random projections, the signs of the principal components and
ITQ are fitted to the features of the first 150, 1,000 and 10,000 of those to be
found. Told are the share of the floats' ten nearest among the first 10, 100 and
300 by code, which is recall at 10 by the codes alone and with 100 and 300
re-ranked by the floats, and the share of the first ten that are of the same
class, or share a label, likewise. Each number is the mean over the seeds, which
draw who asks.
"""

import argparse
import itertools
import os
import pathlib
import tarfile
import tempfile

import numpy as np

import hashnet_tf as hn
from hashnet_tf.datasets.sources.reading import read_pool
from hashnet_tf.methods import METHODS
from hashnet_tf.runs import frozen_features

WEIGHTS = "weights/mobilenet_v2_imagenet_no_top.weights.h5"
ARCHIVES = {
    "MIRFlickr": ("mirflickr25k_96px.tar.gz", "mirflickr25k"),
    "CIFAR-10": ("cifar10_jpeg.tar.gz", "cifar10"),
}
FITTED = ("lsh", "pca", "itq")
PICTURES = (150, 1_000, 10_000)
BITS = (64, 128, 256)
RANKS = (10, 100, 300)
FIRST = 10


def unpacked(archive, folder):
    """Returns the folder in an archive, or None where there is none."""
    data = pathlib.Path(os.environ.get("HASHNET_TF_DATA", "../shared/data"))
    if not (data / archive).is_file():
        return None
    place = pathlib.Path(tempfile.gettempdir(), "hashnet_tf_without_labels")
    if not (place / folder).is_dir():
        with tarfile.open(data / archive) as members:
            members.extractall(place, filter="data")
    return place / folder


def all_images(folder):
    """Returns the images of lists or of class folders, and their labels."""
    if not (folder / "query.txt").is_file():
        images = read_pool(f"folder:{folder}").images
        return images, np.eye(images.labels.max() + 1, dtype=bool)[
            images.labels
        ]
    lists = hn.datasets.load(f"lists:{folder}")
    parts = [lists.query, lists.train, lists.database]
    names = [name for part in parts for name in part.names]
    labels = np.concatenate([part.labels for part in parts])
    return hn.datasets.FileImages(folder, names, labels), labels == 1


def unit(features, mean):
    """Returns centred features of unit length."""
    centred = features - mean
    return centred / np.linalg.norm(centred, axis=1, keepdims=True)


def shares(cosines, alike, nearest):
    """Returns recall and P@10, with the first of each rank re-ranked.

    Items at one distance come as they were drawn.
    """
    exact = np.argsort(-cosines, axis=1)[:, :FIRST]
    recalls, precisions = [], []
    for rank in RANKS:
        some = nearest[:, :rank]
        among = (some[:, :, None] == exact[:, None]).any(axis=1)
        recalls.append(among.mean())
        order = np.argsort(-np.take_along_axis(cosines, some, axis=1), axis=1)
        first = np.take_along_axis(some, order[:, :FIRST], axis=1)
        precisions.append(np.take_along_axis(alike, first, axis=1).mean())
    return recalls, precisions


def measure(features, labels, asking, seeds):
    """Returns P@10 of the floats, and recalls and P@10 of each system."""
    systems, by_floats = {}, []
    for seed in range(seeds):
        order = np.random.default_rng(seed).permutation(len(features))
        asks, found = order[:asking], order[asking:]
        mean = features[found].mean(axis=0)
        cosines = unit(features[asks], mean) @ unit(features[found], mean).T
        counts = labels.astype(np.float32)
        alike = counts[asks] @ counts[found].T > 0
        _, precision = shares(cosines, alike, np.argsort(-cosines, axis=1))
        by_floats.append(precision[0])
        for bits, name, count in itertools.product(BITS, FITTED, PICTURES):
            if name != "lsh" and bits > count or count > len(found):
                continue
            system = METHODS[name].estimator(bits, seed)
            codes = system.fit(features[found[:count]]).encode(features)
            _, nearest = hn.retrieval.search(
                codes[asks], codes[found], RANKS[-1]
            )
            systems.setdefault((name, count, bits), []).append(
                shares(cosines, alike, nearest)
            )
    return by_floats, systems


def table(by_floats, systems):
    """Returns lines of Markdown."""

    def cell(name, count, bits, kind):
        rows = systems.get((name, count, bits))
        if rows is None:
            return "-"
        means = np.mean(rows, axis=0)[kind]
        return " / ".join(f"{mean:.3f}".lstrip("0") for mean in means)

    kinds = ("recall", "P@10")
    head = [f"{kind}, {bits} bits" for kind in kinds for bits in BITS]
    lines = [
        f"| fitted by | to | {' | '.join(head)} |",
        f"|{'---|' * (len(head) + 2)}",
    ]
    for name in FITTED:
        for count in PICTURES:
            cells = [
                cell(name, count, bits, kind)
                for kind in range(len(kinds))
                for bits in BITS
            ]
            title = METHODS[name].title
            lines.append(f"| {title} | {count:,} | {' | '.join(cells)} |")
    spread = max(np.std(rows, axis=0).max() for rows in systems.values())
    lines.append(
        f"P@10 of the floats {np.mean(by_floats):.3f}; the largest deviation of"
        f" a number over the seeds is {spread:.3f}"
    )
    return lines


def main():
    """Prints a table of each data set."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=13_000)
    parser.add_argument("--asking", type=int, default=1_000)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--features", help="folder that keeps the features")
    options = parser.parse_args()
    data = pathlib.Path(os.environ.get("HASHNET_TF_DATA", "../shared/data"))
    if not (data / WEIGHTS).is_file():
        print(f"HASHNET_TF_DATA has no {WEIGHTS}: nothing is measured")
        return
    network = hn.models.backbone("MobileNetV2", (96, 96, 3), data / WEIGHTS)
    for title, (archive, name) in ARCHIVES.items():
        folder = unpacked(archive, name)
        if folder is None:
            print(f"HASHNET_TF_DATA has no {archive}: it is left out")
            continue
        images, labels = all_images(folder)
        order = np.random.default_rng(0).permutation(len(images))
        drawn = np.sort(order[: options.images])
        kept = options.features or folder.parent / "features"
        features = frozen_features(network, images.subset(drawn), kept)[:, 0]
        measured = measure(
            np.array(features), labels[drawn], options.asking, options.seeds
        )
        print(f"\n{title}", *table(*measured), sep="\n")


if __name__ == "__main__":
    main()
