"""From real distances and labels to a report."""

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import numpy.typing as npt

from hashnet_tf.retrieval._file_order import precision_sum
from hashnet_tf.retrieval._grades import Grades, Labels, grades_of
from hashnet_tf.retrieval.codes import check_count
from hashnet_tf.retrieval.evaluation import (
    RANKS,
    USUAL_AT,
    make_report,
    scores_of,
)
from hashnet_tf.retrieval.hamming import each_query
from hashnet_tf.retrieval.histogram import Histograms, all_grades, sums_of
from hashnet_tf.retrieval.metrics import RECALLS
from hashnet_tf.retrieval.report import RetrievalReport

# Of a slice of the queries: the distance of each to each item.
Distances = Callable[[slice], npt.ArrayLike]

# Distances that are measured at once: their counts take some 100 MB.
CELLS = 2**20


def evaluate_distances(
    distances: npt.ArrayLike | Distances,
    query_labels: Labels,
    database_labels: npt.ArrayLike | None,
    at: int = USUAL_AT,
    ranks: Iterable[int] = RANKS,
    file_order: bool = True,
    threads: int | None = None,
) -> RetrievalReport:
    """Measures how well a ranking by real distances retrieves.

    It is `evaluate` for what ranks otherwise than by codes: by the cosine of
    floats, by the estimate of a quantizer. Items at exactly the same distance
    of a query are tied, and count by the same expected value over all of
    their orders; each distinct distance of a query stands in the place of a
    Hamming distance in its `Histograms`. So distances that are those of codes
    give the numbers of `evaluate`. What is of Hamming balls there is not: the
    report has none.

    Args:
        distances: Real `[q, n]`, of each query to each item, smaller for what
            is nearer; or a function of a slice of the queries, such as
            `slice(16, 32)`, that returns the rows of it, so that the whole
            need not be in memory.
        query_labels: As `evaluate` takes them; no function where `distances`
            is one, for nothing would tell the number of queries.
        database_labels: As `evaluate` takes them.
        at: Int R >= 1 of MAP@R. A smaller database caps it.
        ranks: Ints N >= 1 of precision@N; those above the database's size are
            left out.
        file_order: Whether to measure by the presets that rank ties in file
            order too.
        threads: Positive int, or None for the processor's cores.

    Returns:
        `RetrievalReport`, its `bits` and `precision_radius2` None, its
        `ball_precision`, `ball_recall` and `empty_balls` empty.

    Raises:
        ValueError: If queries or database are empty, if distances are not
            real `[q, n]` or hold NaN, if labels are malformed or do not go
            together, or if `at` or `ranks` are not as above.

    Example:

    >>> import numpy as np
    >>> import hashnet_tf as hn
    >>> x = np.random.default_rng(0).normal(size=(100, 8)).astype("float32")
    >>> labels = (x[:, 0] > 0).astype(int)
    >>> def distances(rows):
    ...     return 1 - x[rows] @ x.T
    >>> report = hn.retrieval.evaluate_distances(distances, labels, labels)
    >>> report.queries, report.map > 0.5, report.precision_radius2
    (100, True, None)
    """
    check_count(at, "at")
    if not callable(distances):
        distances = np.asarray(distances)
    q, n = _sizes(distances, query_labels, database_labels)
    ranks = [rank for rank in ranks if check_count(rank, "ranks") <= n]
    grades = grades_of(query_labels, database_labels, q, n)
    step = max(1, CELLS // n)
    parts, curve, answerable = [], np.zeros(len(RECALLS)), 0
    for start in range(0, q, step):
        rows = slice(start, min(start + step, q))
        block = _block(distances, rows, n)
        last = min(at, n) if file_order else 0
        found, sums, hits = _count(block, grades, start, last, threads)
        scores = scores_of(found, at, ranks)
        if file_order:
            scores["file_order"] = sums / np.maximum(hits, 1)
        parts.append(scores)
        # A mean over those that have an answer, of whichever part.
        own = int(found.answerable.sum())
        curve += own * found.precision_at_recall(RECALLS)
        answerable += own
    scores = {
        name: np.concatenate([part[name] for part in parts], axis=-1)
        for name in parts[0]
    }
    return make_report(
        scores,
        n,
        at,
        ranks,
        unlabelled_queries=grades.unlabelled_queries,
        precision_at_recall=curve / max(answerable, 1),
        bits=None,
        empty_ball=None,
        ball_precision=[],
        ball_recall=[],
        empty_balls=[],
    )


def _sizes(
    distances: Any, query_labels: Any, database_labels: Any
) -> tuple[int, int]:
    """Returns q and n."""
    if not callable(distances):
        shape = np.shape(distances)
    elif callable(query_labels):
        raise ValueError(
            "`query_labels` must be an array where `distances` is a function."
            " Received: two functions"
        )
    else:
        # None is no labels, which is what the check of labels says of it.
        labels = query_labels, database_labels
        shape = tuple(
            np.shape(given)[0] if np.ndim(given) else 1 for given in labels
        )
    if len(shape) != 2 or 0 in shape:
        raise ValueError(
            "`distances` must be of shape [queries, items], of at least one"
            f" query and one item. Received: shape={shape}"
        )
    return shape[0], shape[1]


def _block(distances: Any, rows: slice, n: int) -> npt.NDArray:
    """Returns the checked distances of some queries, `[rows, n]`."""
    given = distances(rows) if callable(distances) else distances[rows]
    block = np.asarray(given)
    wanted = (rows.stop - rows.start, n)
    if block.shape != wanted or block.dtype.kind not in "fiu":
        raise ValueError(
            f"`distances` of {rows} must be real numbers of shape {wanted}."
            f" Received: shape={block.shape}, dtype={block.dtype}"
        )
    if np.isnan(block).any():
        lost = np.flatnonzero(np.isnan(block).any(axis=1))
        raise ValueError(
            "`distances` must not hold NaN. Received: NaN for"
            f" {len(lost)} queries, the first of them"
            f" {rows.start + lost[0]}"
        )
    return block


def _count(
    block: npt.NDArray,
    grades: Grades,
    start: int,
    last: int,
    threads: int | None,
) -> tuple[Histograms, npt.NDArray[np.float64], npt.NDArray[np.int64]]:
    """Counts the database by the distinct distances of each query.

    Args:
        block: Real `[rows, n]`.
        grades: `Grades` of all queries.
        start: Int, position of the first query of the block.
        last: Int, how many items of the ranking in file order to look at.
        threads: Positive int, or None.

    Returns:
        `Histograms`, as wide as the query with the most distances; and of the
        first `last` items in file order the sums of precision over the
        relevant ones, and how many these are, as `file_order_sums`.
    """
    size, n = block.shape
    counts = np.zeros((size, n), np.int64)
    relevant = np.zeros((size, n), np.int64)
    gains = np.zeros((size, n))
    widths, by_grade = np.zeros(size, np.int64), [np.zeros(0, np.int64)] * size
    sums, hits = np.zeros(size), np.zeros(size, np.int64)

    def count(row):
        query = start + row
        order = np.argsort(block[row], kind="stable")
        ranked = block[row, order]
        groups = np.zeros(n, np.intp)
        np.cumsum(ranked[1:] != ranked[:-1], out=groups[1:])
        width = int(groups[-1]) + 1
        of_items = np.empty(n, np.intp)
        of_items[order] = groups
        table = grades.relevant_table(query, of_items, width)
        counts[row, :width] = np.bincount(groups)
        relevant[row, :width], gains[row, :width], by_grade[row] = sums_of(
            table
        )
        widths[row] = width
        sums[row], hits[row] = precision_sum(grades.of(query, order[:last]))

    each_query(count, size, threads)
    width = widths.max()
    found = Histograms(
        counts[:, :width],
        relevant[:, :width],
        gains[:, :width],
        all_grades(by_grade, n),
        grades.unlabelled_queries,
    )
    return found, sums, hits
