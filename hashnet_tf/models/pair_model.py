"""Trains a HashNet on pairs that have no labels."""

import keras
from keras import ops

from hashnet_tf.models.training_model import TrainingModel


@keras.saving.register_keras_serializable(package="hashnet_tf")
class PairModel(TrainingModel):
    """Sends both items of a pair through one HashNet.

    The second input of HashNet (section 3, ICCV 2017): triples
    (x_i, x_j, s_ij) instead of labels. Train it with
    `hashnet_tf.losses.GivenPairsLoss` and the `Continuation` callback; the
    HashNet given is then trained and encodes on its own.

    Args:
        hashnet: `hashnet_tf.HashNet`.
        **kwargs: Arguments of `keras.Model`.

    Call arguments:
        inputs: Pair `(x_i, x_j)` of batches, each as `hashnet` takes it.

    Returns:
        Float `[n, 2, bits]`, g_i and g_j.

    Example:

    >>> import numpy as np, hashnet_tf as hn
    >>> net = hn.HashNet(hn.models.backbone("small_cnn", (16, 16, 3)), bits=8)
    >>> pairs = hn.models.PairModel(net)
    >>> x = np.zeros((4, 16, 16, 3))
    >>> pairs((x, x)).shape
    TensorShape([4, 2, 8])
    """

    def call(self, inputs, training=None):
        first, second = inputs
        # One pass over both, so that batch normalisation sees them together.
        n = ops.shape(first)[0]
        g = self.hashnet(
            ops.concatenate([first, second], axis=0), training=training
        )
        return ops.stack([g[:n], g[n:]], axis=1)
