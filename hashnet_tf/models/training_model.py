"""What the models share that train a HashNet for another loss."""

import keras

from hashnet_tf.models.layerwise_model import LayerwiseModel


class TrainingModel(LayerwiseModel):
    """A HashNet inside a model that gives a loss what it needs of it.

    Abstract: a subclass says by `call` what comes out. The HashNet given is
    trained with it, and encodes, is saved and is exported on its own.

    Args:
        hashnet: `hashnet_tf.HashNet`.
        **kwargs: Arguments of `keras.Model`.

    Attributes:
        hashnet: The HashNet given.
    """

    def __init__(self, hashnet, **kwargs):
        super().__init__(**kwargs)
        self.hashnet = hashnet
        self.built = True

    def build(self, input_shape=None):
        self.built = True

    def get_config(self):
        return {
            **super().get_config(),
            "hashnet": keras.saving.serialize_keras_object(self.hashnet),
        }

    @classmethod
    def from_config(cls, config, custom_objects=None):
        config = dict(config)
        hashnet = keras.saving.deserialize_keras_object(
            config.pop("hashnet"), custom_objects=custom_objects
        )
        return cls(hashnet, **config)
