"""How the parts of a data set are drawn."""

import collections.abc
import dataclasses

import numpy as np
import numpy.typing as npt

SCOPES = ("all", "train", "test")


@dataclasses.dataclass(frozen=True)
class Draw:
    """Which images of a source one part takes.

    Attributes:
        of: "all" images, or those of the source's own "train" or "test" part.
        count: Int, how many to draw of these, whatever their labels.
        per_class: Int, how many to draw of each class or label.
        held_out: Float from 0 to below 1, the share of each class that is left
            where neither number is given; of images with several labels, of
            all images. At least one of two is left, and one taken. 0: all are
            taken.

    Raises:
        ValueError: If `of` is none of these, two of the numbers are given or
            one is no positive int, or no such share.

    Example:

    >>> from hashnet_tf.datasets.splits import Draw
    >>> Draw(of="test", per_class=100).text()
    '100 a class of the test part'
    """

    of: str = "all"
    count: int | None = None
    per_class: int | None = None
    held_out: float = 0.0

    def __post_init__(self) -> None:
        if self.of not in SCOPES:
            raise ValueError(
                f"`of` must be one of {SCOPES}. Received: of={self.of!r}"
            )
        given = (self.count is not None, self.per_class is not None)
        if sum(given) + (self.held_out != 0) > 1:
            raise ValueError(
                "One of `count`, `per_class` and `held_out` may be given."
                f" Received: count={self.count}, per_class={self.per_class},"
                f" held_out={self.held_out}"
            )
        if not 0 <= self.held_out < 1:
            raise ValueError(
                "`held_out` must be from 0 to below 1."
                f" Received: held_out={self.held_out!r}"
            )
        for name in ("count", "per_class"):
            value = getattr(self, name)
            if value is not None and (type(value) is not int or value < 1):
                raise ValueError(
                    f"`{name}` must be a positive int."
                    f" Received: {name}={value!r}"
                )

    def text(self, rest: str | None = None) -> str:
        """Returns what is drawn, in words.

        Args:
            rest: Str, what `of="all"` stands for, or None where a number
                needs no more words.
        """
        part = rest if self.of == "all" else f"the {self.of} part"
        if self.held_out:
            share = f"all but {100 * self.held_out:g} % a class"
            return share if part is None else f"{share} of {part}"
        if self.count is None and self.per_class is None:
            return part or "all images"
        number = f"{self.count or self.per_class}"
        number += "" if self.per_class is None else " a class"
        return number if part is None else f"{number} of {part}"


@dataclasses.dataclass(frozen=True)
class Drawing:
    """How queries, training images and database are drawn, in this order.

    Queries first; of the images that are no queries the training images; the
    database is what is left of its scope without the queries and, if so
    wished, without the training images.

    Attributes:
        query: `Draw`.
        train: `Draw`, from what `database` is drawn of, less the queries.
        database: "all" or "train": whose images it holds.
        train_in_database: Whether the training images are in it.
        classes: Int, how many classes are drawn before all else; only they
            are kept. None keeps all.
        labels: Int, how many labels, the most frequent ones, are kept, or
            None for all.
        labelled: Whether images without a label are left out before all else.

    Raises:
        ValueError: If a value is not as above.

    Example:

    >>> from hashnet_tf.datasets.splits import Draw, Drawing
    >>> drawing = Drawing(query=Draw(per_class=100), train=Draw(per_class=500))
    >>> drawing.text(seed=3)
    'Queries: 100 a class; database: the rest; training images: 500 a class \
of it; seed 3.'
    """

    query: Draw
    train: Draw
    database: str = "all"
    train_in_database: bool = True
    classes: int | None = None
    labels: int | None = None
    labelled: bool = False

    def __post_init__(self) -> None:
        if self.database not in ("all", "train"):
            raise ValueError(
                '`database` must be "all" or "train".'
                f" Received: database={self.database!r}"
            )
        for name, least in (("classes", 2), ("labels", 2)):
            value = getattr(self, name)
            if value is not None and (type(value) is not int or value < least):
                raise ValueError(
                    f"`{name}` must be an int of at least {least}."
                    f" Received: {name}={value!r}"
                )

    @property
    def needs_test_part(self) -> bool:
        """Whether the source must say which images are its test part."""
        scopes = (self.query.of, self.train.of, self.database)
        return any(scope != "all" for scope in scopes)

    def text(self, seed: int) -> str:
        """Returns the drawing in words, as it stands beside every figure."""
        kept = []
        if self.classes is not None:
            kept.append(f"{self.classes} classes drawn")
        if self.labels is not None:
            kept.append(f"the {self.labels} most frequent labels kept")
        if self.labelled:
            kept.append("images without a label left out")
        kept = f"{', '.join(kept)}; " if kept else ""
        database = "the rest"
        if self.database == "train":
            database = "the train part" + (
                "" if self.query.of == "test" else " less the queries"
            )
        training = self.train.text("it")
        if training == "it":
            training = "all of it"
        elif training == "the train part":
            training = "all of it but the test part"
        if not self.train_in_database:
            database += " less the training images"
            training = self.train.text()
        text = (
            f"queries: {self.query.text()}; database: {database}; training"
            f" images: {training}; seed {seed}."
        )
        text = kept + text
        return text[0].upper() + text[1:]


def draw_parts(
    labels: npt.ArrayLike,
    in_test: np.ndarray | None,
    drawing: Drawing,
    seed: int,
    class_names: collections.abc.Sequence[str] | None = None,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Draws the parts that a `Drawing` describes.

    Args:
        labels: Class ids `[n]`, below 0 where unlabelled, or a zero-or-one
            matrix `[n, L]`; what `drawing` leaves out has been left out.
        in_test: Boolean `[n]`, or None where the source has no test part.
        drawing: `Drawing`.
        seed: Int.
        class_names: The names of the classes, for messages, or None.

    Returns:
        `(train, query, database)`, rising index arrays.

    Raises:
        ValueError: If there are too few images, or a test part is needed and
            there is none.

    Example:

    >>> import numpy as np
    >>> from hashnet_tf.datasets.splits import Draw, Drawing
    >>> from hashnet_tf.datasets.splits import draw_parts
    >>> drawing = Drawing(Draw(count=10), Draw(count=20))
    >>> parts = draw_parts(np.repeat([0, 1], 50), None, drawing, seed=0)
    >>> [len(part) for part in parts]
    [20, 10, 90]
    """
    labels = np.asarray(labels)
    if in_test is None and drawing.needs_test_part:
        raise ValueError(
            "The parts are drawn from a source that says which images are its"
            " test (or validation) part. Received: a source without one"
        )
    everything = np.ones(len(labels), dtype=bool)
    scopes = {"all": everything}
    if in_test is not None:
        scopes |= {"train": ~in_test, "test": in_test}
    rng = np.random.default_rng(seed)
    query = _take(
        labels, drawing.query, scopes[drawing.query.of], rng, class_names
    )
    database = ~query & scopes[drawing.database]
    train = _take(
        labels,
        drawing.train,
        database & scopes[drawing.train.of],
        rng,
        class_names,
    )
    if not drawing.train_in_database:
        database &= ~train
    return (
        np.flatnonzero(train),
        np.flatnonzero(query),
        np.flatnonzero(database),
    )


def draw_per_class(
    labels: np.ndarray,
    count: int,
    rng: np.random.Generator,
    candidates: np.ndarray | None = None,
    class_names: collections.abc.Sequence[str] | None = None,
) -> np.ndarray:
    """Draws `count` images of each class or label.

    Where images have several labels, the rarest label draws first and no
    image is drawn twice, so that each label gets `count` images of its own,
    as is usual for NUS-WIDE.

    Args:
        labels: Class ids `[n]`, those below 0 of no class; or a zero-or-one
            matrix `[n, L]`.
        count: Positive int.
        rng: `numpy.random.Generator`.
        candidates: Boolean `[n]`, which images may be drawn, or None for all.
        class_names: As in `draw_parts`.

    Returns:
        Boolean `[n]`.

    Raises:
        ValueError: If a class has too few candidates.

    Example:

    >>> import numpy as np
    >>> from hashnet_tf.datasets.splits import draw_per_class
    >>> labels = np.array([0, 0, 1, 1])
    >>> int(draw_per_class(labels, 1, np.random.default_rng(0)).sum())
    2
    """
    drawn = np.zeros(len(labels), dtype=bool)
    for label, places in each_class(labels):
        free = ~drawn[places]
        if candidates is not None:
            free &= candidates[places]
        pool = places[free]
        if not 0 < count <= len(pool):
            name = str(label) if class_names is None else class_names[label]
            raise ValueError(
                "The number of images to draw must be between 1 and what each"
                f" class has; class {name} has {len(pool)}."
                f" Received: {count}"
            )
        drawn[rng.choice(pool, size=count, replace=False)] = True
    return drawn


def _take(
    labels: np.ndarray,
    draw: Draw,
    candidates: np.ndarray,
    rng: np.random.Generator,
    class_names: collections.abc.Sequence[str] | None,
) -> np.ndarray:
    if draw.per_class is not None:
        return draw_per_class(
            labels, draw.per_class, rng, candidates, class_names
        )
    if draw.count is None:
        taken = candidates.copy()
        taken[_left(labels, draw.held_out, candidates, rng)] = False
        return taken
    pool = np.flatnonzero(candidates)
    if draw.count > len(pool):
        raise ValueError(
            f"The source must hold as many images as are drawn, {draw.count}."
            f" Received: {len(pool)} images to draw from"
        )
    taken = np.zeros(len(labels), dtype=bool)
    taken[rng.choice(pool, size=draw.count, replace=False)] = True
    return taken


def _left(
    labels: np.ndarray,
    share: float,
    candidates: np.ndarray,
    rng: np.random.Generator,
) -> np.ndarray:
    """Returns the positions of a share of each class, drawn."""
    # Images without a label are a class here, those of a matrix all one.
    of = labels if labels.ndim == 1 else np.zeros(len(labels), dtype=int)
    left = [np.zeros(0, dtype=int)]
    for label in np.unique(of[candidates]) if share else ():
        there = np.flatnonzero(candidates & (of == label))
        count = min(max(round(share * len(there)), 1), len(there) - 1)
        left.append(rng.choice(there, size=count, replace=False))
    return np.concatenate(left)


def each_class(
    labels: np.ndarray,
) -> collections.abc.Iterator[tuple[int, np.ndarray]]:
    """Yields each class or label and the rising positions of its images.

    Args:
        labels: As in `draw_per_class`.

    Example:

    >>> import numpy as np
    >>> from hashnet_tf.datasets.splits import each_class
    >>> labels = np.array([5, -1, 5, 2])
    >>> [(label, found.tolist()) for label, found in each_class(labels)]
    [(2, [3]), (5, [0, 2])]
    """
    if labels.ndim == 1:
        # Sorted once: there may be as many classes as some images have pixels.
        order = np.argsort(labels, kind="stable")
        ids, starts = np.unique(labels[order], return_index=True)
        for label, places in zip(
            ids.tolist(), np.split(order, starts[1:]), strict=False
        ):
            if label >= 0:
                yield label, places
        return
    sizes = labels.sum(axis=0, dtype=np.int64)
    for label in np.argsort(sizes, kind="stable"):
        # A label that no image has is only in the source's list.
        if sizes[label]:
            yield int(label), np.flatnonzero(labels[:, label] == 1)
