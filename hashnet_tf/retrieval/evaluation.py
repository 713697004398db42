"""From codes and labels to a report."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from hashnet_tf.retrieval._file_order import file_order_sums
from hashnet_tf.retrieval._grades import Labels
from hashnet_tf.retrieval.codes import Codes, check_count
from hashnet_tf.retrieval.hamming import check_pair
from hashnet_tf.retrieval.histogram import Histograms, histograms
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
    n = len(database_codes)
    check_count(at, "at")
    ranks = [rank for rank in ranks if check_count(rank, "ranks") <= n]
    data = query_codes, database_codes, query_labels, database_labels

    found = histograms(*data, bits, threads)
    scores = scores_of(found, at, ranks)
    if file_order:
        sums, hits = file_order_sums(*data, at, threads)
        scores["file_order"] = sums / np.maximum(hits, 1)
    return make_report(
        scores,
        n,
        at,
        ranks,
        unlabelled_queries=found.unlabelled_queries,
        precision_at_recall=found.precision_at_recall(RECALLS),
        bits=bits,
        empty_ball=empty_ball,
        ball_precision=found.precision_by_radius(empty_ball).tolist(),
        ball_recall=found.recall_by_radius().tolist(),
        empty_balls=found.empty_by_radius().tolist(),
    )


def scores_of(
    found: Histograms, at: int, ranks: Sequence[int]
) -> dict[str, npt.NDArray]:
    """Measures each query by what needs no Hamming ball.

    Args:
        found: `Histograms` of q queries.
        at: Int R >= 1.
        ranks: Ints N >= 1.

    Returns:
        Dict from a name to `[q]`; "precision_at" to `[len(ranks), q]`.
    """
    precision = [found.precision_at_k(rank) for rank in ranks]
    return {
        "answerable": found.answerable,
        "expected": found.average_precision(at),
        "best": found.average_precision(at, "best"),
        "worst": found.average_precision(at, "worst"),
        "all": found.average_precision(),
        "ndcg": found.ndcg_at_k(at),
        "precision_at": np.reshape(precision, (len(ranks), len(found.counts))),
    }


def make_report(
    scores: Mapping[str, npt.NDArray],
    n: int,
    at: int,
    ranks: Sequence[int],
    unlabelled_queries: int,
    precision_at_recall: npt.NDArray[np.float64],
    **balls: Any,
) -> RetrievalReport:
    """Puts the means over the queries into a report.

    Args:
        scores: As `scores_of`, of all queries; "file_order" too, AP@R divided
            by the hits within R, where that was measured.
        n: Int, items in the database.
        at: Int R >= 1.
        ranks: Ints N >= 1.
        unlabelled_queries: Int.
        precision_at_recall: float64, at `RECALLS`.
        **balls: What there is of Hamming balls, by its name in the report.
    """
    answerable = scores["answerable"]
    in_file_order = scores.get("file_order")
    presets = {
        name: preset_map(name, scores["expected"], in_file_order, answerable)
        for name, preset in PRESETS.items()
        if in_file_order is not None or not preset.file_order
    }
    precision_at = zip(ranks, scores["precision_at"], strict=True)
    return RetrievalReport(
        at=int(min(at, n)),
        queries=len(answerable),
        database=n,
        unlabelled_queries=unlabelled_queries,
        queries_without_relevant=int(len(answerable) - answerable.sum()),
        presets=presets,
        map_best=float(scores["best"].mean()),
        map_worst=float(scores["worst"].mean()),
        map_all=float(scores["all"].mean()),
        ndcg=float(scores["ndcg"].mean()),
        precision_at={rank: float(row.mean()) for rank, row in precision_at},
        precision_at_recall=dict(
            zip(RECALLS, precision_at_recall.tolist(), strict=True)
        ),
        **balls,
    )


def two_standard_errors(values: npt.NDArray) -> float:
    """Returns two standard errors of the mean of values, 0 of one alone.

    Args:
        values: Float `[n]`.

    Example:

    >>> import numpy as np
    >>> from hashnet_tf.retrieval.evaluation import two_standard_errors
    >>> two_standard_errors(np.array([0.0, 2.0]))
    2.0
    """
    if len(values) < 2:
        return 0.0
    return float(2 * values.std(ddof=1) / len(values) ** 0.5)
