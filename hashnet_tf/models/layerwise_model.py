"""Lets an optimizer name the models within the one that is compiled."""

from typing import Any

import keras

from hashnet_tf.optimizers import LayerwiseMixin


class LayerwiseModel(keras.Model):
    """Keras model whose optimizer may have multipliers for whole backbones.

    Abstract: what is trained here derives from it. An optimizer sees variables
    only, so `compile` tells a layer-wise one which models hold them.
    """

    def compile(
        self,
        optimizer: str
        | dict[str, Any]
        | keras.optimizers.Optimizer = "rmsprop",
        *args: Any,
        **kwargs: Any,
    ) -> None:
        """Compiles as `keras.Model.compile`, whose arguments it takes."""
        optimizer = keras.optimizers.get(optimizer)
        inner = getattr(optimizer, "inner_optimizer", optimizer)
        if isinstance(inner, LayerwiseMixin):
            inner.resolve(self)
        super().compile(optimizer, *args, **kwargs)

    # Keras compiles no loaded model whose `compile` is not its own.
    def compile_from_config(self, config: dict[str, Any]) -> None:
        """Compiles a loaded model, with the optimizer's variables there."""
        self.compile(**keras.saving.deserialize_keras_object(config))
        self.optimizer.build(self.trainable_variables)
