"""What a search found, and the order of the first of it."""

import collections.abc
import typing

import numpy as np
import numpy.typing as npt

from hashnet_tf.retrieval.asymmetric import asymmetric_search
from hashnet_tf.retrieval.codes import Codes
from hashnet_tf.retrieval.reranking import cosines

# Of those that are nearest by their codes, how many are ranked anew.
RERANKED = 300
# By what.
Ranking = typing.Literal["features", "z"]
RANKINGS: tuple[str, ...] = typing.get_args(Ranking)


class Hit(typing.NamedTuple):
    """What a search found.

    Attributes:
        name: Str, by which the item was added.
        distance: Int, the Hamming distance of its code from the query's.
        label: Str, what it was said to be, or None.
        similarity: Float in [-1, 1], the cosine of the features by which the
            item was ranked, or None if it was not ranked by it.
        asymmetric: Float >= 0, the asymmetric distance of its code from the
            query's z, or None if it was not ranked by it.
    """

    name: str
    distance: int
    label: str | None
    similarity: float | None = None
    asymmetric: float | None = None


def ranked_by_features(
    hits: collections.abc.Sequence[Hit],
    kept: collections.abc.Sequence[bytes | None],
    features: npt.NDArray[np.floating],
    mean: bytes,
) -> list[Hit]:
    """Ranks the first of some hits by the cosine of their features.

    The features are centred first, as those of a network behind a ReLU have
    one direction in common. An item without features stays behind all that
    have some.

    Args:
        hits: The nearest by their codes, in order.
        kept: Of the first of them the features, float16 `[d]` as bytes, or
            None.
        features: Real `[d]`, of the query.
        mean: float32 `[d]` as bytes, that of the features; none is 0.

    Returns:
        The hits in their order.

    Example:

    >>> import numpy as np
    >>> from hashnet_tf.index.ranking import Hit, ranked_by_features
    >>> hits = [Hit("a", 0, None), Hit("b", 1, None), Hit("c", 9, None)]
    >>> kept = [np.float16([1, 0]).tobytes(), np.float16([0, 1]).tobytes()]
    >>> query = np.float32([0, 1])
    >>> ranked = ranked_by_features(hits, kept, query, b"")
    >>> [hit.name for hit in ranked]
    ['b', 'a', 'c']
    """
    there = [place for place, values in enumerate(kept) if values is not None]
    if not there:
        return list(hits)
    centre = np.frombuffer(mean, np.float32) if mean else np.float32(0)
    rows = np.frombuffer(
        b"".join(values for values in kept if values is not None), np.float16
    )
    rows = rows.reshape(len(there), -1).astype(np.float32) - centre
    # As exact as those that are kept.
    query = features.astype(np.float16).astype(np.float32) - centre
    found = cosines(query, rows)
    first = [
        hits[there[place]]._replace(similarity=float(found[place]))
        for place in np.argsort(-found, kind="stable")
    ]
    chosen = set(there)
    return first + [h for p, h in enumerate(hits) if p not in chosen]


def ranked_by_z(
    hits: collections.abc.Sequence[Hit],
    codes: Codes,
    z: npt.NDArray[np.floating],
) -> list[Hit]:
    """Ranks the first of some hits by the asymmetric distance of their codes.

    That of `hashnet_tf.retrieval.asymmetric_search`: a bit that differs counts
    as much as the query's z is far from 0. It needs the codes alone.

    Args:
        hits: The nearest by their codes, in order.
        codes: uint8 `[m, ceil(K / 8)]`, of the first m >= 0 of them.
        z: Real `[K]`, of the query.

    Returns:
        The hits in their order, those at equal distance as they were.

    Example:

    >>> import numpy as np
    >>> from hashnet_tf.index.ranking import Hit, ranked_by_z
    >>> hits = [Hit("a", 1, None), Hit("b", 1, None), Hit("c", 2, None)]
    >>> codes = np.array([[0b01000000], [0b10000000]], "uint8")
    >>> z = np.array([3.0, 1.0] + [-2.0] * 6)
    >>> [hit.name for hit in ranked_by_z(hits, codes, z)]
    ['b', 'a', 'c']
    """
    if not len(codes):
        return list(hits)
    distances, places = asymmetric_search(z[None], codes, len(codes))
    first = [
        hits[place]._replace(asymmetric=distance)
        for place, distance in zip(
            places[0].tolist(), distances[0].tolist(), strict=True
        )
    ]
    return first + list(hits[len(codes) :])
