"""Retrieval metrics: one number, or one curve, from codes and labels.

Each function makes one pass over the codes. Where several metrics are wanted,
`evaluate` reports all of them after a single pass, and the methods of
`Histograms` give them for each query.
"""

import numpy as np
import numpy.typing as npt

from hashnet_tf.retrieval._file_order import file_order_sums
from hashnet_tf.retrieval._grades import Labels
from hashnet_tf.retrieval.codes import Codes, check_count
from hashnet_tf.retrieval.hamming import check_pair
from hashnet_tf.retrieval.histogram import TIES, Histograms, histograms
from hashnet_tf.retrieval.neighbors import check_radius

# The abscissas of Figures 2(b) to 4(b) of HashNet (ICCV 2017).
RECALLS = (0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)


def mean_average_precision(
    query_codes: Codes,
    database_codes: Codes,
    query_labels: Labels,
    database_labels: npt.ArrayLike | None,
    top_k: int | None = None,
    ties: str = "expected",
    bits: int | None = None,
    threads: int | None = None,
) -> float:
    """Computes mean average precision, MAP@R with R = `top_k`.

    AP@R of a query is 1 / min(R, relevant items in the database) times the
    sum over ranks p <= R of rel(p) * precision(p). The mean is over all
    queries; one without a relevant item scores 0. Others divide by another
    number or leave queries out: `evaluate(...).presets` has MAP by their rules.

    Args:
        query_codes: uint8 `[q, ceil(bits / 8)]`.
        database_codes: uint8 `[n, ceil(bits / 8)]`.
        query_labels: Class ids `[q]`, a zero-or-one matrix `[q, L]` or a
            function, as `evaluate` takes them.
        database_labels: Class ids `[n]`, matrix `[n, L]`, or None with a
            function.
        top_k: Int R >= 1, or None for the whole database, which is also what
            a larger R means.
        ties: How items at equal distance are ordered: "expected" is the mean
            over all their orders, "best" has the relevant ones first, "worst"
            last, "file_order" keeps the order of the database.
        bits: Int, the length K of the codes, or None for 8 a byte.
        threads: Positive int, or None for the processor's cores.

    Returns:
        Float in [0, 1].

    Raises:
        ValueError: If queries or database are empty, if codes or labels are
            malformed or do not go together, or if `top_k` or `ties` is none
            of these.

    Example:

    >>> import numpy as np
    >>> import hashnet_tf as hn
    >>> codes = hn.retrieval.pack(np.array([[1, 1], [1, -1], [-1, 1]]))
    >>> data = codes[:1], codes[1:], [7], [0, 7]
    >>> hn.retrieval.mean_average_precision(*data)
    0.75
    >>> hn.retrieval.mean_average_precision(*data, ties="file_order")
    0.5
    """
    orders = (*TIES, "file_order")
    if ties not in orders:
        raise ValueError(
            f"`ties` must be one of {orders}. Received: ties={ties!r}"
        )
    if top_k is not None:
        check_count(top_k, "top_k")
    data = query_codes, database_codes, query_labels, database_labels
    found = _count(*data, bits, threads)
    if ties != "file_order":
        return float(found.average_precision(top_k, ties).mean())
    wanted = found.relevant.sum(axis=1)
    if top_k is not None:
        wanted = np.minimum(wanted, top_k)
    sums, _ = file_order_sums(*data, top_k, threads)
    return float((sums / np.maximum(wanted, 1)).mean())


def precision_at_k(
    query_codes: Codes,
    database_codes: Codes,
    query_labels: Labels,
    database_labels: npt.ArrayLike | None,
    k: int,
    bits: int | None = None,
    threads: int | None = None,
) -> float:
    """Computes mean precision@k, the share of relevant items in the first k.

    It is the expected value over all orders of items at equal distance, and
    the mean over all queries. Where the database holds fewer than k items, the
    missing ones count as wrong.

    Args:
        query_codes: As `mean_average_precision`, like all that follow.
        database_codes: Likewise.
        query_labels: Likewise.
        database_labels: Likewise.
        k: Int >= 1.
        bits: Int, the length K of the codes, or None for 8 a byte.
        threads: Positive int, or None for the processor's cores.

    Returns:
        Float in [0, 1].

    Raises:
        ValueError: As `mean_average_precision`, of `k`.

    Example:

    >>> import numpy as np
    >>> import hashnet_tf as hn
    >>> codes = hn.retrieval.pack(np.array([[1, 1], [1, -1], [-1, 1]]))
    >>> hn.retrieval.precision_at_k(codes[:1], codes, [7], [7, 0, 7], k=2)
    0.75
    """
    data = query_codes, database_codes, query_labels, database_labels
    return float(_count(*data, bits, threads).precision_at_k(k).mean())


def recall_at_k(
    query_codes: Codes,
    database_codes: Codes,
    query_labels: Labels,
    database_labels: npt.ArrayLike | None,
    k: int,
    bits: int | None = None,
    threads: int | None = None,
) -> float:
    """Computes mean recall@k, the share of relevant items found in the first k.

    It is the expected value over all orders of items at equal distance, and
    the mean over the queries that have a relevant item; the others have no
    recall.

    Args:
        query_codes: As `mean_average_precision`, like all that follow.
        database_codes: Likewise.
        query_labels: Likewise.
        database_labels: Likewise.
        k: Int >= 1.
        bits: Int, the length K of the codes, or None for 8 a byte.
        threads: Positive int, or None for the processor's cores.

    Returns:
        Float in [0, 1], 0 where no query has a relevant item.

    Raises:
        ValueError: As `mean_average_precision`, of `k`.

    Example:

    >>> import numpy as np
    >>> import hashnet_tf as hn
    >>> codes = hn.retrieval.pack(np.array([[1, 1], [1, -1], [-1, -1]]))
    >>> hn.retrieval.recall_at_k(codes[:1], codes, [7], [7, 0, 7], k=2)
    0.5
    """
    data = query_codes, database_codes, query_labels, database_labels
    found = _count(*data, bits, threads)
    recall = found.recall_at_k(k)[found.answerable]
    return float(recall.mean()) if len(recall) else 0.0


def ndcg_at_k(
    query_codes: Codes,
    database_codes: Codes,
    query_labels: Labels,
    database_labels: npt.ArrayLike | None,
    k: int,
    bits: int | None = None,
    threads: int | None = None,
) -> float:
    """Computes mean NDCG@k: early ranks and more shared labels count more.

    The gain of an item is 2^(labels shared with the query) - 1, its discount
    1 / log2(rank + 1), and the sum over the first k ranks is divided by that
    of the best ranking. It is the expected value over all orders of items at
    equal distance, and the mean over all queries; one without a relevant item
    scores 0. Sources: `Histograms.ndcg_at_k`.

    Args:
        query_codes: As `mean_average_precision`, like all that follow.
        database_codes: Likewise.
        query_labels: Likewise.
        database_labels: Likewise.
        k: Int >= 1; more than the database holds counts as all of it.
        bits: Int, the length K of the codes, or None for 8 a byte.
        threads: Positive int, or None for the processor's cores.

    Returns:
        Float in [0, 1].

    Raises:
        ValueError: As `mean_average_precision`, of `k`.

    Example:

    Of two items the nearer shares one label with the query, the other two.

    >>> import numpy as np
    >>> import hashnet_tf as hn
    >>> codes = hn.retrieval.pack(np.array([[1, 1], [1, -1]]))
    >>> labels = np.array([[1, 0], [1, 1]])
    >>> ndcg = hn.retrieval.ndcg_at_k(codes[:1], codes, labels[1:], labels, 2)
    >>> round(ndcg, 4)
    0.7967
    """
    data = query_codes, database_codes, query_labels, database_labels
    return float(_count(*data, bits, threads).ndcg_at_k(k).mean())


def precision_within_radius(
    query_codes: Codes,
    database_codes: Codes,
    query_labels: Labels,
    database_labels: npt.ArrayLike | None,
    radius: int = 2,
    empty_ball: str = "zero",
    bits: int | None = None,
    threads: int | None = None,
) -> float:
    """Computes mean precision within a Hamming radius, P@H<=2 by default.

    That is the share of relevant items among all that lie within the radius
    (HashNet, ICCV 2017, section 4.1).

    Args:
        query_codes: As `mean_average_precision`, like all that follow.
        database_codes: Likewise.
        query_labels: Likewise.
        database_labels: Likewise.
        radius: Int >= 0, in bits; an item at this distance counts.
        empty_ball: What a query without an item within the radius counts:
            "zero" as 0, "skip" not at all.
        bits: Int, the length K of the codes, or None for 8 a byte.
        threads: Positive int, or None for the processor's cores.

    Returns:
        Float in [0, 1].

    Raises:
        ValueError: As `mean_average_precision`, of `radius` and `empty_ball`.

    Example:

    >>> import numpy as np
    >>> import hashnet_tf as hn
    >>> codes = hn.retrieval.pack(np.array([[1] * 4, [1, 1, -1, -1], [-1] * 4]))
    >>> data = codes[:1], codes, [7], [7, 0, 7]
    >>> hn.retrieval.precision_within_radius(*data, radius=2, bits=4)
    0.5
    """
    check_radius(radius)
    data = query_codes, database_codes, query_labels, database_labels
    curve = _count(*data, bits, threads).precision_by_radius(empty_ball)
    return float(curve[min(radius, len(curve) - 1)])


def recall_within_radius(
    query_codes: Codes,
    database_codes: Codes,
    query_labels: Labels,
    database_labels: npt.ArrayLike | None,
    radius: int = 2,
    bits: int | None = None,
    threads: int | None = None,
) -> float:
    """Computes mean recall within a Hamming radius.

    That is the share of the relevant items that lie within the radius, as a
    mean over the queries that have a relevant item.

    Args:
        query_codes: As `mean_average_precision`, like all that follow.
        database_codes: Likewise.
        query_labels: Likewise.
        database_labels: Likewise.
        radius: Int >= 0, in bits; an item at this distance counts.
        bits: Int, the length K of the codes, or None for 8 a byte.
        threads: Positive int, or None for the processor's cores.

    Returns:
        Float in [0, 1], 0 where no query has a relevant item.

    Raises:
        ValueError: As `mean_average_precision`, of `radius`.

    Example:

    >>> import numpy as np
    >>> import hashnet_tf as hn
    >>> codes = hn.retrieval.pack(np.array([[1] * 4, [1, 1, -1, -1], [-1] * 4]))
    >>> data = codes[:1], codes, [7], [7, 0, 7]
    >>> hn.retrieval.recall_within_radius(*data, radius=2, bits=4)
    0.5
    """
    check_radius(radius)
    data = query_codes, database_codes, query_labels, database_labels
    curve = _count(*data, bits, threads).recall_by_radius()
    return float(curve[min(radius, len(curve) - 1)])


def precision_recall_curve(
    query_codes: Codes,
    database_codes: Codes,
    query_labels: Labels,
    database_labels: npt.ArrayLike | None,
    recalls: npt.ArrayLike = RECALLS,
    bits: int | None = None,
    threads: int | None = None,
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Computes the mean interpolated precision at each recall.

    A query's precision at a recall is the highest that any Hamming radius has
    which reaches this recall, as in TREC's 11-point curve and in Figures 2(b)
    to 4(b) of HashNet (ICCV 2017). The mean is over the queries that have a
    relevant item.

    Args:
        query_codes: As `mean_average_precision`, like all that follow.
        database_codes: Likewise.
        query_labels: Likewise.
        database_labels: Likewise.
        recalls: Floats in [0, 1], m of them.
        bits: Int, the length K of the codes, or None for 8 a byte.
        threads: Positive int, or None for the processor's cores.

    Returns:
        `(precision, recall)`, float64 `[m]` each; the second is `recalls`.

    Raises:
        ValueError: As `mean_average_precision`, of `recalls`.

    Example:

    >>> import numpy as np
    >>> import hashnet_tf as hn
    >>> codes = hn.retrieval.pack(np.array([[1, 1], [1, -1], [-1, -1]]))
    >>> data = codes[:1], codes, [7], [7, 0, 7]
    >>> precision, _ = hn.retrieval.precision_recall_curve(*data, [0.5, 1.0])
    >>> precision.round(3).tolist()
    [1.0, 0.667]
    """
    data = query_codes, database_codes, query_labels, database_labels
    found = _count(*data, bits, threads)
    return found.precision_at_recall(recalls), np.asarray(recalls, np.float64)


def _count(
    query_codes, database_codes, query_labels, database_labels, bits, threads
) -> Histograms:
    query_codes, database_codes, bits = check_pair(
        query_codes, database_codes, bits
    )
    labels = query_labels, database_labels
    return histograms(query_codes, database_codes, *labels, bits, threads)
