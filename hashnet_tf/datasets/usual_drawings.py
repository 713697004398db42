"""How the parts are drawn of a source that has no protocol."""

import numpy as np
import numpy.typing as npt

from hashnet_tf.datasets.splits import Draw, Drawing, each_class

# Of a source without labels.
MOST_ASKED = 1000


def usual_drawing(
    labels: npt.ArrayLike,
    has_test: bool,
    query_per_class: int | None,
    train_per_class: int | None,
    held_out: float = 0.0,
) -> Drawing:
    """Returns how the parts of a source without a protocol are drawn.

    Queries are drawn from the test part, or from everything where there is
    none; all that is no query is the database; training images are drawn from
    the database, less the test part. Nothing unlabelled is drawn; where all of
    a part is taken, it is among it.

    Args:
        labels: Class ids `[n]`, below 0 where unlabelled, or a zero-or-one
            matrix `[n, L]`.
        has_test: Whether the source has a test part.
        query_per_class: Positive int; None takes the whole test part or,
            without one, a tenth of the smallest class.
        train_per_class: Positive int; None takes all but `held_out`.
        held_out: Float, as in `Draw`, which nothing is of where
            `train_per_class` is given.

    Returns:
        `Drawing`.

    Raises:
        ValueError: If no image is labelled or a number is not as it must be.

    Example:

    >>> import numpy as np
    >>> from hashnet_tf.datasets.usual_drawings import usual_drawing
    >>> usual_drawing(np.repeat([0, 1], 50), False, None, 20).text(seed=0)
    'Queries: 5 a class; database: the rest; training images: 20 a class of \
it; seed 0.'
    """
    labels = np.asarray(labels)
    sizes = [len(places) for _, places in each_class(labels)]
    if not sizes:
        raise ValueError(
            "The source must hold labelled images."
            f" Received: {len(labels)} images, none of them labelled"
        )
    if query_per_class is None and not has_test:
        query_per_class = max(1, min(sizes) // 10)
    return Drawing(
        query=Draw("test" if has_test else "all", per_class=query_per_class),
        train=Draw(
            "train" if has_test else "all",
            per_class=train_per_class,
            held_out=held_out if train_per_class is None else 0.0,
        ),
    )


def unlabelled_drawing(count: int, has_test: bool) -> Drawing:
    """Returns how the parts of a source without labels are drawn.

    As by `usual_drawing`, but that a tenth of all images ask, and at most as
    many as tell a share to some per cent.

    Args:
        count: Int, how many images there are.
        has_test: Whether the source has a test part, which asks then.

    Returns:
        `Drawing`.

    Example:

    >>> from hashnet_tf.datasets.usual_drawings import unlabelled_drawing
    >>> unlabelled_drawing(500, has_test=False).text(seed=0)
    'Queries: 50; database: the rest; training images: all of it; seed 0.'
    """
    if has_test:
        return Drawing(query=Draw("test"), train=Draw("train"))
    asked = min(max(1, count // 10), MOST_ASKED)
    return Drawing(query=Draw(count=asked), train=Draw())
