"""What the replicas of a training on several devices have between them."""

import typing

import keras

from hashnet_tf._types import Tensor, ops


class Replicas:
    """The replicas that train on parts of a batch, as one of them sees it.

    Under `tf.distribute`, the one way in which a loss is computed for a part
    of the batch. A loss over pairs must see all of it: g and labels of every
    replica are gathered, with the gradient, which each sends back to all.

    Args:
        context: `tf.distribute.ReplicaContext`.
        count: Int32 scalar tensor, the rows of this replica.
    """

    def __init__(self, context: typing.Any, count: Tensor) -> None:
        self._context = context
        self._count = count

    @classmethod
    def of(cls, outputs: Tensor) -> "Replicas | None":
        """Returns those of a step, or None where there are no others.

        Args:
            outputs: Tensor `[n, ...]`, the rows of this replica.
        """
        context = _context()
        if context is None:
            return None
        return cls(context, ops.shape(outputs)[0])

    def gathered(self, rows: Tensor) -> Tensor:
        """Returns the rows of all replicas.

        Args:
            rows: Tensor `[n, ...]`, those of this one.

        Returns:
            Tensor `[N, ...]`.
        """
        found = self._context.all_gather(rows, axis=0)
        # It forgets how wide they are.
        found.set_shape((None, *rows.shape[1:]))
        return found

    def own(self, rows: Tensor) -> Tensor:
        """Returns of a value for each row those of this replica.

        Args:
            rows: Float32 tensor `[N]`.

        Returns:
            Float32 tensor `[n]`, scaled so that the mean over replicas of the
            means over their rows is the mean over all rows.
        """
        counts = self.gathered(ops.reshape(self._count, (1,)))
        first = ops.sum(counts[: self._context.replica_id_in_sync_group])
        count, total = (
            ops.cast(n, "float32") for n in (self._count, ops.sum(counts))
        )
        share = count * self._context.num_replicas_in_sync / total
        return share * rows[first : first + self._count]


def _context() -> typing.Any:
    if keras.backend.backend() != "tensorflow":
        return None
    import tensorflow as tf

    # None where a strategy is entered and no step runs.
    context = tf.distribute.get_replica_context()
    if context is None or context.num_replicas_in_sync == 1:
        return None
    return context
