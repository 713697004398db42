"""Labels: what they must be, and what they make relevant."""

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from hashnet_tf.datasets.retrieval_dataset import RetrievalDataset

# Class ids int64 [n], or a zero-or-one matrix uint8 [n, L].
CheckedLabels = npt.NDArray[np.int64] | npt.NDArray[np.uint8]

ROWS = 2**16

LARGEST_ID = 2**63 - 1

# A row of more labels would be a mistake of millions of bytes an image.
MAX_WIDTH = 2**16


def check_labels(
    labels: npt.ArrayLike, n: int | None = None, name: str = "labels"
) -> CheckedLabels:
    """Checks labels and gives them the dtype that the metrics work with.

    Args:
        labels: Class ids, integer `[n]` or `[n, 1]`, negative where unknown;
            or a zero-or-one matrix `[n, L]` with L > 1 of any dtype, where a
            row of zeros is an unlabelled item. One column is a column of ids,
            as the losses read it. Soft labels are refused: what is measured
            must be known.
        n: Int, the number of items, or None for any.
        name: What to call the array in an error.

    Returns:
        Ids as int64 `[n]`, or the matrix as uint8 `[n, L]`.

    Raises:
        ValueError: If the labels are empty, are not one for each item or have
            another shape, if ids are not integers or if a matrix holds
            anything but 0 and 1.

    Example:

    >>> from hashnet_tf.retrieval.labels import check_labels
    >>> check_labels([[True, False], [False, False]], 2)
    array([[1, 0],
           [0, 0]], dtype=uint8)
    """
    labels = np.asarray(labels)
    if labels.ndim not in (1, 2) or labels.size == 0:
        raise ValueError(
            f"`{name}` must be class ids [n] or a zero-or-one matrix"
            " [n, labels], and not empty."
            f" Received: {name}.shape={labels.shape}"
        )
    if n is not None and len(labels) != n:
        raise ValueError(
            f"`{name}` must hold one label or row for each of {n} items."
            f" Received: {name}.shape={labels.shape}"
        )
    if labels.ndim == 2 and labels.shape[1] == 1:
        labels = labels[:, 0]
    if labels.ndim == 1:
        if labels.dtype.kind not in "iu":
            raise ValueError(
                f"`{name}` must be integers where they are class ids."
                f" Received: {name}.dtype={labels.dtype}"
            )
        if labels.dtype == np.uint64 and labels.max() > LARGEST_ID:
            # Else it would turn into a negative one, which is unknown.
            raise ValueError(
                f"`{name}` must be class ids up to {LARGEST_ID}."
                f" Received: {labels.max()}"
            )
        return labels.astype(np.int64)
    if labels.dtype == bool:
        return labels.view(np.uint8)
    # In stretches: a comparison of millions of rows is as large as they are.
    for start in range(0, len(labels), ROWS):
        rows = labels[start : start + ROWS]
        wrong = ~((rows == 0) | (rows == 1))
        if wrong.any():
            row, column = np.argwhere(wrong)[0]
            raise ValueError(
                f"`{name}` must hold only 0 and 1 where it is a matrix."
                f" Received: {name}[{start + row}, {column}]="
                f"{rows[row, column]}"
            )
    return labels.astype(np.uint8, copy=False)


def unlabelled(labels: npt.NDArray) -> npt.NDArray[np.bool_]:
    """Finds the items without any label.

    Args:
        labels: Ids `[n]` or matrix `[n, L]`, as `check_labels` returns them.

    Returns:
        Boolean `[n]`, True where an id is negative or a row all zeros.

    Example:

    >>> import numpy as np
    >>> from hashnet_tf.retrieval.labels import unlabelled
    >>> unlabelled(np.array([3, -1, 0])).tolist()
    [False, True, False]
    """
    if labels.ndim == 1:
        return labels < 0
    return ~np.any(labels, axis=1)


def relevance(
    query_labels: npt.NDArray, database_labels: npt.NDArray
) -> npt.NDArray[np.bool_]:
    """Says which items are relevant to which query.

    Two items are similar iff they share at least one label (HashNet, ICCV
    2017, section 4.1). An unlabelled item shares none, with nobody.

    Args:
        query_labels: Ids `[q]` or matrix `[q, L]`, as `check_labels` returns
            them.
        database_labels: Ids `[n]` or matrix `[n, L]`, likewise.

    Returns:
        Boolean `[q, n]`.

    Raises:
        ValueError: If one of the two are ids and the other a matrix, or if
            the matrices differ in L.

    Example:

    >>> import numpy as np
    >>> from hashnet_tf.retrieval.labels import relevance
    >>> relevance(np.array([1, -1]), np.array([0, 1, -1])).tolist()
    [[False, True, False], [False, False, False]]
    """
    if query_labels.shape[1:] != database_labels.shape[1:]:
        raise ValueError(
            "`query_labels` and `database_labels` must both be class ids or"
            " both matrices over the same labels."
            f" Received: query_labels.shape={query_labels.shape},"
            f" database_labels.shape={database_labels.shape}"
        )
    if query_labels.ndim == 2:
        # Counts of shared labels are exact in float32 and use BLAS.
        left = query_labels.astype(np.float32, copy=False)
        return left @ database_labels.T.astype(np.float32, copy=False) > 0
    same = query_labels[:, None] == database_labels[None, :]
    same[query_labels < 0] = False
    return same


def label_width(dataset: "RetrievalDataset") -> int:
    """Returns how many labels the matrices of a data set have.

    Args:
        dataset: `RetrievalDataset` of class ids, matrices or both: column k is
            class k.

    Returns:
        Int: the columns of the matrices and the number of class names, or,
        without either, the largest class id and one more.

    Raises:
        ValueError: If these differ, a class has no column, or there are too
            many.

    Example:

    >>> import hashnet_tf as hn
    >>> from hashnet_tf.retrieval.labels import label_width
    >>> label_width(hn.datasets.load("digits"))
    10
    """
    parts = [dataset.train, dataset.query, dataset.database]
    ids = [part.labels for part in parts if part.labels.ndim == 1]
    largest = max((int(labels.max()) for labels in ids), default=-1)
    widths = {p.labels.shape[1] for p in parts if p.labels.ndim == 2}
    if dataset.class_names is not None:
        widths.add(len(dataset.class_names))
    widths = widths or {largest + 1}
    if len(widths) > 1 or not largest < max(widths) <= MAX_WIDTH:
        raise ValueError(
            "The parts, and the class names, need one number of labels, more"
            f" than the largest class id, {largest}, and at most {MAX_WIDTH}."
            f" Received: {dataset.name} with {sorted(widths)}"
        )
    return widths.pop()


def label_matrix(
    labels: npt.NDArray, width: int, unlabelled: int
) -> npt.NDArray:
    """Returns labels as a matrix.

    Args:
        labels: Class ids `[n]` below `width`, negative where unlabelled; or a
            matrix `[n, width]`, which is returned as it is.
        width: Int.
        unlabelled: 0 or -1, what fills the row of an image without a class id:
            -1 means to a training what a negative id does, that nothing is
            known; zeros would be dissimilar to everything.

    Returns:
        int8 `[n, width]`, or the given matrix.

    Example:

    >>> import numpy as np
    >>> from hashnet_tf.retrieval.labels import label_matrix
    >>> label_matrix(np.array([2, -1]), 3, unlabelled=-1).tolist()
    [[0, 0, 1], [-1, -1, -1]]
    """
    if labels.ndim == 2:
        return labels
    rows = np.zeros((len(labels), width), dtype=np.int8)
    labelled = np.flatnonzero(labels >= 0)
    rows[labelled, labels[labelled]] = 1
    rows[labels < 0] = unlabelled
    return rows
