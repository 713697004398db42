"""Trains a HashNet by classifying its signs."""

import keras
from keras import ops

from hashnet_tf.layers.sign import Sign
from hashnet_tf.models.training_model import TrainingModel


@keras.saving.register_keras_serializable(package="hashnet_tf")
class ClassifiedModel(TrainingModel):
    """Puts a linear classifier on the signs of a HashNet.

    The network of GreedyHash (Su et al., NeurIPS 2018): the classifier sees
    h = sgn(z), and the gradient by h is handed on to z unchanged. Train it
    with `hashnet_tf.baselines.deep.GreedyHashLoss`; the classifier is left
    behind then.

    Args:
        hashnet: `hashnet_tf.HashNet`.
        classes: Positive int, C.
        **kwargs: Arguments of `keras.Model`.

    Attributes:
        hashnet: The HashNet given.
        classifier: `keras.layers.Dense` without bias, named "classifier".

    Call arguments:
        inputs: As `hashnet` takes them.

    Returns:
        Float `[n, C + bits]`, the logits of the classes and behind them z.

    Raises:
        ValueError: If `classes` is not a positive integer.

    Example:

    >>> import numpy as np, hashnet_tf as hn
    >>> net = hn.HashNet(hn.models.backbone("small_cnn", (16, 16, 3)), bits=8)
    >>> model = hn.models.ClassifiedModel(net, classes=3)
    >>> model(np.zeros((4, 16, 16, 3))).shape
    TensorShape([4, 11])
    """

    def __init__(self, hashnet, classes, **kwargs):
        super().__init__(hashnet, **kwargs)
        if not isinstance(classes, int) or classes < 1:
            raise ValueError(
                "`classes` must be a positive integer."
                f" Received: classes={classes!r}"
            )
        self.classes = classes
        self.sign = Sign(dtype=hashnet.dtype_policy, name="sign")
        self.classifier = keras.layers.Dense(
            classes,
            use_bias=False,
            dtype=hashnet.dtype_policy,
            name="classifier",
        )
        self.classifier.build((None, hashnet.bits))

    def call(self, inputs, training=None):
        z = self.hashnet.logits(inputs, training=training)
        # z less itself is an exact 0 with the gradient of z: the classifier
        # sees signs without rounding.
        h = self.sign(ops.stop_gradient(z)) + (z - ops.stop_gradient(z))
        return ops.concatenate([self.classifier(h), z], axis=-1)

    def get_config(self):
        return {**super().get_config(), "classes": self.classes}
