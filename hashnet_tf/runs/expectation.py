"""What a search for a new picture may be expected to find."""

import dataclasses
import pathlib
import typing

import numpy as np

from hashnet_tf.datasets.images.vectors import Vectors
from hashnet_tf.retrieval import evaluate_distances, histograms
from hashnet_tf.retrieval.evaluation import two_standard_errors
from hashnet_tf.retrieval.labels import relevance
from hashnet_tf.retrieval.neighbor_evaluation import centred_unit
from hashnet_tf.runs.code_set import CodeSet

if typing.TYPE_CHECKING:
    from hashnet_tf.datasets import RetrievalDataset

K = 10
# Classes that are named, the worst first, and queries that are drawn.
WORST, DRAWN = 3, 6
# Queries that are looked at together.
ROWS = 256


@dataclasses.dataclass(frozen=True)
class Expectation:
    """How many of the pictures found for a new one are of its class.

    Measured by the queries among the pictures of the database that were not
    trained on: among those that were, a network finds what it has learned by
    heart. Where pairs were trained by in place of labels, by the queries, which
    are in none of them, among the whole database. The expected value over all
    orders of equal distances.

    Attributes:
        k: Int, how many pictures are shown.
        right: Float, how many of them share a label with the query, the mean
            over the queries.
        chance: Float, how many would by chance.
        most: Float, how many could at most: there may be fewer than `k` that
            share a label with a query.
        by_features: Float, how many would by the cosine of the backbone's
            features, centred; None where it was trained itself.
        times_larger: Float, how many times the bytes of a code the features
            take, or None.
        queries: Int, those that have a label.
        held_out: Int, the pictures of the database that were not trained on
            and do not ask; all of them where pairs were trained by.
        database: Int, all of them.
        by_class: Dict from the name of a class to `right` and `most` of its
            queries, the least share first; empty where pictures have several
            labels.
        unit: Str, what is found, "pictures" or "vectors".
        error: Float, two standard errors of `right` over the queries: of a
            small folder few ask, and another draw of them tells another number.
        by_pairs: Bool, whether pairs say what is right.

    Example:

    >>> from hashnet_tf.runs.expectation import Expectation
    >>> Expectation(10, 7.4, 2.0, 10.0, None, None, 100, 500, 2500).text()
    'Of the 10 pictures shown for a new one, 7.4 share its label (by chance \
2.0). Measured by 100 queries among the 500 of 2,500 pictures that were not \
trained on.'
    """

    k: int
    right: float
    chance: float
    most: float
    by_features: float | None
    times_larger: float | None
    queries: int
    held_out: int
    database: int
    by_class: dict[str, list[float]] = dataclasses.field(default_factory=dict)
    unit: str = "pictures"
    error: float = 0.0
    by_pairs: bool = False

    def text(self) -> str:
        """Returns it in words."""
        # Of what few pairs name little is found.
        digits = 2 if self.by_pairs else 1
        beside = f"by chance {self.chance:.{digits}f}"
        if self.by_features is not None and self.times_larger is not None:
            beside += (
                f"; by the float features, {self.times_larger:,.0f} times"
                f" larger, {self.by_features:.{digits}f}"
            )
        if self.most < self.k - 0.05:
            beside += f"; at most {self.most:.1f}, for some have fewer there"
        what = "are of its class" if self.by_class else "share its label"
        among = (
            f"the {self.held_out:,} of {self.database:,} {self.unit} that were"
            " not trained on"
        )
        if self.by_pairs:
            what = "were paired with it"
            among = f"{self.database:,} {self.unit}; they are in no pair of the"
            among += " training"
        more = ""
        if self.error >= 0.05:
            more = f", give or take {self.error:.1f}"
        told = (
            f"Of the {self.k} {self.unit} shown for a new one,"
            f" {self.right:.{digits}f} {what}{more} ({beside}). Measured by"
            f" {self.queries:,} queries among {among}."
        )
        worst = list(self.by_class.items())[:WORST]
        if len(self.by_class) > 1:
            told += " Worst: "
            told += ", ".join(
                f"{name} {right:.1f}"
                + (f" of {most:.1f}" if most < self.k - 0.05 else "")
                for name, (right, most) in worst
            )
            told += "."
        return told

    def as_dict(self) -> dict[str, typing.Any]:
        """Returns it as plain Python values, ready for JSON."""
        return dataclasses.asdict(self)


def expectation(
    dataset: "RetrievalDataset",
    query: CodeSet,
    database: CodeSet,
    features: dict[str, np.ndarray],
) -> Expectation | None:
    """Measures what may be expected of a run.

    Args:
        dataset: `RetrievalDataset` of the run, with labels.
        query: `CodeSet` of its queries.
        database: `CodeSet` of its database.
        features: Dict of the features of "query" and "database", float
            `[n, d]`, or empty.

    Returns:
        `Expectation`, or None if fewer than 10 pictures of the database were
        not trained on.
    """
    held = held_out(dataset)
    # Nothing is right for a query without a label.
    rows = np.flatnonzero(~dataset.query.unlabelled)
    if len(held) < K or not len(rows):
        return None
    asked, there = dataset.query.labels[rows], dataset.database.labels[held]
    counts = histograms(
        query.codes[rows], database.codes[held], asked, there, bits=query.bits
    )
    relevant = np.concatenate(
        [
            relevance(asked[start : start + ROWS], there).sum(axis=1)
            for start in range(0, len(asked), ROWS)
        ]
    )
    right, most = K * counts.precision_at_k(K), np.minimum(K, relevant)
    by_features = times = None
    if features:
        by_features = K * _by_features(
            features["query"][rows], features["database"][held], asked, there
        )
        times = 4 * features["query"].shape[1] / query.codes.shape[1]
    return Expectation(
        k=K,
        right=float(right.mean()),
        chance=float(K * relevant.mean() / len(held)),
        most=float(most.mean()),
        by_features=by_features,
        times_larger=times,
        queries=len(asked),
        held_out=len(held),
        database=len(database.ids),
        by_class=_by_class(dataset, asked, right, most),
        error=two_standard_errors(right),
        unit="vectors" if isinstance(dataset.query, Vectors) else "pictures",
        by_pairs=not dataset.train.is_labelled,
    )


def held_out(dataset: "RetrievalDataset") -> np.ndarray:
    """Returns the places of what is new of the database.

    Neither trained on nor a query, which would find itself; where pairs were
    trained by all of it, for no query is in one of them.

    Args:
        dataset: `RetrievalDataset`.
    """
    if not dataset.train.is_labelled:
        return np.arange(len(dataset.database))
    known = {*dataset.train.identities(), *dataset.query.identities()}
    return np.array(
        [
            place
            for place, name in enumerate(dataset.database.identities())
            if name not in known
        ],
        dtype=np.int64,
    )


def draw_expectation(
    dataset: "RetrievalDataset",
    query: CodeSet,
    database: CodeSet,
    path: pathlib.Path,
) -> pathlib.Path | None:
    """Draws the best and the worst queries with what is found for them.

    Args:
        dataset: As in `expectation`.
        query: As there.
        database: As there.
        path: `pathlib.Path` of the PNG.

    Returns:
        The path, or None where `expectation` gives none, or of vectors and of
        images that are not RGB, which cannot be drawn.
    """
    if isinstance(dataset.query, Vectors) or dataset.query.channels != 3:
        return None
    from hashnet_tf.datasets import pixel_array
    from hashnet_tf.plots import plot_neighbours
    from hashnet_tf.retrieval import search

    held = held_out(dataset)
    if len(held) < K:
        return None
    distances, found = search(query.codes, database.codes[held], 8)
    right = np.stack(
        [
            relevance(
                dataset.query.labels[row : row + 1],
                dataset.database.labels[held[places]],
            )[0]
            for row, places in enumerate(found)
        ]
    )
    order = np.argsort(-right.sum(axis=1), kind="stable")
    order = order[~dataset.query.unlabelled[order]]
    rows = _of_several_classes(dataset, order, DRAWN // 2)
    worst = _of_several_classes(dataset, order[::-1], DRAWN // 2)
    rows += [row for row in worst[::-1] if row not in rows]
    side = (128, 128)
    wanted = held[np.unique(found[rows])]
    pixels = pixel_array(dataset.database.subset(wanted), side)
    of_place = dict(zip(wanted.tolist(), pixels, strict=True))
    # Rising, as a subset of a stream comes.
    rising = sorted(rows)
    pixels = pixel_array(dataset.query.subset(np.array(rising)), side)
    asked = dict(zip(rising, pixels, strict=True))
    return plot_neighbours(
        [asked[row] for row in rows],
        [[of_place[p] for p in held[found[row]].tolist()] for row in rows],
        right[rows],
        [[str(d) for d in distances[row]] for row in rows],
        path,
    )


def _of_several_classes(
    dataset: "RetrievalDataset", order: np.ndarray, count: int
) -> list[int]:
    """Returns the first queries, those of other classes before more of one."""
    labels = dataset.query.labels
    rows = order.tolist()
    if labels.ndim == 1:
        # A sort keeps the order of those that are the first of their class.
        seen: dict[int, int] = {}
        turn = {}
        for row in rows:
            turn[row] = seen[label] = (
                seen.get(label := int(labels[row]), -1) + 1
            )
        rows = sorted(rows, key=turn.__getitem__)
    return rows[:count]


def _by_features(asked, there, asked_labels, labels) -> float:
    """Returns precision at K by the cosine of the centred features."""
    mean = there.mean(axis=0, dtype=np.float64)
    asked, there = centred_unit(asked, mean), centred_unit(there, mean)
    report = evaluate_distances(
        lambda rows: 1 - asked[rows] @ there.T,
        asked_labels,
        labels,
        ranks=[K],
        file_order=False,
    )
    return report.precision_at[K]


def _by_class(
    dataset: "RetrievalDataset",
    labels: np.ndarray,
    right: np.ndarray,
    most: np.ndarray,
) -> dict[str, list[float]]:
    if labels.ndim != 1:
        return {}
    names = dataset.class_names
    found = {}
    for label in np.unique(labels).tolist():
        of_class = labels == label
        name = str(label) if names is None else names[label]
        found[name] = [
            float(right[of_class].mean()),
            float(most[of_class].mean()),
        ]
    # What cannot be found there tells nothing of the codes.
    share = {n: r / m if m else 1.0 for n, (r, m) in found.items()}
    return {name: found[name] for name in sorted(found, key=share.__getitem__)}
