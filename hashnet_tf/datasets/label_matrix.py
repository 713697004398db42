"""Class ids as a matrix of labels."""

import numpy as np

# A row of more labels would be a mistake of millions of bytes an image.
MAX_WIDTH = 2**16


def label_width(dataset):
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
    >>> from hashnet_tf.datasets.label_matrix import label_width
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


def label_matrix(labels, width, unlabelled):
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
    >>> from hashnet_tf.datasets.label_matrix import label_matrix
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
