"""What is wrong with a data set, and which files are no images."""

import numpy as np
import tensorflow as tf

from hashnet_tf.datasets.images.file_images import FileImages
from hashnet_tf.datasets.overlaps import OVERLAPS, shared_images
from hashnet_tf.datasets.pixels.decoding import decode_image
from hashnet_tf.datasets.retrieval_dataset import PARTS

SHOWN = 10


def find_undecodable(images):
    """Decodes every image once and returns which could not be.

    Args:
        images: `ImageSet`; pixels in memory are no files and are good.

    Returns:
        Sorted list of positions.

    Example:

    >>> import hashnet_tf as hn
    >>> hn.datasets.find_undecodable(hn.datasets.load("digits").query)
    []
    """
    stream = images.encoded()
    if stream.element_spec[1].dtype != tf.string:
        return []

    def decode(position, encoded):
        # The shape is asked for so that the decoding is not optimised away.
        return position, tf.shape(decode_image(encoded))

    stream = stream.map(decode, num_parallel_calls=tf.data.AUTOTUNE)
    good = np.zeros(len(images), dtype=bool)
    for position, _ in stream.ignore_errors().as_numpy_iterator():
        good[position] = True
    return np.flatnonzero(~good).tolist()


def decodable(images, skip=False):
    """Returns `images` less those that are no images.

    Args:
        images: `ImageSet`.
        skip: Whether to leave undecodable files out; otherwise one is an
            error.

    Returns:
        `(images, skipped)`: the set, and a list of str that name what was left
        out.

    Raises:
        ValueError: If a file is no image and `skip` is not set, or if none
            is one.

    Example:

    >>> import hashnet_tf as hn
    >>> queries = hn.datasets.load("digits").query
    >>> hn.datasets.decodable(queries)[1]
    []
    """
    bad = find_undecodable(images)
    if not bad:
        return images, []
    named = [images.where(position) for position in bad]
    if not skip or len(bad) == len(images):
        raise ValueError(
            f"{len(bad)} of {len(images)} images cannot be decoded (they can"
            f" be left out with skip_undecodable). Received: {named[0]}"
        )
    return images.subset(np.setdiff1d(np.arange(len(images)), bad)), named


def find_problems(dataset):
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


def _unreadable(images, of_part):
    missing = images.missing() if isinstance(images, FileImages) else []
    if missing:
        count, first = len(missing), _first(images, missing)
        yield f"{count} {of_part} are not there: {first}"
    there = np.setdiff1d(np.arange(len(images)), missing)
    bad = there[find_undecodable(images.subset(there))]
    if len(bad):
        yield f"{len(bad)} {of_part} cannot be decoded: {_first(images, bad)}"


def _overlap(dataset, one, other):
    images = getattr(dataset, one)
    if shared := shared_images(images, getattr(dataset, other)):
        yield (
            f"{len(shared)} of {len(images)} {one} images are {other} images"
            f" too, which {dataset.name} does not allow:"
            f" {_first(images, shared)}"
        )


def _contradictions(dataset):
    """Yields images that are listed twice, with labels that cannot both be."""
    known, found = {}, []
    for part in PARTS:
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


def _first(images, positions):
    names = [images.names[i] for i in positions[:SHOWN]]
    return ", ".join(names) + (", ..." if len(positions) > SHOWN else "")
