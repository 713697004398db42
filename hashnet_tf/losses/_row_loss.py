"""What the losses share that give a value a row."""

import abc
import typing

import keras
import numpy as np

from hashnet_tf._types import Tensor, ops
from hashnet_tf.losses._labels import labels_in_numpy, read_labels
from hashnet_tf.losses._pairs import check_batch
from hashnet_tf.losses._replicas import Replicas
from hashnet_tf.losses.pair_counts import count_pairs

ALL_SIMILAR = (
    "Where a training has none, all codes become one: give pairs of both kinds"
    " (of clicks alone, train a PairModel by InBatchPairsLoss)."
)
# Among so many rows, a set of any size is all but sure to show a pair.
LOOKED_AT = 500
MEANS = ("mean", "sum_over_batch_size")


class Rows(typing.NamedTuple):
    """Labels that have been read, and which rows are there."""

    labels: Tensor
    present: Tensor


class RowLoss(keras.losses.Loss, abc.ABC):
    """A loss that looks at the labels of its rows, and at their weights.

    Abstract: a subclass gives `rows`, and `read` where its labels are others.
    Labels are read before Keras makes floats of them. A row with a
    `sample_weight` of 0 is not there: the value is that of the batch without
    it. Any other weight scales its row. All is computed in float32 under every
    dtype policy. Where replicas of `tf.distribute` have parts of the batch,
    each computes its rows of the whole: the mean over replicas is what one
    device has.

    Args:
        name: Str.
        reduction: As in `keras.losses.Loss`.
    """

    def __init__(self, name: str, reduction: str) -> None:
        # Exponents of inner products over K bits leave half precision.
        super().__init__(name=name, reduction=reduction, dtype="float32")

    def read(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        """Returns what labels of these outputs say, as `rows` takes them.

        Raises:
            ValueError: If shapes or values are not as they must be.
        """
        check_batch(y_true, y_pred)
        return read_labels(y_true)

    def tells_apart(self, labels: Tensor, name: str = "y") -> bool:
        """Looks at the labels of a whole training.

        Args:
            labels: Array `[n]` or `[n, L]`, as the loss takes them.
            name: What to call them in an error.

        Returns:
            Whether any two of its items are dissimilar.

        Raises:
            ValueError: If a value is no label.
        """
        labels = np.asarray(labels)
        if labels.ndim not in (1, 2):
            # The shape is refused with that of the outputs.
            return True
        read = labels_in_numpy(labels, name)
        if keras.backend.backend() == "jax" and read.max(initial=0) >= 2**31:
            raise ValueError(
                f"`{name}` must be class ids below 2^31 under JAX, which makes"
                f" 32 bits of them. Received: {read.max()}"
            )
        some = read[:: -(-len(read) // LOOKED_AT) or 1]
        return bool(
            count_pairs(some).dissimilar or count_pairs(read).dissimilar
        )

    @abc.abstractmethod
    def rows(self, labels: Tensor, outputs: Tensor, present: Tensor) -> Tensor:
        """Returns a value a row, whose mean over the present ones is the loss.

        Args:
            labels: Float32 tensor, as `read` returns it.
            outputs: Float32 tensor `[n, ...]`, 0 in rows that are not there.
            present: Float32 tensor `[n]` of zeros and ones.

        Returns:
            Float32 `[n]`; any finite value where a row is not there.
        """

    def __call__(
        self, y_true: Tensor, y_pred: Tensor, sample_weight: Tensor = None
    ) -> Tensor:
        rows, replicas = self._all(y_true, y_pred), Replicas.of(y_pred)
        if sample_weight is None:
            return super().__call__(rows, y_pred)
        weight = ops.cast(ops.convert_to_tensor(sample_weight), "float32")
        ones = ops.ones(ops.shape(y_pred)[:1], dtype="float32")
        weight = ops.reshape(weight, (-1,)) * ones
        present = ops.cast(ops.not_equal(weight, 0), "float32")
        if replicas is not None:
            present = replicas.gathered(present)
        if self.reduction in MEANS:
            # Keras divides by all rows.
            weight = weight * (
                ops.sum(rows.present) / ops.maximum(ops.sum(present), 1.0)
            )
        return super().__call__(Rows(rows.labels, present), y_pred, weight)

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        if not isinstance(y_true, Rows):
            y_true = self._all(y_true, y_pred)
        labels, present = y_true
        outputs, replicas = ops.cast(y_pred, "float32"), Replicas.of(y_pred)
        if replicas is not None:
            outputs = replicas.gathered(outputs)
        there = ops.reshape(present, (-1, *[1] * (len(outputs.shape) - 1)))
        # Not by a product, which leaves a NaN.
        outputs = ops.where(ops.greater(there, 0), outputs, 0.0)
        refused = ops.any(ops.isnan(labels))
        outputs = ops.where(refused, float("nan"), outputs)
        values = self.rows(labels, outputs, present)
        return values if replicas is None else replicas.own(values)

    def _all(self, y_true, y_pred):
        """Returns the labels of the batch, of all its replicas."""
        y_true = y_true if hasattr(y_true, "shape") else np.asarray(y_true)
        y_pred = y_pred if hasattr(y_pred, "shape") else np.asarray(y_pred)
        count = ops.shape(y_pred)[:1]
        if replicas := Replicas.of(y_pred):
            # As they came: once read, ids are numbers within what was read.
            y_true = replicas.gathered(y_true)
            count = ops.shape(y_true)[:1]
        labels = self.read(y_true, y_pred)
        return Rows(labels, ops.ones(count, dtype="float32"))
