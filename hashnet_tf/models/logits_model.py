"""Trains a HashNet on what comes before its activation."""

import keras

from hashnet_tf.models.training_model import TrainingModel


@keras.saving.register_keras_serializable(package="hashnet_tf")
class LogitsModel(TrainingModel):
    """Gives a loss z of a HashNet instead of g = tanh(beta z).

    For rivals whose loss takes the real codes as they leave the hash layer:
    `hashnet_tf.baselines.deep` names them.

    Args:
        hashnet: `hashnet_tf.HashNet`.
        **kwargs: Arguments of `keras.Model`.

    Call arguments:
        inputs: As `hashnet` takes them.

    Returns:
        Float `[n, bits]`, z.

    Example:

    >>> import numpy as np, hashnet_tf as hn
    >>> net = hn.HashNet(hn.models.backbone("small_cnn", (16, 16, 3)), bits=8)
    >>> hn.models.LogitsModel(net)(np.zeros((4, 16, 16, 3))).shape
    TensorShape([4, 8])
    """

    def call(self, inputs, training=None):
        return self.hashnet.logits(inputs, training=training)
