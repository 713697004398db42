"""Models around a HashNet that give a loss what it needs."""

import typing

import keras
import numpy.typing as npt

from hashnet_tf._types import Config, Tensor, ops
from hashnet_tf.layers.sign import Sign
from hashnet_tf.losses.class_loss import class_count
from hashnet_tf.models._built_model import BuiltModel
from hashnet_tf.models.hashnet import HashNet


class TrainingModel(BuiltModel):
    """A HashNet inside a model that gives a loss what it needs of it.

    Abstract: a subclass says by `call` what comes out. The HashNet given is
    trained with it, and encodes, is saved and is exported on its own.

    Args:
        hashnet: `hashnet_tf.HashNet`.
        **kwargs: Arguments of `keras.Model`.

    Attributes:
        hashnet: The HashNet given.
    """

    def __init__(self, hashnet: HashNet, **kwargs: typing.Any) -> None:
        super().__init__(**kwargs)
        self.hashnet = hashnet
        self.build_on(hashnet.input)

    @classmethod
    def for_labels(
        cls, hashnet: HashNet, labels: npt.ArrayLike
    ) -> "TrainingModel":
        """Returns the model that suits the labels of the training images.

        Args:
            hashnet: `hashnet_tf.HashNet`.
            labels: Class ids `[n]` or a zero-or-one matrix `[n, L]`; -1 where
                unknown.
        """
        return cls(hashnet)

    def get_config(self) -> Config:
        return {
            **super().get_config(),
            "hashnet": keras.saving.serialize_keras_object(self.hashnet),
        }

    @classmethod
    def from_config(
        cls,
        config: Config,
        custom_objects: Config | None = None,
    ) -> typing.Self:
        config = dict(config)
        hashnet = keras.saving.deserialize_keras_object(
            config.pop("hashnet"), custom_objects=custom_objects
        )
        return cls(hashnet, **config)


@keras.saving.register_keras_serializable(package="hashnet_tf")
class LogitsModel(TrainingModel):
    """Gives a loss z of a HashNet instead of g = tanh(beta z).

    For rivals whose loss takes the real codes as they leave the hash layer:
    `hashnet_tf.losses` names them.

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

    def call(self, inputs: Tensor, training: bool | None = None) -> Tensor:
        return self.hashnet.logits(inputs, training=training)


@keras.saving.register_keras_serializable(package="hashnet_tf")
class ClassifiedModel(TrainingModel):
    """Puts a linear classifier on the signs of a HashNet.

    The network of GreedyHash (Su et al., NeurIPS 2018): the classifier sees
    h = sgn(z), and the gradient by h is handed on to z unchanged. Train it
    with `hashnet_tf.losses.GreedyHashLoss`; the classifier is left
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

    def __init__(
        self, hashnet: HashNet, classes: int, **kwargs: typing.Any
    ) -> None:
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

    @classmethod
    def for_labels(
        cls, hashnet: HashNet, labels: npt.ArrayLike
    ) -> "ClassifiedModel":
        """Returns the model with a class for each that the labels speak of.

        Raises:
            ValueError: If they name fewer than two classes.
        """
        return cls(hashnet, class_count(labels))

    def call(self, inputs: Tensor, training: bool | None = None) -> Tensor:
        z = self.hashnet.logits(inputs, training=training)
        # z less itself is an exact 0 with the gradient of z: the classifier
        # sees signs without rounding.
        h = self.sign(ops.stop_gradient(z)) + (z - ops.stop_gradient(z))
        return ops.concatenate([self.classifier(h), z], axis=-1)

    def get_config(self) -> Config:
        classifier = keras.saving.serialize_keras_object(self.classifier)
        return {
            **super().get_config(),
            "classes": self.classes,
            "classifier": classifier,
        }

    @classmethod
    def from_config(
        cls,
        config: Config,
        custom_objects: Config | None = None,
    ) -> typing.Self:
        config = dict(config)
        # Version 0.1 wrote none.
        classifier = config.pop("classifier", None)
        model = super().from_config(config, custom_objects)
        if classifier is not None:
            model.classifier = keras.saving.deserialize_keras_object(
                classifier, custom_objects=custom_objects
            )
        return model


@keras.saving.register_keras_serializable(package="hashnet_tf")
class PairModel(TrainingModel):
    """Sends both items of a pair through one HashNet.

    The second input of HashNet (section 3, ICCV 2017): triples
    (x_i, x_j, s_ij) instead of labels. Train it with
    `hashnet_tf.losses.InBatchPairsLoss`, which needs similar pairs alone, or
    with `GivenPairsLoss`, and the `Continuation` callback; the HashNet given is
    then trained and encodes on its own.

    Args:
        hashnet: `hashnet_tf.HashNet`.
        **kwargs: Arguments of `keras.Model`.

    Call arguments:
        inputs: Pair `(x_i, x_j)` of batches, each as `hashnet` takes it: two
            arrays, or two lists or dicts of arrays.

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

    def __init__(self, hashnet: HashNet, **kwargs: typing.Any) -> None:
        super().__init__(hashnet, **kwargs)
        second = keras.tree.map_structure(
            lambda x: keras.Input(batch_shape=x.shape, dtype=x.dtype),
            hashnet.input,
        )
        self.build_on([hashnet.input, second])

    def call(self, inputs: Tensor, training: bool | None = None) -> Tensor:
        first, second = inputs
        # One pass over both, so that batch normalisation sees them together.
        both = keras.tree.map_structure(
            lambda a, b: ops.concatenate([a, b], axis=0), first, second
        )
        n = ops.shape(keras.tree.flatten(first)[0])[0]
        g = self.hashnet(both, training=training)
        return ops.stack([g[:n], g[n:]], axis=1)
