"""What codes leave of the similarity of pairs."""

import numpy as np


class PairResidual:
    """R = r S - sum_j y_j y_j^T, never written out.

    S `[l, l]` is +1 where two items share a label and -1 elsewhere. Items that
    share with the same others have the same row in it: those of one class, of
    the same labels, or where one label always comes with another. So S takes
    only its values between the distinct rows, of which there are m; a product
    with R costs m^2 + l (2 r + 1) instead of l^2 operations for each column.

    Args:
        labels: Zero-or-one matrix, float `[l, L]`, no row all zeros.
        bits: Int >= 1, r.

    Attributes:
        similar: Boolean, whether every pair is similar.
        bits: Int, r.
        codes: float64 `[l, k]`, the k bits y_j so far.
        objective: Float, ||R||_F^2 / (r l)^2.

    Example:

    >>> import numpy as np
    >>> from hashnet_tf.baselines.pair_residual import PairResidual
    >>> rest = PairResidual(np.array([[1, 0], [0, 1], [1, 0]]), bits=4)
    >>> rest.take(np.array([1.0, -1.0, 1.0]))
    >>> (rest @ np.eye(3)).tolist()
    [[3.0, -3.0, 3.0], [-3.0, 3.0, -3.0], [3.0, -3.0, 3.0]]
    >>> rest.objective
    0.5625
    """

    def __init__(self, labels, bits):
        n = len(labels)
        labels, of_labels = np.unique(labels, axis=0, return_inverse=True)
        similarity = np.where(labels @ labels.T > 0, 1.0, -1.0)
        _, first, kind = np.unique(
            similarity, axis=0, return_index=True, return_inverse=True
        )
        self._similarity = similarity[np.ix_(first, first)]
        self._kind = kind.reshape(-1)[of_labels.reshape(n)]
        self._order = np.argsort(self._kind, kind="stable")
        self._starts = np.searchsorted(
            self._kind[self._order], np.arange(len(first))
        )
        self.similar = bool((self._similarity > 0).all())
        self.bits = bits
        self.codes = np.empty((n, 0))
        self.objective = 1.0

    def __matmul__(self, y):
        of_kinds = np.add.reduceat(y[self._order], self._starts, axis=0)
        shared = (self.bits * (self._similarity @ of_kinds))[self._kind]
        return shared - self.codes @ (self.codes.T @ y)

    def take(self, y):
        """Takes y y^T away, of the next bit y, float64 `[l]` of -1 and +1."""
        gain = len(y) ** 2 - 2 * (y @ (self @ y))
        self.objective += float(gain) / (self.bits * len(y)) ** 2
        self.codes = np.column_stack([self.codes, y])
