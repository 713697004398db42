"""Labels, and which items they make relevant to which query."""

import numpy as np

ROWS = 2**16


def check_labels(labels, n=None, name="labels"):
    """Checks labels and gives them the dtype that the metrics work with.

    Args:
        labels: Class ids, integer `[n]` or `[n, 1]`, negative where unknown;
            or a zero-or-one matrix `[n, L]` with L > 1 of any dtype, where a
            row of zeros is an unlabelled item. One column is a column of ids,
            as the losses read it.
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


def unlabelled(labels):
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
    return ~labels.any(axis=1)


def relevance(query_labels, database_labels):
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
