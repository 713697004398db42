"""A protocol: how a data set is split and measured, as data."""

import dataclasses
import functools
import importlib.resources
import tomllib
from typing import Any

from hashnet_tf._toml import check_table, from_table
from hashnet_tf.datasets.splits import Draw, Drawing

# Pairs of parts, some of which may share images.
OVERLAPS = ("train-query", "train-database", "query-database")


@dataclasses.dataclass(frozen=True)
class Origin:
    """Where the images of a data set come from, and how they get here.

    Attributes:
        title: Str, its name.
        about: Str, what it holds and who made it.
        url: Str, its home.
        size: Str, how large the download is.
        licence: Str, under which terms.
        by_hand: Str, which files to place where.
        layout: Str, a name of `hashnet_tf.datasets.sources.SOURCES`, which
            reads these files.
        tfds: Str, its name in TensorFlow Datasets, or None where it has none.
    """

    title: str
    about: str
    url: str
    size: str
    licence: str
    by_hand: str
    layout: str
    tfds: str | None = None


@dataclasses.dataclass(frozen=True)
class Expected:
    """What a full copy of a data set should measure, as published.

    Attributes:
        train: Int, number of training images.
        query: Int, number of queries.
        database: Int, number of images in the database.
        labels: Int, number of classes or labels.
        unlabelled_train: Int, training images without a label.
        unlabelled_query: Int, queries without a label.
        labels_per_image: Float, mean over the training images.
        similar_weight: Float, |S| / |S1| of the training images, an image
            paired with itself too.
        dissimilar_weight: Float, |S| / |S0| of these.
    """

    train: int | None = None
    query: int | None = None
    database: int | None = None
    labels: int | None = None
    unlabelled_train: int | None = None
    unlabelled_query: int | None = None
    labels_per_image: float | None = None
    similar_weight: float | None = None
    dissimilar_weight: float | None = None


@dataclasses.dataclass(frozen=True)
class Protocol:
    """How one data set is split, what is relevant and what is measured.

    Each stands in a TOML file of `hashnet_tf/datasets/protocols/`, one file a
    data set.

    Attributes:
        name: Str, the word that loads it.
        summary: Str, one sentence.
        origin: `Origin`.
        drawing: `Drawing`, or None where released lists are the split.
        relevant: Str, which images are relevant to a query.
        at: Int R of MAP@R, or None for the whole database.
        expected: `Expected`.
        lists: Str, where the released lists are from and under which licence,
            or None for a protocol that draws.
        differences: Tuple of str, what is known to differ from the paper or
            between sources.
        overlaps: Tuple of str, of "train-query", "train-database" and
            "query-database": which parts may share images.

    Example:

    >>> from hashnet_tf.datasets.protocol import protocols
    >>> protocols()["cifar10-59k"].expected.database
    59000
    """

    name: str
    summary: str
    origin: Origin
    drawing: Drawing | None
    relevant: str
    at: int | None
    expected: Expected
    lists: str | None
    differences: tuple[str, ...]
    overlaps: tuple[str, ...]

    def __post_init__(self) -> None:
        if (self.drawing is None) != (self.lists is not None):
            raise ValueError(
                "A protocol has either `drawing` or `lists`. Received:"
                f" drawing={self.drawing}, lists={self.lists!r}"
            )
        if self.at is not None and self.at < 1:
            raise ValueError(f"`at` must be positive. Received: at={self.at}")
        if unknown := set(self.overlaps) - set(OVERLAPS):
            raise ValueError(
                f"`overlaps` must be of {', '.join(OVERLAPS)}."
                f" Received: {', '.join(sorted(unknown))}"
            )

    def text(self, seed: int) -> str:
        """Returns the protocol in words, as it stands beside every figure."""
        if self.drawing is None:
            drawn = "Parts as listed in the released lists."
        else:
            drawn = self.drawing.text(seed)
        return f"{self.name}: {drawn}"

    def where(self) -> str:
        """Returns what the data are, from where, and how they get here."""
        origin, by_hand = self.origin, self.origin.by_hand
        lists = ""
        if self.lists is not None:
            lists = f" Lists: {self.lists}."
            by_hand = "the lists in DIR and the images that they name below it"
        return (
            f"{origin.title}: {origin.about}. From {origin.url}; to download:"
            f" {origin.size}. Licence: {origin.licence}.{lists} By hand:"
            f" {by_hand}; then take {self.name}:DIR."
        )

    def about(self) -> str:
        """Returns what there is to know before the data are here, as lines."""
        rank = "the whole database" if self.at is None else self.at
        return "\n".join(
            [
                f"{self.name}: {self.summary}.",
                self.where(),
                f"Relevant: {self.relevant}. R of MAP@R: {rank}.",
                *(f"Known: {known}." for known in self.differences),
            ]
        )


@functools.cache
def protocols() -> dict[str, Protocol]:
    """Returns all protocols, a dict from name to `Protocol`.

    Raises:
        ValueError: If a file is not as it must be, or two protocols have one
            name.
    """
    found = {}
    folder = importlib.resources.files("hashnet_tf.datasets") / "protocols"
    for file in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if not file.name.endswith(".toml"):
            continue
        for protocol in read_protocols(file.read_text("utf-8"), file.name):
            if protocol.name in found:
                raise ValueError(
                    "Each protocol needs a name of its own."
                    f" Received: {file.name} with {protocol.name} again"
                )
            found[protocol.name] = protocol
    return found


def read_protocols(text: str, file: str) -> list[Protocol]:
    """Reads the protocols of one data set.

    Args:
        text: Str, TOML: a table `origin` and for each protocol a table
            `protocol.NAME`.
        file: Str, the file's name, for messages.

    Returns:
        List of `Protocol`.

    Raises:
        ValueError: If a key is missing or unknown, or a value is not as it
            must be.

    Example:

    >>> from hashnet_tf.datasets.protocol import read_protocols
    >>> read_protocols("[splits]", "mine.toml")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    ValueError: mine.toml: Origin needs title, ... Received: nothing
    """
    try:
        tables = tomllib.loads(text)
        origin = from_table(Origin, tables.pop("origin", {}))
        named = check_table("protocol", tables.pop("protocol", {}))
        if tables:
            raise ValueError(
                "The tables must be origin and protocol.NAME."
                f" Received: {', '.join(tables)}"
            )
        return [_protocol(name, origin, named[name]) for name in named]
    except ValueError as error:
        raise ValueError(f"{file}: {error}") from error


def _protocol(name: str, origin: Origin, table: dict[str, Any]) -> Protocol:
    table = dict(check_table(name, table))
    drawing = table.pop("drawing", None)
    if drawing is not None:
        drawing = dict(check_table("drawing", drawing))
        for part in ("query", "train"):
            if part in drawing:
                drawing[part] = from_table(Draw, drawing[part])
        drawing = from_table(Drawing, drawing)
    expected = from_table(Expected, table.pop("expected", {}))
    given = {
        "name": name,
        "origin": origin,
        "drawing": drawing,
        "expected": expected,
    }
    if twice := set(given) & set(table):
        raise ValueError(
            "A protocol has its name from its table and its origin from its"
            f" file. Received: {', '.join(sorted(twice))} in {name}"
        )
    rest = {"at": None, "lists": None, "differences": [], "overlaps": []}
    return from_table(Protocol, {**rest, **table, **given})
