"""From codes and labels to a report."""

from hashnet_tf.retrieval._average_precision import (
    average_precision,
    extreme_average_precision,
    file_order_average_precision,
)
from hashnet_tf.retrieval._measures import (
    ball_precision,
    ball_recall,
    check_at,
    empty_balls,
    ndcg,
    precision_at,
    precision_at_recall,
)
from hashnet_tf.retrieval.codes import check_codes
from hashnet_tf.retrieval.histogram import histograms
from hashnet_tf.retrieval.presets import PRESETS, preset_map
from hashnet_tf.retrieval.report import RetrievalReport

# R of the paper's MAP on NUS-WIDE and COCO.
USUAL_AT = 5000
# The abscissas of the paper's Figures 2 to 4.
RANKS = tuple(range(100, 1001, 100))
RECALLS = (0.05, *(tenth / 10 for tenth in range(1, 11)))


def evaluate(
    query_codes,
    database_codes,
    query_labels,
    database_labels,
    bits=None,
    at=USUAL_AT,
    ranks=RANKS,
    empty_ball="zero",
    file_order=True,
    threads=None,
):
    """Measures how well codes retrieve.

    An item is relevant to a query iff they share a label. A query that is
    itself in the database finds itself: leave it out beforehand where that is
    not wanted. Every figure but those in file order follows from histograms of
    the distances, in one pass over the codes.

    Args:
        query_codes: uint8 `[q, ceil(bits / 8)]`.
        database_codes: uint8 `[n, ceil(bits / 8)]`.
        query_labels: Class ids `[q]`, negative where unlabelled; a zero-or-one
            matrix `[q, L]`, a row of zeros where unlabelled; or a function of
            a query's position and a slice of the database that returns the
            grade of each item of the slice, an integer >= 0, 0 for an
            irrelevant one.
        database_labels: Class ids `[n]` or matrix `[n, L]`; None where
            `query_labels` is a function.
        bits: Int, the length K of the codes, or None for 8 a byte.
        at: Int R >= 1 of MAP@R. HashNet (ICCV 2017) takes 1,000 on ImageNet
            and 5,000 elsewhere. A smaller database caps it.
        ranks: Ints N >= 1 of precision@N; those above the database's size are
            left out.
        empty_ball: "zero" or "skip", how a query without an item within a
            radius counts in the precision there.
        file_order: Whether to measure by the presets that rank ties in file
            order too, which takes a pass of its own.
        threads: Positive int, or None for the processor's cores.

    Returns:
        `RetrievalReport`.

    Raises:
        ValueError: If queries or database are empty, if codes or labels are
            malformed or do not go together, or if `at`, `ranks` or
            `empty_ball` are not as above.

    Example:

    >>> import numpy as np
    >>> import hashnet_tf as hn
    >>> signs = np.array([[1] * 8, [-1] * 8, [1] * 7 + [-1]])
    >>> codes = hn.retrieval.pack(signs)
    >>> labels = np.array([0, 1, 0])
    >>> report = hn.retrieval.evaluate(codes, codes, labels, labels)
    >>> report.map, report.precision_radius2
    (1.0, 1.0)
    """
    query_codes = check_codes(query_codes, bits, "query_codes")
    database_codes = check_codes(database_codes, bits, "database_codes")
    q, n = len(query_codes), len(database_codes)
    if not q or not n:
        raise ValueError(
            "`query_codes` and `database_codes` must not be empty."
            f" Received: query_codes.shape={query_codes.shape},"
            f" database_codes.shape={database_codes.shape}"
        )
    bits = 8 * query_codes.shape[1] if bits is None else int(bits)
    check_at(at)
    ranks = [rank for rank in ranks if check_at(rank, "ranks") <= n]
    data = (query_codes, database_codes, query_labels, database_labels, bits)

    found = histograms(*data, threads=threads)
    counts, relevant = found.counts, found.relevant
    answerable = relevant.any(axis=1)
    ap = {"expected": average_precision(counts, relevant, at)}
    if file_order:
        ap["file_order"] = file_order_average_precision(*data, at, threads)
    presets = {
        name: preset_map(name, ap["expected"], ap.get("file_order"), answerable)
        for name, preset in PRESETS.items()
        if file_order or not preset.file_order
    }
    best, worst = (
        float(extreme_average_precision(counts, relevant, at, best).mean())
        for best in (True, False)
    )
    return RetrievalReport(
        bits=bits,
        at=int(min(at, n)),
        queries=q,
        database=n,
        unlabelled_queries=found.unlabelled_queries,
        queries_without_relevant=int(q - answerable.sum()),
        presets=presets,
        map_best=best,
        map_worst=worst,
        map_all=float(average_precision(counts, relevant, n).mean()),
        ndcg=float(ndcg(counts, found.gains, found.grades, at).mean()),
        precision_at={
            rank: float(precision_at(counts, relevant, rank).mean())
            for rank in ranks
        },
        empty_ball=empty_ball,
        ball_precision=ball_precision(counts, relevant, empty_ball).tolist(),
        ball_recall=ball_recall(relevant).tolist(),
        empty_balls=empty_balls(counts).tolist(),
        precision_at_recall=dict(
            zip(
                RECALLS,
                precision_at_recall(counts, relevant, RECALLS).tolist(),
                strict=True,
            )
        ),
    )
