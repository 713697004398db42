"""How many items, and how many relevant ones, lie at each distance."""

import dataclasses

import numpy as np
import numpy.typing as npt

from hashnet_tf.retrieval._grades import Labels, grades_of
from hashnet_tf.retrieval.codes import Codes, check_codes, check_count
from hashnet_tf.retrieval.hamming import (
    code_words,
    count_distances,
    each_query,
    word_distances,
)

TIES = ("expected", "best", "worst")
EMPTY_BALL_RULES = ("zero", "skip")


@dataclasses.dataclass(frozen=True)
class Histograms:
    """Counts of the database by Hamming distance, for each of q queries.

    Every metric that treats ties fairly follows from them. The methods give a
    metric for each query, or its mean for each radius or recall; the functions
    of `hashnet_tf.retrieval.metrics` give one number from codes and labels.
    "Ball" is short for the items within a Hamming radius.

    Attributes:
        counts: int64 `[q, bits + 1]`, items at distance 0..K.
        relevant: int64 `[q, bits + 1]`, those with a grade above 0.
        gains: float64 `[q, bits + 1]`, the sum of 2^grade - 1 over the items,
            the gain of NDCG.
        grades: int64 `[q, G + 1]`, items of the database of grade 0..G.
        unlabelled_queries: Int.

    Example:

    The nearest item is wrong, then one right and one wrong are tied: the
    right one stands at rank 2 or 3.

    >>> import numpy as np
    >>> from hashnet_tf.retrieval import histograms, pack
    >>> codes = pack(np.array([[1, 1], [1, 1], [1, -1], [-1, 1]]))
    >>> labels = np.array([7, 0, 7, 0])
    >>> query = codes[:1], codes[1:], labels[:1], labels[1:]
    >>> found = histograms(*query, bits=2)
    >>> found.average_precision(ties="expected").round(4)
    array([0.4167])
    >>> found.average_precision(ties="best")
    array([0.5])
    """

    counts: npt.NDArray[np.int64]
    relevant: npt.NDArray[np.int64]
    gains: npt.NDArray[np.float64]
    grades: npt.NDArray[np.int64]
    unlabelled_queries: int

    @property
    def answerable(self) -> npt.NDArray[np.bool_]:
        """Boolean `[q]`, whether anything in the database is relevant."""
        return np.any(self.relevant, axis=1)

    def average_precision(
        self, top_k: int | None = None, ties: str = "expected"
    ) -> npt.NDArray[np.float64]:
        """Computes AP@R of each query.

        AP@R = 1 / min(R, relevant in the database) * sum over p <= R of
        rel(p) * precision(p). Short codes put many items at the same distance,
        and a ranking must order them by something other than the code.
        "expected" is the mean over all orders of the tied items, and so
        depends on the codes alone. "best" puts the relevant items of each
        distance first and "worst" puts them last: how far apart the two are is
        how much a number can owe to the order of a file.

        Expected: let a group of n tied items, r of them relevant, follow b
        items of which s are relevant. Its j-th item stands at p = b + j, is
        relevant with probability r / n and, if it is, has
        (j - 1)(r - 1) / (n - 1) relevant ones of its group before it on
        average, so

            E[rel(p) precision(p)] = r / n * (s + 1 + (j - 1) t) / (b + j),

        with t = (r - 1) / (n - 1). As j - 1 = (b + j) - (b + 1), the sum over
        j = 1..m, where m <= n items of the group stand within R, is

            r / n * ((s + 1 - (b + 1) t) (H(b + m) - H(b)) + m t),

        with the harmonic numbers H. It is the closed form of McSherry & Najork
        ("Computing information retrieval performance measures efficiently in
        the presence of tied scores", ECIR 2008), cut at R.

        Best and worst: in a run of r relevant items behind b items of which s
        are relevant, the precisions are (s + j) / (b + j), which sum to

            r + (s - b) (H(b + r) - H(b)).

        Args:
            top_k: Int R >= 1, or None for the whole database, which is also
                what a larger R means.
            ties: "expected", "best" or "worst".

        Returns:
            float64 `[q]`, 0 for a query without a relevant item.

        Raises:
            ValueError: If `top_k` or `ties` is none of these.
        """
        if ties not in TIES:
            raise ValueError(
                f"`ties` must be one of {TIES}. Received: ties={ties!r}"
            )
        counts, relevant = self.counts, self.relevant
        last = self._last_rank(top_k, "top_k")
        harmonic = np.zeros(last + 1)
        np.cumsum(1.0 / np.arange(1, last + 1), out=harmonic[1:])
        items, hits = _before(counts), _before(relevant)
        if ties == "expected":
            first = np.minimum(items, last)
            inside = np.minimum(items + counts, last) - first
            step = harmonic[first + inside] - harmonic[first]
            slope = (relevant - 1) / np.maximum(counts - 1, 1)
            sums = (hits + 1 - (items + 1) * slope) * step + inside * slope
            sums = relevant / np.maximum(counts, 1) * sums
        else:
            start = items + (0 if ties == "best" else counts - relevant)
            first = np.minimum(start, last)
            run = np.minimum(start + relevant, last) - first
            step = harmonic[first + run] - harmonic[first]
            sums = run + (hits - first) * step
        wanted = np.minimum(relevant.sum(axis=1), last)
        return sums.sum(axis=1) / np.maximum(wanted, 1)

    def precision_at_k(self, k: int) -> npt.NDArray[np.float64]:
        """Computes precision@k of each query, the mean over all tie orders.

        Args:
            k: Int >= 1. Items that the database lacks count as wrong.

        Returns:
            float64 `[q]`, the share of relevant items among the first k.

        Raises:
            ValueError: If `k` is no positive integer.
        """
        return self._hits(k) / check_count(k, "k")

    def recall_at_k(self, k: int) -> npt.NDArray[np.float64]:
        """Computes recall@k of each query, the mean over all tie orders.

        Args:
            k: Int >= 1.

        Returns:
            float64 `[q]`, the share of the relevant items that stand among
            the first k; 0 where nothing is relevant (`answerable`).

        Raises:
            ValueError: If `k` is no positive integer.
        """
        return self._hits(k) / np.maximum(self.relevant.sum(axis=1), 1)

    def ndcg_at_k(self, k: int) -> npt.NDArray[np.float64]:
        """Computes NDCG@k of each query, the mean over all tie orders.

        DCG@k = sum over p <= k of (2^grade(p) - 1) / log2(p + 1), with the
        number of labels shared with the query as the grade (Jarvelin &
        Kekalainen, "Cumulated gain-based evaluation of IR techniques", TOIS
        2002, with the gain of Burges et al., "Learning to rank using gradient
        descent", ICML 2005); NDCG divides it by that of the best ranking of
        the database. Under a random order of tied items each rank of a group
        has its mean gain.

        Args:
            k: Int >= 1; more than the database holds counts as all of it.

        Returns:
            float64 `[q]`, 0 for a query without a relevant item.

        Raises:
            ValueError: If `k` is no positive integer.
        """
        last = self._last_rank(k, "k")
        # Sums of the discounts of the first p ranks.
        discounts = np.zeros(last + 1)
        np.cumsum(1.0 / np.log2(np.arange(2, last + 2)), out=discounts[1:])

        def discounted(counts):
            start = _before(counts)
            stop = np.minimum(start + counts, last)
            return discounts[stop] - discounts[np.minimum(start, last)]

        found = discounted(self.counts) * self.gains
        found = (found / np.maximum(self.counts, 1)).sum(axis=1)
        each = 2.0 ** np.arange(self.grades.shape[1])[::-1] - 1
        best = (discounted(self.grades[:, ::-1]) * each).sum(axis=1)
        return np.divide(found, best, out=np.zeros(len(best)), where=best > 0)

    def precision_by_radius(
        self, empty_ball: str = "zero"
    ) -> npt.NDArray[np.float64]:
        """Computes the mean precision within Hamming radius r, for every r.

        P@H<=2 of HashNet (ICCV 2017) is the value at r = 2. A query without an
        item within the radius has no precision; the paper does not say what it
        did then. "zero" counts it as 0, "skip" leaves it out of the mean at
        that radius.

        Args:
            empty_ball: "zero" or "skip".

        Returns:
            float64 `[bits + 1]`, 0 where every ball is empty.

        Raises:
            ValueError: If `empty_ball` is none of these.
        """
        if empty_ball not in EMPTY_BALL_RULES:
            raise ValueError(
                f"`empty_ball` must be one of {EMPTY_BALL_RULES}."
                f" Received: empty_ball={empty_ball!r}"
            )
        items = np.cumsum(self.counts, axis=1)
        precision = np.cumsum(self.relevant, axis=1) / np.maximum(items, 1)
        if empty_ball == "zero":
            return precision.mean(axis=0)
        filled = (items > 0).sum(axis=0)
        return precision.sum(axis=0) / np.maximum(filled, 1)

    def recall_by_radius(self) -> npt.NDArray[np.float64]:
        """Computes the mean recall within Hamming radius r, for every r.

        The mean is over the queries that have a relevant item; the others have
        no recall.

        Returns:
            float64 `[bits + 1]`, 0 where no query has a relevant item.
        """
        found = np.cumsum(self.relevant[self.answerable], axis=1)
        if not len(found):
            return np.zeros(found.shape[1])
        return (found / found[:, -1:]).mean(axis=0)

    def empty_by_radius(self) -> npt.NDArray[np.float64]:
        """Computes the share of queries without an item within each radius.

        Returns:
            float64 `[bits + 1]`.
        """
        return (np.cumsum(self.counts, axis=1) == 0).mean(axis=0)

    def precision_at_recall(
        self, recalls: npt.ArrayLike
    ) -> npt.NDArray[np.float64]:
        """Computes the mean interpolated precision at each recall.

        A query's curve has one point a radius: the precision and the recall
        within it. Its interpolated precision at a recall is the highest of the
        points that reach this recall, as in TREC's 11-point curve. The mean is
        over the queries that have a relevant item.

        Args:
            recalls: Floats in [0, 1], m of them.

        Returns:
            float64 `[m]`, 0 where no query has a relevant item.

        Raises:
            ValueError: If a recall is outside of [0, 1].
        """
        recalls = np.asarray(recalls, dtype=np.float64)
        if recalls.ndim != 1 or not ((recalls >= 0) & (recalls <= 1)).all():
            raise ValueError(
                "`recalls` must be numbers in [0, 1]."
                f" Received: recalls={recalls.tolist()}"
            )
        items = np.cumsum(self.counts[self.answerable], axis=1)
        found = np.cumsum(self.relevant[self.answerable], axis=1)
        if not len(items):
            return np.zeros(len(recalls))
        precision = found / np.maximum(items, 1)
        highest = np.maximum.accumulate(precision[:, ::-1], axis=1)[:, ::-1]
        # Counts, not quotients: 3 of 10 reach a recall of 0.3 exactly.
        needed = np.ceil(recalls * found[:, -1:] - 1e-9)
        means = []
        for column in needed.T:
            radius = (found < column[:, None]).sum(axis=1)
            means.append(highest[np.arange(len(highest)), radius].mean())
        return np.array(means)

    def _last_rank(self, top_k, name):
        """Returns R: `top_k`, or the items of the database where fewer."""
        n = int(self.counts.sum(axis=1).max(initial=0))
        return n if top_k is None else min(check_count(top_k, name), n)

    def _hits(self, k):
        """Returns the relevant items among the first k, `[q]`, as expected.

        Of the group that the cut falls into, each item stands within k with
        the same probability.
        """
        inside = np.clip(
            check_count(k, "k") - _before(self.counts), 0, self.counts
        )
        shares = inside / np.maximum(self.counts, 1)
        return (self.relevant * shares).sum(axis=1)


def _before(counts):
    """Returns the items in the groups before each, of the same shape."""
    return np.cumsum(counts, axis=1) - counts


def histograms(
    query_codes: Codes,
    database_codes: Codes,
    query_labels: Labels,
    database_labels: npt.ArrayLike | None,
    bits: int,
    threads: int | None = None,
) -> Histograms:
    """Counts, for each query, the database by Hamming distance and grade.

    The grade of an item is the number of labels that it shares with the
    query. The distances of one query a thread are in memory, never a q x n
    matrix.

    Args:
        query_codes: uint8 `[q, ceil(bits / 8)]`.
        database_codes: uint8 `[n, ceil(bits / 8)]`.
        query_labels: Class ids `[q]`, a zero-or-one matrix `[q, L]` or a
            function, as `evaluate` takes them.
        database_labels: Class ids `[n]`, matrix `[n, L]`, or None with a
            function.
        bits: Int, the length K of the codes.
        threads: Positive int, or None for the processor's cores.

    Returns:
        `Histograms`.

    Raises:
        ValueError: If codes or labels are malformed or do not go together.

    Example:

    >>> import numpy as np
    >>> from hashnet_tf.retrieval import histograms, pack
    >>> codes = pack(np.array([[1, 1], [1, -1], [-1, -1], [-1, -1]]))
    >>> result = histograms(codes[:1], codes, [7], [7, 0, 7, 0], bits=2)
    >>> result.counts.tolist(), result.relevant.tolist()
    ([[1, 1, 2]], [[1, 0, 1]])
    """
    query_codes = check_codes(query_codes, bits, "query_codes")
    database_codes = check_codes(database_codes, bits, "database_codes")
    q, n = len(query_codes), len(database_codes)
    grades = grades_of(query_labels, database_labels, q, n)
    queries, items = code_words(query_codes), code_words(database_codes)
    width = bits + 1
    counts = np.zeros((q, width), np.int64)
    relevant = np.zeros((q, width), np.int64)
    gains = np.zeros((q, width))
    by_grade = [np.zeros(1, np.int64)] * q

    def count(query):
        distances = word_distances(queries[:, query], items)
        counts[query] = count_distances(distances, width)
        table = grades.relevant_table(query, distances, width)
        relevant[query], gains[query], by_grade[query] = sums_of(table)

    each_query(count, q, threads)
    graded = all_grades(by_grade, n)
    return Histograms(
        counts, relevant, gains, graded, grades.unlabelled_queries
    )


def sums_of(table: npt.NDArray[np.int64]) -> tuple[npt.NDArray, ...]:
    """Returns relevant items and gain by distance, and items by grade.

    Args:
        table: int64 `[G + 1, width]`, as `Grades.relevant_table` gives it.
    """
    gains = (2.0 ** np.arange(len(table)) - 1) @ table
    return table.sum(axis=0), gains, table.sum(axis=1)


def all_grades(by_grade: list[npt.NDArray], n: int) -> npt.NDArray[np.int64]:
    """Returns `Histograms.grades` of n items, from those of each query."""
    deepest = max(map(len, by_grade), default=1)
    graded = np.zeros((len(by_grade), deepest), np.int64)
    for row, numbers in enumerate(by_grade):
        graded[row, : len(numbers)] = numbers
    # Row 0 of a table is of the irrelevant, which it does not count.
    graded[:, 0] = n - graded[:, 1:].sum(axis=1)
    return graded
