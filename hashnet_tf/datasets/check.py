"""What is wrong with a data set: every image read, all parts compared."""

import collections.abc

import numpy as np

from hashnet_tf._files import file_digest
from hashnet_tf.datasets.images.array_images import ArrayImages
from hashnet_tf.datasets.images.file_images import FileImages
from hashnet_tf.datasets.images.image_set import ImageSet
from hashnet_tf.datasets.pixels.orientation import UPRIGHT, exif_orientation
from hashnet_tf.datasets.pixels.undecodable import answers, refusals
from hashnet_tf.datasets.protocol import OVERLAPS
from hashnet_tf.datasets.retrieval_dataset import PARTS, RetrievalDataset

SHOWN = 10


def find_problems(dataset: RetrievalDataset) -> list[str]:
    """Reads and decodes every image once and compares the parts.

    That labels are well-formed was looked at while the data set was loaded.

    Args:
        dataset: `RetrievalDataset`.

    Returns:
        List of str, empty for a good data set: files that are not there,
        files that are no images, images listed again with other labels, and
        parts that share images though the protocol does not allow it; each
        with the count and the first ten.

    Example:

    >>> import hashnet_tf as hn
    >>> from hashnet_tf.datasets.check import find_problems
    >>> find_problems(hn.datasets.load("digits"))
    []
    """
    problems, seen = [], set()
    for part in PARTS:
        images = getattr(dataset, part)
        new = []
        for i, name in enumerate(images.identities()):
            if name not in seen:
                seen.add(name)
                new.append(i)
        problems += _unreadable(
            images.subset(np.array(new, np.int64)),
            f"of {len(images)} {part} images",
        )
    problems += _contradictions(dataset)
    for pair in OVERLAPS:
        if pair not in dataset.overlaps:
            problems += _overlap(dataset, *pair.split("-"))
    return problems


def count_turned(dataset: RetrievalDataset) -> int:
    """Counts the photographs that their cameras stored lying or mirrored.

    They are turned upright where they are decoded.

    Args:
        dataset: `RetrievalDataset`, of which every image is read once.

    Returns:
        Int, how many files have an EXIF orientation from 2 to 8.

    Example:

    >>> import hashnet_tf as hn
    >>> from hashnet_tf.datasets.check import count_turned
    >>> count_turned(hn.datasets.load("digits"))
    0
    """
    turned = set()
    for part in PARTS:
        images = getattr(dataset, part)
        names = images.identities()
        first = {name: i for i, name in enumerate(names) if name not in turned}
        places = np.array(sorted(first.values()), np.int64)
        # What cannot be read is told where it is decoded.
        found = answers(images.subset(places), exif_orientation) or ()
        turned.update(names[places[i]] for i, tag in found if tag != UPRIGHT)
    return len(turned)


def shared_counts(dataset: RetrievalDataset) -> dict[str, int]:
    """Counts the images that parts share.

    Args:
        dataset: `RetrievalDataset`.

    Returns:
        Dict from "train-query", "train-database" or "query-database" to how
        many images of the first part are in the second, where there are some.

    Example:

    >>> import hashnet_tf as hn
    >>> from hashnet_tf.datasets.check import shared_counts
    >>> shared_counts(hn.datasets.load("digits"))
    {'train-database': 1000}
    """
    counts = {}
    for pair in OVERLAPS:
        one, other = (getattr(dataset, part) for part in pair.split("-"))
        if count := len(shared_images(one, other)):
            counts[pair] = count
    return counts


def shared_images(one: ImageSet, other: ImageSet) -> list[int]:
    """Returns which images of one part are in another too.

    Args:
        one: `ImageSet`.
        other: `ImageSet`.

    Returns:
        Rising list of positions in `one`.

    Example:

    >>> import hashnet_tf as hn
    >>> from hashnet_tf.datasets.check import shared_images
    >>> digits = hn.datasets.load("digits")
    >>> len(shared_images(digits.train, digits.database))
    1000
    >>> shared_images(digits.query, digits.database)
    []
    """
    there = set(other.identities())
    return [i for i, name in enumerate(one.identities()) if name in there]


def find_copies(dataset: RetrievalDataset) -> list[str] | None:
    """Compares the contents of the queries with those of the other parts.

    A copy under another name is another image to `find_problems`, and is found
    again as if it were one. Only a copy of the very bytes, or pixels, counts.

    Args:
        dataset: `RetrievalDataset`.

    Returns:
        List of str, a sentence for each part that holds copies of queries, with
        their number and the first ten; None for a stream, whose contents are
        not looked at.

    Example:

    >>> import numpy as np, hashnet_tf as hn
    >>> from hashnet_tf.datasets.check import find_copies
    >>> pixels = np.zeros((4, 2, 2), np.uint8)
    >>> images = hn.datasets.ArrayImages(pixels, [0, 1] * 2)
    >>> parts = [images.subset(i) for i in ([0, 1], [2], [0, 1, 3])]
    >>> find_copies(hn.datasets.RetrievalDataset("mine", "", *parts))[0]
    '1 of 1 query images have a byte-identical copy in train: 2 (0)'
    """
    digests = {}
    for part in PARTS:
        of_part = _contents(getattr(dataset, part))
        if of_part is None:
            return None
        digests[part] = of_part
    told = []
    query = dataset.query
    for part in ("train", "database"):
        other = getattr(dataset, part)
        own = set(other.identities())
        names: dict[str, str] = {}
        for name, digest in zip(other.names, digests[part], strict=True):
            names.setdefault(digest, name)
        copies = [
            f"{query.names[i]} ({names[digest]})"
            for i, (identity, digest) in enumerate(
                zip(query.identities(), digests["query"], strict=True)
            )
            # The image itself, of which `find_problems` tells, is no copy.
            if digest in names and identity not in own
        ]
        if copies:
            more = ", ..." if len(copies) > SHOWN else ""
            told.append(
                f"{len(copies)} of {len(query)} query images have a"
                f" byte-identical copy in {part}: {', '.join(copies[:SHOWN])}"
                f"{more}"
            )
    return told


def _contents(images: ImageSet) -> list[str] | None:
    """Returns a digest of each image's content, or None if not known."""
    if isinstance(images, ArrayImages):
        return images.fingerprints()
    if not isinstance(images, FileImages):
        return None
    paths = images.identities()
    digests = {path: file_digest(path) for path in set(paths)}
    return [digests[path] for path in paths]


def _unreadable(
    images: ImageSet, of_part: str
) -> collections.abc.Iterator[str]:
    missing = images.missing() if isinstance(images, FileImages) else []
    if missing:
        count, first = len(missing), _first(images, missing)
        yield f"{count} {of_part} are not there: {first}"
    there = np.setdiff1d(np.arange(len(images)), missing)
    readable = images.subset(there)
    try:
        refused = refusals(readable)
    except OSError as error:
        yield str(error)
        return
    if refused:
        named = [f"{readable.names[i]} ({why})" for i, why in refused.items()]
        more = ", ..." if len(named) > SHOWN else ""
        yield (
            f"{len(refused)} {of_part} cannot be decoded:"
            f" {', '.join(named[:SHOWN])}{more}"
        )


def _overlap(
    dataset: RetrievalDataset, one: str, other: str
) -> collections.abc.Iterator[str]:
    images = getattr(dataset, one)
    if shared := shared_images(images, getattr(dataset, other)):
        yield (
            f"{len(shared)} of {len(images)} {one} images are {other} images"
            f" too, which {dataset.name} does not allow:"
            f" {_first(images, shared)}"
        )


def _contradictions(
    dataset: RetrievalDataset,
) -> collections.abc.Iterator[str]:
    """Yields images that are listed twice, with labels that cannot both be."""
    known, found = {}, []
    for part in PARTS if dataset.is_labelled else ():
        images = getattr(dataset, part)
        for name, identity, labels in zip(
            images.names, images.identities(), images.labels, strict=True
        ):
            earlier = known.setdefault(identity, labels)
            # An unknown label contradicts none.
            sure = (np.asarray(earlier) >= 0) & (np.asarray(labels) >= 0)
            if np.shape(earlier) == np.shape(labels) and np.any(
                (earlier != labels) & sure
            ):
                found.append(name)
    if found:
        more = ", ..." if len(found) > SHOWN else ""
        yield (
            f"{len(found)} images are listed again with other labels:"
            f" {', '.join(found[:SHOWN])}{more}"
        )


def _first(
    images: ImageSet, positions: collections.abc.Sequence[int] | np.ndarray
) -> str:
    names = [images.names[i] for i in positions[:SHOWN]]
    return ", ".join(names) + (", ..." if len(positions) > SHOWN else "")
