"""What an index is asked, in its thread, and what is answered."""

import collections.abc

import numpy as np
import numpy.typing as npt

from hashnet_tf.index import Entry, Hit, Index
from hashnet_tf.index.ranking import Ranking
from hashnet_tf.retrieval.codes import check_codes
from hashnet_tf.serving.answers import (
    Code,
    Found,
    Groups,
    Health,
    Hits,
    Label,
    Labels,
    Page,
)
from hashnet_tf.serving.refusal import Refusal

# Items of a group that are told; at a large radius one group has all.
TOLD = 200


def told(entry: Entry, distance: int | None = None) -> Found:
    """Returns an entry as it is answered."""
    return Found(
        id=entry.id,
        name=entry.name,
        label=entry.label,
        code=entry.code.hex(),
        distance=distance,
    )


def _told_hits(index: Index, hits: collections.abc.Iterable[Hit]) -> Hits:
    hits = list(hits)
    entries = index.entries_of(hit.name for hit in hits)
    # Another process may have taken one out since it was found.
    there = [hit for hit in hits if hit.name in entries]
    found = []
    for hit in there:
        answer = told(entries[hit.name], hit.distance)
        answer.similarity = hit.similarity
        answer.asymmetric = hit.asymmetric
        found.append(answer)
    return Hits(hits=found)


def picture_form(index: Index) -> tuple[tuple[int, int] | None, str]:
    """Returns the size, `(height, width)`, and the framing of its encoder.

    The size is None of one that takes vectors.
    """
    return index.encoder.image_size, index.encoder.framing


def search(
    index: Index, query: npt.NDArray, k: int, rerank: int, by: Ranking
) -> Hits:
    """Finds what is nearest to an image or a vector.

    Args:
        index: `Index`.
        query: uint8 `[height, width, 3]`, or float32 `[d]`.
        k: As in `Index.search`.
        rerank: As there.
        by: As there.
    """
    return _told_hits(index, index.search(query, k, rerank, by))


def like(index: Index, number: int, k: int, rerank: int) -> Hits:
    """Finds what is nearest to an item.

    Raises:
        Refusal: If there is none of this number.
    """
    hits = index.like(entry_of(index, number).name, k, rerank)
    return _told_hits(index, hits)


def entry_of(index: Index, number: int) -> Entry:
    """Returns the item of a number.

    Raises:
        Refusal: If there is none.
    """
    for entry in index.entries([number]):
        return entry
    raise Refusal(404, f"An item must be in the index. Received: {number}")


def page(index: Index, offset: int, limit: int, label: str | None) -> Page:
    """Returns some of the items, of all or of a label."""
    total, entries = index.page(offset, limit, label)
    return Page(total=total, items=[told(entry) for entry in entries])


def page_of_code(
    index: Index, code: str, radius: int, offset: int, limit: int
) -> Page:
    """Returns some of the items within a radius of a code.

    Raises:
        Refusal: If the code is no hexadecimal number of the index' bits.
    """
    try:
        packed = np.frombuffer(bytes.fromhex(code), np.uint8)
        (asked,) = check_codes(packed[None], index.bits, "code")
    except ValueError as error:
        raise Refusal(
            422,
            f"`code` must be {2 * -(-index.bits // 8)} hexadecimal digits, a"
            f" code of {index.bits} bits. Received: code={code[:100]!r}",
        ) from error
    # What it raises is of the index, such as one that is damaged.
    total, near = index.page_of_code(asked, radius, offset, limit)
    return Page(total=total, items=[told(e, distance) for distance, e in near])


def labels(index: Index) -> Labels:
    """Returns all labels and how many items each has."""
    counts = index.labels()
    return Labels(labels=[Label(label=x, items=n) for x, n in counts.items()])


def code_of(index: Index, query: npt.NDArray) -> Code:
    """Encodes an image or a vector, as `search` takes them."""
    encoder = index.encoder
    (code,) = encoder.encode(query[None])
    return Code(
        code=code.tobytes().hex(),
        bits=encoder.bits,
        encoder=encoder.model_digest,
    )


def health(index: Index) -> Health:
    """Tells what is served."""
    try:
        encoder = index.encoder
        digest = encoder.model_digest
        images = encoder.image_size is not None
        vectors = not images
    except ValueError:
        digest, images, vectors = index.stat()["encoder"], False, False
    return Health(
        items=len(index),
        bits=index.bits,
        encoder=digest,
        images=images,
        vectors=vectors,
    )


class Duplicates:
    """Groups of near duplicates, kept until the index changes.

    To find them takes seconds where a search takes milliseconds.
    """

    def __init__(self) -> None:
        self._known: tuple[object, list[list[str]]] | None = None

    def groups(
        self, index: Index, radius: int, offset: int, limit: int
    ) -> Groups:
        """Returns some of the groups, the largest first, `TOLD` items of each.

        Args:
            index: `Index`, the same each time.
            radius: As in `Index.duplicates`.
            offset: How many groups come before them.
            limit: How many they are at most.
        """
        key = (index.version(), radius)
        if self._known is None or self._known[0] != key:
            self._known = key, index.duplicates(radius)
        all_groups = self._known[1]
        some = all_groups[offset : offset + limit]
        told_of = [group[:TOLD] for group in some]
        entries = index.entries_of(name for group in told_of for name in group)
        return Groups(
            total=len(all_groups),
            groups=[
                [told(entries[name]) for name in group if name in entries]
                for group in told_of
            ],
            sizes=[len(group) for group in some],
        )
