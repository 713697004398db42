"""From codes and labels to a report."""

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from hashnet_tf.retrieval._file_order import file_order_sums
from hashnet_tf.retrieval._grades import Labels
from hashnet_tf.retrieval.codes import Codes, check_count
from hashnet_tf.retrieval.hamming import check_pair
from hashnet_tf.retrieval.histogram import histograms
from hashnet_tf.retrieval.metrics import RECALLS
from hashnet_tf.retrieval.presets import PRESETS, preset_map
from hashnet_tf.retrieval.report import RetrievalReport

# R of the paper's MAP on NUS-WIDE and COCO.
USUAL_AT = 5000
# The abscissas of the paper's Figures 2(c) to 4(c).
RANKS = tuple(range(100, 1001, 100))


def evaluate(
    query_codes: Codes,
    database_codes: Codes,
    query_labels: Labels,
    database_labels: npt.ArrayLike | None,
    bits: int | None = None,
    at: int = USUAL_AT,
    ranks: Iterable[int] = RANKS,
    empty_ball: str = "zero",
    file_order: bool = True,
    threads: int | None = None,
) -> RetrievalReport:
    """Measures how well codes retrieve, by every metric of this package.

    An item is relevant to a query iff they share a label. A query that is
    itself in the database finds itself: leave it out beforehand where that is
    not wanted. Every figure but those in file order follows from the
    `Histograms` of the distances, after one pass over the codes. For one
    metric alone there is a function of its own: `mean_average_precision` ...

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
    query_codes, database_codes, bits = check_pair(
        query_codes, database_codes, bits
    )
    q, n = len(query_codes), len(database_codes)
    check_count(at, "at")
    ranks = [rank for rank in ranks if check_count(rank, "ranks") <= n]
    data = query_codes, database_codes, query_labels, database_labels

    found = histograms(*data, bits, threads)
    ap = {"expected": found.average_precision(at)}
    if file_order:
        sums, hits = file_order_sums(*data, at, threads)
        ap["file_order"] = sums / np.maximum(hits, 1)
    presets = {
        name: preset_map(
            name, ap["expected"], ap.get("file_order"), found.answerable
        )
        for name, preset in PRESETS.items()
        if file_order or not preset.file_order
    }
    precision_at_recall = found.precision_at_recall(RECALLS).tolist()
    return RetrievalReport(
        bits=bits,
        at=int(min(at, n)),
        queries=q,
        database=n,
        unlabelled_queries=found.unlabelled_queries,
        queries_without_relevant=int(q - found.answerable.sum()),
        presets=presets,
        map_best=float(found.average_precision(at, "best").mean()),
        map_worst=float(found.average_precision(at, "worst").mean()),
        map_all=float(found.average_precision().mean()),
        ndcg=float(found.ndcg_at_k(at).mean()),
        precision_at={
            rank: float(found.precision_at_k(rank).mean()) for rank in ranks
        },
        empty_ball=empty_ball,
        ball_precision=found.precision_by_radius(empty_ball).tolist(),
        ball_recall=found.recall_by_radius().tolist(),
        empty_balls=found.empty_by_radius().tolist(),
        precision_at_recall=dict(
            zip(RECALLS, precision_at_recall, strict=True)
        ),
    )
