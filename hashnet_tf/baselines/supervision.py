"""What the supervised hash functions take from labels."""

import numpy as np

from hashnet_tf.retrieval.labels import check_labels, unlabelled


def check_supervision(features, labels):
    """Leaves out what has no label and turns the labels into a matrix.

    Args:
        features: `[n, d]`.
        labels: Class ids, integer `[n]`, negative where unlabelled; or a
            zero-or-one matrix `[n, L]`, a row of zeros where unlabelled; -1
            stands for unknown in it, and gives no label either.

    Returns:
        The features of the m labelled items `[m, d]`, and their labels as a
        zero-or-one matrix, float64 `[m, L]`; of class ids, L is the number of
        classes that occur.

    Raises:
        ValueError: If there are no labels, if they are not as above, or if all
            labelled items carry the same.

    Example:

    >>> import numpy as np
    >>> from hashnet_tf.baselines.supervision import check_supervision
    >>> check_supervision(np.eye(3), [7, -1, 2])[1]
    array([[0., 1.],
           [1., 0.]])
    """
    if labels is None:
        raise ValueError(
            "`labels` must be given, for this method is supervised."
            " Received: labels=None"
        )
    labels = np.asarray(labels)
    if labels.ndim == 2 and labels.shape[1] > 1:
        labels = np.where(labels == -1, 0, labels)
    labels = check_labels(labels, len(features))
    known = ~unlabelled(labels)
    labels = labels[known]
    if len(labels) == 0 or (labels == labels[0]).all():
        raise ValueError(
            "`labels` must tell at least two classes apart. Received: labels"
            f" of which {len(labels)} are known, all of them alike"
        )
    if labels.ndim == 1:
        labels = labels[:, None] == np.unique(labels)
    return features[known], labels.astype(np.float64)
