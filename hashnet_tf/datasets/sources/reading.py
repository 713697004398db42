"""All images of any source, by the word that names it."""

import pathlib

from hashnet_tf.datasets.protocol import protocols
from hashnet_tf.datasets.sources.coco import read_coco
from hashnet_tf.datasets.sources.digits import read_digits
from hashnet_tf.datasets.sources.folder import read_folder
from hashnet_tf.datasets.sources.idx import read_idx
from hashnet_tf.datasets.sources.ilsvrc import read_ilsvrc
from hashnet_tf.datasets.sources.mirflickr import read_mirflickr
from hashnet_tf.datasets.sources.npz import read_npz
from hashnet_tf.datasets.sources.nus_wide import read_nus_wide


def _read_tfds(place):
    # Its import takes seconds, which only who asks for it should wait.
    from hashnet_tf.datasets.sources.tfds import read_tfds

    return read_tfds(place)


SOURCES = {
    "digits": read_digits,
    "folder": read_folder,
    "npz": read_npz,
    "tfds": _read_tfds,
}


LAYOUTS = {
    "coco": read_coco,
    "folder": read_folder,
    "idx": read_idx,
    "ilsvrc": read_ilsvrc,
    "mirflickr": read_mirflickr,
    "nus_wide": read_nus_wide,
}


def read_pool(data):
    """Reads all images of a source, before any part is drawn.

    Args:
        data: "digits", "folder:DIR", "npz:FILE", "tfds:NAME", or the name of
            a protocol that draws its parts, alone or with ":DIR".

    Returns:
        `Pool`.

    Raises:
        ValueError: If `data` names no such source, or it is not there or not
            as its reader needs it.

    Example:

    >>> from hashnet_tf.datasets.sources.reading import read_pool
    >>> len(read_pool("digits").images)
    1797
    """
    kind, colon, place = data.partition(":")
    if kind in SOURCES:
        return SOURCES[kind](place)
    protocol = protocols().get(kind)
    if protocol is None or protocol.drawing is None:
        raise ValueError(
            f"A source of images must be {', '.join(SOURCES)} or a protocol"
            f" that draws its parts. Received: data={data!r}"
        )
    try:
        if colon:
            return _placed(protocol, place)
        return _prepared(protocol)
    except ValueError as error:
        raise ValueError(
            f"{data} cannot be read: {error} {protocol.where()} Received:"
            f" {data}"
        ) from error


def _placed(protocol, place):
    if not place or not pathlib.Path(place).is_dir():
        raise ValueError(f"There is no folder {place!r}.")
    return LAYOUTS[protocol.origin.layout](place)


def _prepared(protocol):
    if protocol.origin.tfds is None:
        raise ValueError(
            f"It needs :DIR, for TensorFlow Datasets has no"
            f" {protocol.origin.title}."
        )
    return _read_tfds(protocol.origin.tfds)
