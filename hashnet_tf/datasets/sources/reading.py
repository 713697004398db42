"""The sources of images, by the word that names each."""

import dataclasses
import pathlib
import pkgutil
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from hashnet_tf.datasets.protocol import Protocol, protocols

# Without it the sources can be listed before TensorFlow is loaded.
if TYPE_CHECKING:
    from hashnet_tf.datasets.sources.pool import Pool

_HERE = "hashnet_tf.datasets.sources"


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
            "a folder a class, or train/ and test/ of these",
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
            "tfds",
            "NAME",
            "what TensorFlow Datasets has prepared",
            f"{_HERE}.tfds:read_tfds",
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
    'digits, folder:DIR, lists:DIR, npz:FILE, tfds:NAME'
    """
    return ", ".join(s.word for s in SOURCES.values() if s.is_word)


def read_pool(data: str) -> "Pool":
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


def _placed(protocol: Protocol, place: str) -> "Pool":
    if not place or not pathlib.Path(place).is_dir():
        raise ValueError(f"There is no folder {place!r}.")
    return SOURCES[protocol.origin.layout].read(place)


def _prepared(protocol: Protocol) -> "Pool":
    if protocol.origin.tfds is None:
        raise ValueError(
            f"It needs :DIR, for TensorFlow Datasets has no"
            f" {protocol.origin.title}."
        )
    return SOURCES["tfds"].read(protocol.origin.tfds)
