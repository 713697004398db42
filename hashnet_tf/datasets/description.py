"""What a loaded data set measures, beside what it should."""

import collections.abc
import dataclasses

import numpy as np

from hashnet_tf.datasets.protocol import Expected
from hashnet_tf.datasets.retrieval_dataset import PARTS, RetrievalDataset
from hashnet_tf.losses.pair_counts import PairCounts, count_pairs
from hashnet_tf.retrieval.labels import label_width


@dataclasses.dataclass(frozen=True)
class Description:
    """The counts of a data set.

    Attributes:
        dataset: `RetrievalDataset`.
        histogram: Dict from part to the number of its images with each label,
            int64 `[labels]`.
        pairs: `PairCounts` of the training images, as the loss counts them:
            ordered, and without pairs of an image with itself.
        pairs_with_self: `PairCounts` with these, as the paper's ratios and
            those of its released lists are counted.

    Example:

    >>> import hashnet_tf as hn
    >>> from hashnet_tf.datasets.description import describe
    >>> found = describe(hn.datasets.load("digits"))
    >>> found.histogram["query"].tolist()
    [20, 20, 20, 20, 20, 20, 20, 20, 20, 20]
    >>> found.pairs_with_self.weights[0]
    10.0
    """

    dataset: RetrievalDataset
    histogram: dict[str, np.ndarray]
    pairs: PairCounts
    pairs_with_self: PairCounts

    @property
    def measured(self) -> Expected:
        """`Expected` with what was found in the place of each number."""
        sizes = {part: len(getattr(self.dataset, part)) for part in PARTS}
        train, query = self.dataset.train, self.dataset.query
        similar, dissimilar = None, None
        if self.pairs_with_self.similar and self.pairs_with_self.dissimilar:
            similar, dissimilar = self.pairs_with_self.weights
        return Expected(
            **sizes,
            labels=len(self.histogram["train"]),
            unlabelled_train=int(train.unlabelled.sum()),
            unlabelled_query=int(query.unlabelled.sum()),
            labels_per_image=self.labels_per_image("train"),
            similar_weight=similar,
            dissimilar_weight=dissimilar,
        )

    def labels_per_image(self, part: str) -> float:
        """Returns the mean number of labels of the images of a part."""
        return float(
            self.histogram[part].sum() / len(getattr(self.dataset, part))
        )

    def against_expected(self) -> list[tuple[str, float, float | None]]:
        """Sets what was found beside what is expected.

        Returns:
            List of `(name, expected, found)`, for each number that the
            protocol expects.
        """
        expected = dataclasses.asdict(self.dataset.expected)
        found = dataclasses.asdict(self.measured)
        return [
            (name, value, found[name])
            for name, value in expected.items()
            if value is not None
        ]

    def differences(self) -> list[str]:
        """Returns a list of str, one for each number that is not as expected.

        Numbers are compared to as many digits as the protocol tells.
        """
        rows = [_difference_row(*row) for row in self.against_expected()]
        return [
            f"{name}: expected {expected}, found {found}, {difference}"
            for name, expected, found, difference in rows
            if difference != "0"
        ]

    def text(self) -> str:
        """Returns all of it as lines for people to read."""
        dataset = self.dataset
        lines = [dataset.name, dataset.protocol, *_notes(dataset), ""]
        lines += _table(
            ["part", "images", "unlabelled", "labels an image"],
            [
                [
                    part,
                    f"{len(getattr(dataset, part)):,}",
                    f"{getattr(dataset, part).unlabelled.sum():,}",
                    f"{self.labels_per_image(part):.3f}",
                ]
                for part in PARTS
            ],
        )
        lines += ["", "Ordered pairs of training images:"]
        lines += _table(
            ["", "|S1|", "|S0|", "|S|/|S1|", "|S|/|S0|", "|S0|/|S1|"],
            [
                _pair_row("i != j, as the loss counts", self.pairs),
                _pair_row("i = j too, as the paper", self.pairs_with_self),
            ],
        )
        if rows := self.against_expected():
            lines += ["", "Beside what a full copy should measure:"]
            lines += _table(
                ["", "expected", "found", "difference"],
                [_difference_row(*row) for row in rows],
            )
        lines += ["", "Images with each label:"]
        names, counts = dataset.class_names, list(self.histogram.values())
        shown = range(len(counts[0]))
        if names is None:
            # Ids may be far apart.
            names, shown = shown, np.flatnonzero(np.any(counts, axis=0))
        lines += _table(
            ["label", *PARTS],
            [
                [str(names[i]), *(f"{count[i]:,}" for count in counts)]
                for i in shown
            ],
        )
        return "\n".join(lines)


def describe(dataset: RetrievalDataset) -> Description:
    """Counts the labels and the pairs of a data set.

    Args:
        dataset: `RetrievalDataset`.

    Returns:
        `Description`.

    Example:

    >>> import hashnet_tf as hn
    >>> from hashnet_tf.datasets.description import describe
    >>> describe(hn.datasets.load("digits")).pairs.dissimilar
    900000
    """
    parts = [getattr(dataset, part) for part in PARTS]
    ids = [part.labels for part in parts if part.labels.ndim == 1]
    if len(ids) == len(parts):
        width = max(int(labels.max()) for labels in ids) + 1
        width = max(width, len(dataset.class_names or ()))
    else:
        width = label_width(dataset)
    histogram = {}
    for part in PARTS:
        labels = getattr(dataset, part).labels
        if labels.ndim == 1:
            of_part = np.bincount(labels[labels >= 0], minlength=width)
        else:
            of_part = (labels == 1).sum(axis=0)
        histogram[part] = of_part
    return Description(
        dataset,
        histogram,
        count_pairs(dataset.train.labels),
        count_pairs(dataset.train.labels, include_self=True),
    )


def _notes(dataset: RetrievalDataset) -> collections.abc.Iterator[str]:
    if dataset.at is not None:
        yield f"MAP@{dataset.at}"
    if dataset.files is not None:
        yield f"Files: {dataset.files.text()}."
    for note in dataset.notes:
        yield f"Note: {note}."


def _pair_row(name: str, pairs: PairCounts) -> list[str]:
    row = [name, f"{pairs.similar:,}", f"{pairs.dissimilar:,}"]
    if not pairs.similar or not pairs.dissimilar:
        return [*row, "-", "-", "-"]
    similar, dissimilar = pairs.weights
    ratio = pairs.dissimilar / pairs.similar
    return [*row, f"{similar:.4f}", f"{dissimilar:.4f}", f"{ratio:.4f}"]


def _difference_row(
    name: str, expected: float, found: float | None
) -> list[str]:
    # As far as the expected number is told: 2.9287 is 2.929.
    digits = len(repr(expected).partition(".")[2])
    shape = f",.{digits}f"
    if found is None:
        return [name, f"{expected:{shape}}", "-", "-"]
    difference = round(round(found, digits) - expected, digits)
    told = f"{difference:+{shape}}" if difference else "0"
    return [name, f"{expected:{shape}}", f"{found:{shape}}", told]


def _table(head: list[str], rows: list[list[str]]) -> list[str]:
    """Returns lines: the first column to the left, the others to the right."""
    rows = [head, *rows]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(
            cell.ljust(width) if i == 0 else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]
