"""How relevant each item is to a query: the number of labels they share."""

import abc
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from hashnet_tf.retrieval.labels import ROWS, check_labels, unlabelled

# Of a query's position and a slice of the database: each item's grade.
Relevance = Callable[[int, slice], npt.ArrayLike]
Labels = npt.ArrayLike | Relevance

# As many items as there may be of gains of 2 to its power sum to a float64.
LARGEST_GRADE = 960


class Grades(abc.ABC):
    """The grade of each item of a database for each of some queries.

    Two items are similar iff they share a label, that is if the grade is above
    0 (HashNet, ICCV 2017, section 4.1).

    Attributes:
        unlabelled_queries: Int, queries without any label.
    """

    unlabelled_queries: int = 0

    @abc.abstractmethod
    def of(self, query: int, positions: npt.NDArray) -> npt.NDArray:
        """Returns the grades of the items at `positions`, integers `[m]`."""

    @abc.abstractmethod
    def relevant_table(
        self, query: int, distances: npt.NDArray, width: int
    ) -> npt.NDArray[np.int64]:
        """Counts the relevant items by grade and distance.

        Args:
            query: Int, position of the query.
            distances: Unsigned integers `[n]`, of all items.
            width: Int, above the largest distance.

        Returns:
            int64 `[G + 1, width]`; row 0, of the irrelevant, is left at 0.
        """


def grades_of(
    query_labels: Labels, database_labels: npt.ArrayLike | None, q: int, n: int
) -> Grades:
    """Returns the `Grades` of checked labels.

    Args:
        query_labels: Class ids `[q]` or a zero-or-one matrix `[q, L]`, as
            `check_labels` takes them; or a function of a query's position and
            a slice of the database that returns the grade of each item of the
            slice, integers >= 0 or booleans.
        database_labels: Likewise `[n]` or `[n, L]`; None with a function.
        q: Int, the number of queries.
        n: Int, the number of items in the database.

    Raises:
        ValueError: If the labels are malformed or do not go together.

    Example:

    >>> import numpy as np
    >>> from hashnet_tf.retrieval._grades import grades_of
    >>> rows = np.array([[1, 1, 0], [0, 1, 0], [0, 0, 1]])
    >>> grades = grades_of(rows[:1], rows, 1, 3)
    >>> grades.of(0, np.array([2, 0])).tolist()
    [0, 2]
    >>> grades.relevant_table(0, np.array([0, 1, 1]), width=3).tolist()
    [[0, 0, 0], [0, 1, 0], [1, 0, 0]]
    """
    if callable(query_labels):
        if database_labels is not None:
            raise ValueError(
                "`database_labels` must be None where `query_labels` is a"
                f" function. Received: {type(database_labels).__name__}"
            )
        return FunctionGrades(query_labels, n)
    query_labels = check_labels(query_labels, q, "query_labels")
    # None is no labels, which is what the check says of it.
    database_labels = check_labels(
        np.asarray(database_labels), n, "database_labels"
    )
    if query_labels.shape[1:] != database_labels.shape[1:]:
        raise ValueError(
            "`query_labels` and `database_labels` must both be class ids or"
            " both matrices over the same labels."
            f" Received: query_labels.shape={query_labels.shape},"
            f" database_labels.shape={database_labels.shape}"
        )
    kind = IdGrades if query_labels.ndim == 1 else MatrixGrades
    return kind(query_labels, database_labels)


class IdGrades(Grades):
    """Grades by class ids: 1 for the query's class, 0 for the others."""

    def __init__(self, query_labels, database_labels):
        self.unlabelled_queries = int(unlabelled(query_labels).sum())
        self._queries, self._items = query_labels, database_labels
        self._order = np.argsort(database_labels, kind="stable")
        self._sorted = database_labels[self._order]

    def of(self, query, positions):
        label = self._queries[query]
        if label < 0:
            return np.zeros(len(positions), np.uint8)
        return (self._items[positions] == label).view(np.uint8)

    def relevant_table(self, query, distances, width):
        label = self._queries[query]
        table = np.zeros((2, width), np.int64)
        if label >= 0:
            first, stop = np.searchsorted(self._sorted, [label, label + 1])
            same = distances[self._order[first:stop]]
            table[1] = np.bincount(same, minlength=width)
        return table


class MatrixGrades(Grades):
    """Grades by zero-or-one rows: the number of labels that are shared.

    For each label it keeps the positions of the items that have it: most items
    share nothing with a query, and so are never looked at. The rows are packed
    64 labels to a word too, for the grades of single items.
    """

    def __init__(self, query_labels, database_labels):
        self.unlabelled_queries = int(unlabelled(query_labels).sum())
        self._labels = [np.flatnonzero(row) for row in query_labels]
        self._having = _positions_by_label(database_labels)
        self._queries = _label_words(query_labels)
        self._items = _label_words(database_labels)
        self._dtype = np.min_scalar_type(database_labels.shape[1])

    def of(self, query, positions):
        total = np.zeros(len(positions), self._dtype)
        for word, items in zip(
            self._queries[:, query], self._items, strict=True
        ):
            # A query has few labels: most words of a long row are empty.
            if word:
                total += np.bitwise_count(items[positions] & word)
        return total

    def relevant_table(self, query, distances, width):
        lists = [self._having[label] for label in self._labels[query]]
        if not lists:
            return np.zeros((1, width), np.int64)
        grade = np.zeros(len(distances), self._dtype)
        for positions in lists:
            grade[positions] += 1
        # An item of grade g is in g of the lists, and so is counted g times.
        positions = np.concatenate(lists)
        keys = grade[positions].astype(np.intp)
        keys *= width
        keys += distances[positions]
        depth = len(lists) + 1
        table = np.bincount(keys, minlength=depth * width)
        table = table.reshape(depth, width)
        table[1:] //= np.arange(1, depth)[:, None]
        return table


class FunctionGrades(Grades):
    """Grades that a user's function gives."""

    def __init__(self, function, n):
        self._function, self._n = function, n

    def of(self, query, positions):
        return self._all(query)[positions]

    def relevant_table(self, query, distances, width):
        grades = self._all(query)
        positions = np.flatnonzero(grades)
        keys = grades[positions] * width + distances[positions]
        depth = int(grades.max(initial=0)) + 1
        table = np.bincount(keys, minlength=depth * width)
        return table.reshape(depth, width)

    def _all(self, query):
        grades = np.asarray(self._function(query, slice(0, self._n)))
        if grades.shape != (self._n,) or grades.dtype.kind not in "biu":
            raise ValueError(
                "A relevance function must return one integer or boolean for"
                f" each of the {self._n} items of its slice."
                f" Received: shape={grades.shape}, dtype={grades.dtype}"
            )
        if grades.dtype.kind == "i" and (grades < 0).any():
            raise ValueError(
                "A relevance function must return no negative grade."
                f" Received: {grades.min()}"
            )
        if grades.max(initial=0) > LARGEST_GRADE:
            raise ValueError(
                "A relevance function must return grades of at most"
                f" {LARGEST_GRADE}: NDCG takes 2 to their power."
                f" Received: {grades.max()}"
            )
        return grades.astype(np.int64, copy=False)


def _label_words(labels):
    """Packs a zero-or-one matrix `[n, L]` into uint64 `[ceil(L / 64), n]`."""
    packed = np.packbits(labels, axis=1)
    padded = np.zeros((len(labels), -(-labels.shape[1] // 64) * 8), np.uint8)
    padded[:, : packed.shape[1]] = packed
    return np.ascontiguousarray(padded.view(np.uint64).T)


def _positions_by_label(labels):
    """Returns, for each label, the rising positions of the items with it."""
    rows, columns = [], []
    for start in range(0, len(labels), ROWS):
        found = np.nonzero(labels[start : start + ROWS])
        rows.append((found[0] + start).astype(np.int32))
        columns.append(found[1].astype(np.uint16))
    columns = np.concatenate([np.zeros(0, np.uint16), *columns])
    rows = np.concatenate([np.zeros(0, np.int32), *rows])
    # Of two bytes, a stable sort is numpy's radix sort.
    rows = rows[np.argsort(columns, kind="stable")]
    sizes = np.bincount(columns, minlength=labels.shape[1])
    return np.split(rows, np.cumsum(sizes)[:-1])
