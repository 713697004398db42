"""How the parts of a data set are drawn from all its images."""

import dataclasses

SCOPES = ("all", "train", "test")


@dataclasses.dataclass(frozen=True)
class Draw:
    """Which images of a source one part takes.

    Attributes:
        of: "all" images, or those of the source's own "train" or "test" part.
        count: Int, how many to draw of these, whatever their labels.
        per_class: Int, how many to draw of each class or label. Without
            either, all are taken.

    Raises:
        ValueError: If `of` is none of these, both numbers are given or one is
            no positive int.

    Example:

    >>> from hashnet_tf.datasets.drawing import Draw
    >>> Draw(of="test", per_class=100).text()
    '100 a class of the test part'
    """

    of: str = "all"
    count: int | None = None
    per_class: int | None = None

    def __post_init__(self):
        if self.of not in SCOPES:
            raise ValueError(
                f"`of` must be one of {SCOPES}. Received: of={self.of!r}"
            )
        if self.count is not None and self.per_class is not None:
            raise ValueError(
                "Either `count` or `per_class` may be given."
                f" Received: count={self.count}, per_class={self.per_class}"
            )
        for name in ("count", "per_class"):
            value = getattr(self, name)
            if value is not None and (type(value) is not int or value < 1):
                raise ValueError(
                    f"`{name}` must be a positive int."
                    f" Received: {name}={value!r}"
                )

    def text(self, rest=None):
        """Returns what is drawn, in words.

        Args:
            rest: Str, what `of="all"` stands for, or None where a number
                needs no more words.
        """
        part = rest if self.of == "all" else f"the {self.of} part"
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
        classes: Int, how many classes are drawn before all else and kept
            alone, or None for all.
        labels: Int, how many labels, the most frequent ones, are kept, or
            None for all.
        labelled: Whether images without a label are left out before all else.

    Raises:
        ValueError: If a value is not as above.

    Example:

    >>> from hashnet_tf.datasets.drawing import Draw, Drawing
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

    def __post_init__(self):
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
    def needs_test_part(self):
        """Whether the source must say which images are its test part."""
        scopes = (self.query.of, self.train.of, self.database)
        return any(scope != "all" for scope in scopes)

    def text(self, seed):
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
