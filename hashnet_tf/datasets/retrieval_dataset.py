"""What a loaded data set is."""

import dataclasses
import functools

import numpy as np
import numpy.typing as npt

from hashnet_tf.datasets.images.image_set import ImageSet
from hashnet_tf.datasets.protocol import OVERLAPS, Expected
from hashnet_tf.datasets.sources.walking import SHOWN, Account

PARTS = ("train", "query", "database")


@dataclasses.dataclass(frozen=True)
class RetrievalDataset:
    """The images to train on, to ask with and to find.

    Two images are similar, and the one relevant to the other, if they share a
    label. Where the source has no labels, what needs them refuses; where pairs
    are given in their place, queries and database have a label for each query,
    which are itself and what belongs to it, and the training images none.

    Attributes:
        name: Str, the word that loads it.
        protocol: Str, how the parts were drawn; stands beside every figure.
        train: `ImageSet`.
        query: `ImageSet`.
        database: `ImageSet`.
        class_names: List of str, or None where they are not known.
        at: Int R of the protocol's MAP@R, or None where it names none.
        expected: `Expected`, what a full copy should measure.
        overlaps: Tuple of str, of "train-query", "train-database" and
            "query-database": which parts may share images.
        remarks: Tuple of str, what was missing or left out when it was read.
        account: `hashnet_tf.datasets.sources.walking.Account` of all files
            that the source met where it walked folders, or None.
        pairs: int64 `[m, 3]`, rows of `train` and s_ij of the pairs to train
            by: 1 similar, 0 dissimilar, -1 unknown. None: labels train.

    Raises:
        ValueError: If a part is empty, `overlaps` are not as above, or the
            training images have labels of fewer than two classes, of which no
            pair can be dissimilar.
    """

    name: str
    protocol: str
    train: ImageSet
    query: ImageSet
    database: ImageSet
    class_names: list[str] | None = None
    at: int | None = None
    expected: Expected = Expected()
    overlaps: tuple[str, ...] = ("train-database",)
    remarks: tuple[str, ...] = ()
    account: Account | None = None
    pairs: npt.NDArray[np.int64] | None = None

    def __post_init__(self) -> None:
        if unknown := set(self.overlaps) - set(OVERLAPS):
            raise ValueError(
                f"`overlaps` must be of {', '.join(OVERLAPS)}."
                f" Received: {', '.join(sorted(unknown))}"
            )
        for part in PARTS:
            if len(getattr(self, part)) == 0:
                raise ValueError(
                    "Each part needs at least one image."
                    f" Received: {self.name} with no {part} images"
                )
        if not self.train.is_labelled:
            return
        labels = self.train.labels
        if labels.ndim == 1:
            classes = len(np.unique(labels[labels >= 0]))
        else:
            classes = int((labels > 0).any(axis=0).sum())
        if classes < 2:
            raise ValueError(
                "The training images must have at least two classes."
                f" Received: {self.name} with {classes}"
            )

    @property
    def is_labelled(self) -> bool:
        """Whether what is asked and found has labels, though not all perhaps.

        What is trained on has some too, unless there are pairs in their place.
        """
        parts = PARTS if self.pairs is None else PARTS[1:]
        return all(getattr(self, part).is_labelled for part in parts)

    def describe(self) -> str:
        """Returns one line: parts' sizes, protocol, account of files, notes."""
        parts = ", ".join(
            f"{len(getattr(self, part))} {part}" for part in PARTS
        )
        notes = "".join(f" Note: {note}." for note in self.notes)
        account = f" Files: {self.files.text()}." if self.files else ""
        if self.pairs is not None:
            similar = (self.pairs[:, 2] > 0).sum()
            parts += f", {len(self.pairs):,} pairs ({similar:,} similar)"
        return f"{self.name}: {parts}. {self.protocol}{account}{notes}"

    @functools.cached_property
    def files(self) -> Account | None:
        """`account`, with the images that no part holds as passed over."""
        if self.account is None:
            return None
        held = {name for part in PARTS for name in getattr(self, part).names}
        return self.account.using(len(held))

    @functools.cached_property
    def notes(self) -> list[str]:
        """List of str: what else bears on the figures.

        What was left out when it was read; parts of another size than in a
        full copy; images without a label; images that a part holds more than
        once; queries that are among the training images or in the database
        too, which a part drawn here never is but a listed one may be.
        """
        notes, names = list(self.remarks), {}
        # Those that pairs make are of few images.
        of_labels = self.is_labelled and self.train.is_labelled
        for part in PARTS:
            images = getattr(self, part)
            names[part] = images.identities()
            of_part = f"of {len(images)} {part} images"
            expected = getattr(self.expected, part)
            if expected not in (None, len(images)):
                notes.append(
                    f"{len(images)} {part} images, where a full copy has"
                    f" {expected}"
                )
            if of_labels and (count := images.unlabelled.sum()):
                notes.append(f"{count} {of_part} have no label")
            if again := len(images) - len(set(names[part])):
                notes.append(f"{again} {of_part} repeat another")
        for part in ("train", "database"):
            there = set(names[part])
            if shared := sum(name in there for name in names["query"]):
                notes.append(
                    f"{shared} of {len(self.query)} query images are {part}"
                    " images too"
                )
        if self.is_labelled and (lone := self._without_relevant()):
            notes.append(lone)
        return notes

    def _without_relevant(self) -> str | None:
        """Returns a note of the queries that can find nothing relevant."""
        asked, there = self.query.labels, self.database.labels
        if asked.ndim != there.ndim:
            return None
        if asked.ndim == 1:
            lone = (asked >= 0) & ~np.isin(asked, there)
            classes = np.unique(asked[lone])
        else:
            found = (there == 1).any(axis=0)
            # What may be relevant by an unknown label is none of these.
            may = ((asked != 0) & found) | (asked == -1)
            lone = ~self.query.unlabelled & ~may.any(axis=1)
            classes = np.flatnonzero((asked[lone] == 1).any(axis=0))
        if not lone.any():
            return None
        named = [
            str(label) if self.class_names is None else self.class_names[label]
            for label in classes[:SHOWN].tolist()
        ]
        more = ", ..." if len(classes) > SHOWN else ""
        return (
            f"{lone.sum()} of {len(asked)} query images find nothing relevant,"
            f" for no database image has their labels ({', '.join(named)}"
            f"{more})"
        )
