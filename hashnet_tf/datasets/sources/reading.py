"""The sources of images, by the word that names each."""

import dataclasses
import difflib
import os
import pathlib
import pkgutil
from collections.abc import Callable
from typing import Any

from hashnet_tf.datasets.protocol import Protocol, protocols
from hashnet_tf.datasets.sources._paths import reason_of
from hashnet_tf.datasets.sources.pool import Pool

_HERE = "hashnet_tf.datasets.sources"
# What stands behind the colon, and what it must be on disk.
_ON_DISK = {"DIR": ("folder", os.path.isdir), "FILE": ("file", os.path.isfile)}


@dataclasses.dataclass(frozen=True)
class Source:
    """A kind of place that holds images.

    Attributes:
        name: Str, by which it is chosen.
        place: Str, what stands behind the colon of `--data`: "DIR", "FILE",
            "NAME", or "" for nothing.
        about: Str, what is read there.
        reader: Str, "module:function": from a place (str) to a `Pool`, or,
            with `has_parts`, to a `RetrievalDataset`. It is imported when it
            is called.
        is_word: Bool, whether `--data` takes it; the others are read only
            for a protocol that names them.
        has_parts: Bool, whether the place says which images train, ask and
            are found.

    Example:

    >>> from hashnet_tf.datasets.sources import SOURCES
    >>> SOURCES["folder"].word
    'folder:DIR'
    """

    name: str
    place: str
    about: str
    reader: str
    is_word: bool = True
    has_parts: bool = False

    @property
    def word(self) -> str:
        """Str, as it is written behind `--data=`."""
        return f"{self.name}:{self.place}" if self.place else self.name

    def read(self, place: str) -> Any:
        """Returns what `reader` gives for a place.

        Raises:
            ValueError: If the place is not there or not as it must be.
        """
        reader: Callable[[str], Any] = pkgutil.resolve_name(self.reader)
        return reader(place)


SOURCES: dict[str, Source] = {
    source.name: source
    for source in [
        Source(
            "digits",
            "",
            "1,797 scanned digits that scikit-learn ships",
            f"{_HERE}.digits:read_digits",
        ),
        Source(
            "folder",
            "DIR",
            "a folder a class, or train/ and test/ of these; any other tree is"
            " without labels",
            f"{_HERE}.folder:read_folder",
        ),
        Source(
            "lists",
            "DIR",
            "train.txt, query.txt and database.txt: paths and labels",
            f"{_HERE}.lists:load_lists",
            has_parts=True,
        ),
        Source(
            "npz",
            "FILE",
            "a NumPy archive of images and class ids",
            f"{_HERE}.npz:read_npz",
        ),
        Source(
            "pairs",
            "FILE",
            "paths of images, two a row, that belong together (.csv, .tsv,"
            " Parquet)",
            f"{_HERE}.pairs:read_paired_images",
        ),
        Source(
            "tfds",
            "NAME",
            "what TensorFlow Datasets has prepared",
            f"{_HERE}.tfds:read_tfds",
        ),
        Source(
            "vectors",
            "FILE",
            "vectors of .npy, .npz or Parquet, and labels and ids where known",
            f"{_HERE}.vectors:read_vectors",
        ),
        Source(
            "coco",
            "DIR",
            "the JSON files and photographs of COCO",
            f"{_HERE}.coco:read_coco",
            is_word=False,
        ),
        Source(
            "idx",
            "DIR",
            "the IDX files of MNIST and its kin",
            f"{_HERE}.idx:read_idx",
            is_word=False,
        ),
        Source(
            "ilsvrc",
            "DIR",
            "the tree of ILSVRC (ImageNet)",
            f"{_HERE}.ilsvrc:read_ilsvrc",
            is_word=False,
        ),
        Source(
            "mirflickr",
            "DIR",
            "the photographs and annotations of MIRFLICKR",
            f"{_HERE}.mirflickr:read_mirflickr",
            is_word=False,
        ),
        Source(
            "nus_wide",
            "DIR",
            "the concept files and photographs of NUS-WIDE",
            f"{_HERE}.nus_wide:read_nus_wide",
            is_word=False,
        ),
    ]
}


def source_words() -> str:
    """Returns what `--data` takes beside protocols, as text.

    Example:

    >>> from hashnet_tf.datasets.sources import source_words
    >>> source_words()
    'digits, folder:DIR, lists:DIR, npz:FILE, pairs:FILE, tfds:NAME, \
vectors:FILE'
    """
    return ", ".join(s.word for s in SOURCES.values() if s.is_word)


def unknown_word(data: str) -> str:
    """Returns the sentence that refuses a word that names no data set.

    Args:
        data: Str, which may be the beginning of names of protocols, or nearly
            one.

    Example:

    >>> from hashnet_tf.datasets.sources.reading import unknown_word
    >>> unknown_word("cifar10")[-64:]
    "cifar10-50k, cifar10-54k, cifar10-59k). Received: data='cifar10'"
    """
    kind = data.partition(":")[0].lower()
    words = [s.name for s in SOURCES.values() if s.is_word]
    names = sorted([*protocols(), *words])
    near = [name for name in names if kind and name.startswith(kind)]
    near = near or difflib.get_close_matches(kind, names)
    meant = f"; near to it: {', '.join(near)}" if near else ""
    return (
        f"`data` must be {source_words()} or a protocol, alone or with :DIR"
        f" (hashnet datasets list{meant}). Received: data={data!r}"
    )


def read_pool(data: str) -> Pool:
    """Reads all images of a source, before any part is drawn.

    Args:
        data: A word of `SOURCES` that does not say itself what the parts are,
            such as "digits" or "folder:DIR"; or the name of a protocol that
            draws its parts, alone or with ":DIR".

    Returns:
        `Pool`.

    Raises:
        ValueError: If `data` names no such source, or it is not there or not
            as its reader needs it.

    Example:

    >>> from hashnet_tf.datasets.sources import read_pool
    >>> len(read_pool("digits").images)
    1797
    """
    kind, colon, place = data.partition(":")
    pools = [s for s in SOURCES.values() if s.is_word and not s.has_parts]
    for source in pools:
        if source.name == kind:
            return source.read(place)
    protocol = protocols().get(kind)
    if protocol is None or protocol.drawing is None:
        raise ValueError(
            "A source of images must be"
            f" {', '.join(source.name for source in pools)} or a protocol"
            f" that draws its parts. Received: data={data!r}"
        )
    try:
        return _placed(protocol, place) if colon else _prepared(protocol)
    except ValueError as error:
        raise ValueError(
            f"{data} cannot be read: {error} {protocol.where()} Received:"
            f" {data}"
        ) from error


def _placed(protocol: Protocol, place: str) -> Pool:
    if not place or not pathlib.Path(place).is_dir():
        raise ValueError(f"There is no folder {place!r}.")
    return SOURCES[protocol.origin.layout].read(place)


def _prepared(protocol: Protocol) -> Pool:
    if protocol.origin.tfds is None:
        raise ValueError(
            f"It needs :DIR, for TensorFlow Datasets has no"
            f" {protocol.origin.title}."
        )
    return SOURCES["tfds"].read(protocol.origin.tfds)


def placed(data: str, place: str | None = None) -> str:
    """Returns the word of a data set with its place written in full.

    Args:
        data: As in `hashnet_tf.datasets.load`.
        place: Str, another folder or file to read, or None for its own, which
            is relative to the current folder.

    Returns:
        Str; `data` itself if it names no folder or file.

    Raises:
        ValueError: If `place` is given and `data` names no folder or file.

    Example:

    >>> from hashnet_tf.datasets.sources.reading import placed
    >>> placed("digits"), placed("folder:cats", "/data/cats")
    ('digits', 'folder:/data/cats')
    """
    kind, colon, own = data.partition(":")
    source = SOURCES.get(kind)
    if source is not None and source.is_word:
        on_disk = source.place in _ON_DISK
    else:
        on_disk = bool(colon) and kind in protocols()
    if not on_disk and place is not None:
        raise ValueError(
            "Only data in a folder or file of one's own can be read elsewhere."
            f" Received: data={data!r}, {place!r} in place of it"
        )
    place = own if place is None else place
    if not on_disk or not place:
        return data
    return f"{kind}:{os.path.abspath(place)}"


def looked_for(kind: str, place: str) -> str:
    """Returns a word as a message names it, whose place is not there."""
    told = f"{kind}:{place}{reason_of(place)}"
    if not place or os.path.isabs(place):
        return told
    return f"{told}, looked for at {os.path.abspath(place)}"


def check_place(data: str) -> None:
    """Checks the word of a data set, and the folder or file that it names.

    `hashnet_tf.datasets.load` checks the same and more, but needs TensorFlow,
    for which an error in a flag should not wait.

    Args:
        data: As in `hashnet_tf.datasets.load`.

    Raises:
        ValueError: If the word is unknown, or the place is not there.

    Example:

    >>> from hashnet_tf.datasets.sources.reading import check_place
    >>> check_place("digits")
    >>> check_place("folder:/missing")
    Traceback (most recent call last):
        ...
    ValueError: "folder:DIR" needs an existing folder. Received: folder:/missing
    """
    kind, colon, place = data.partition(":")
    source = SOURCES.get(kind)
    if source is not None and source.is_word:
        what, is_there = _ON_DISK.get(source.place, ("", bool))
        if what and not is_there(place):
            raise ValueError(
                f'"{source.word}" needs an existing {what}.'
                f" Received: {looked_for(kind, place)}"
            )
        return
    protocol = protocols().get(kind)
    if protocol is None:
        raise ValueError(unknown_word(data))
    if protocol.drawing is not None and colon and not os.path.isdir(place):
        raise ValueError(
            f"{data} cannot be read: There is no folder {place!r}."
            f" {protocol.where()} Received: {data}"
        )
