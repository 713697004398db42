"""From the labels of a batch to s_ij, what is known, and c_ij."""

from keras import ops


def label_pairs(labels, overlap):
    """Compares every item of a batch with every other.

    Two items are similar if they share a label. An entry below zero is an
    unknown label: it can make a pair neither similar nor dissimilar, so a pair
    that shares no known label but could share an unknown one is not known.

    Args:
        labels: Class ids `[n]` or `[n, 1]`, or a zero-or-one matrix `[n, L]`
            with L > 1; float or integer tensor, -1 where unknown.
        overlap: Whether c_ij is the Jaccard overlap of the labels.

    Returns:
        Three tensors `[n, n]`: `similar` (boolean), `known` (boolean) and
        `continuous` (float32): c_ij is 1, or, with `overlap`, the number of
        shared labels divided by the number of labels that either has, on
        similar pairs only. Taken on dissimilar pairs too, as Eq. 2's wording
        has it, it would be 0 and remove every one of them from the loss.
    """
    if len(labels.shape) == 2 and labels.shape[-1] == 1:
        labels = ops.squeeze(labels, axis=-1)
    if len(labels.shape) == 1:
        return _pairs_of_ids(labels)
    positive = ops.cast(ops.greater(labels, 0), "float32")
    possible = ops.cast(ops.not_equal(labels, 0), "float32")
    shared = ops.matmul(positive, ops.transpose(positive))
    sharable = ops.matmul(possible, ops.transpose(possible))
    similar = ops.greater(shared, 0)
    known = ops.logical_or(similar, ops.equal(sharable, 0))
    if not overlap:
        return similar, known, ops.ones_like(shared)
    sizes = ops.sum(positive, axis=1)
    either = sizes[:, None] + sizes[None, :] - shared
    continuous = ops.where(similar, shared / ops.maximum(either, 1.0), 1.0)
    return similar, known, continuous


def _pairs_of_ids(ids):
    known = ops.greater_equal(ids, 0)
    known = ops.logical_and(known[:, None], known[None, :])
    similar = ops.logical_and(ops.equal(ids[:, None], ids[None, :]), known)
    return similar, known, ops.ones_like(similar, dtype="float32")
