"""Encoders: a HashNet on images, or on features."""

import numpy as np

from hashnet_tf.models import HashNet, weights_digest

BATCH_SIZE = 128


class KerasEncoder:
    """Encodes images with a HashNet.

    An encoder has these attributes and this method, whichever runtime it is
    of: `hashnet_tf.export.LiteRTEncoder` and `SavedModelEncoder` are others.

    Args:
        model: `HashNet` on images.

    Attributes:
        bits: Int, K.
        image_size: `(height, width)` of the images that it takes.
        framing: Str, which part of an image they are, as in `HashNet`.
        model_digest: Str, which is the same where the bits are.

    Example:

    >>> import numpy as np, hashnet_tf as hn
    >>> model = hn.HashNet(hn.models.backbone("small_cnn", (16, 16, 3)), 12)
    >>> encoder = hn.runs.KerasEncoder(model)
    >>> encoder.encode(np.zeros((5, 16, 16, 3), dtype="uint8")).shape
    (5, 2)
    """

    def __init__(self, model):
        self._model = model
        self.bits = model.bits
        self.framing = model.framing
        self.image_size = tuple(model.backbone.input_shape[1:3])
        self.model_digest = weights_digest(model)

    def encode(self, images):
        """Returns the packed codes of images.

        Args:
            images: uint8 array `[n, height, width, 3]` of `image_size`.

        Returns:
            uint8 array `[n, ceil(bits / 8)]`.
        """
        return self._model.encode(np.asarray(images), BATCH_SIZE)


def as_encoder(model):
    """Returns a `HashNet` as a `KerasEncoder`, and an encoder as it is."""
    return KerasEncoder(model) if isinstance(model, HashNet) else model


class FeatureEncoder:
    """Encodes images by the features that a frozen backbone gave for them.

    An encoder as `KerasEncoder`, for a model of a run with a frozen backbone,
    but that it takes features in place of pixels, and so runs the head alone.

    Args:
        model: `HashNet` whose backbone ends in the network that
            `hashnet_tf.runs.networks.build_head` makes, "head".
        backbone: `keras.Model` from images to the features that come before.

    Attributes:
        bits: Int, K.
        image_size: `(height, width)` of the images that `model` takes.
        framing: Str, which part of an image they are, as in `HashNet`.
        model_digest: Str, that of `model`.

    Raises:
        ValueError: If `backbone` has other weights than the one in `model`,
            as when their file has changed since.

    Example:

    >>> import numpy as np, hashnet_tf as hn
    >>> config = hn.runs.TrainingConfig(data="digits", bits=12)
    >>> backbone = hn.runs.networks.build_backbone(config)
    >>> head = hn.runs.networks.build_head(config, 128)
    >>> model = head.on_top_of(backbone)
    >>> encoder = hn.runs.FeatureEncoder(model, backbone)
    >>> encoder.encode(np.zeros((5, 128), "float32")).shape
    (5, 2)
    """

    def __init__(self, model, backbone):
        network = model.backbone.get_layer("head")
        self._head = HashNet(
            network, model.bits, model.framing, dtype=model.dtype_policy
        )
        for name in ("hash_layer", "scaled_tanh"):
            weights = getattr(model, name).get_weights()
            getattr(self._head, name).set_weights(weights)
        self.bits = model.bits
        self.framing = model.framing
        self.image_size = tuple(model.backbone.input_shape[1:3])
        self.model_digest = weights_digest(model)
        # Only then are the bits of backbone and head those of the model.
        digest = weights_digest(self._head.on_top_of(backbone))
        if digest != self.model_digest:
            raise ValueError(
                "`backbone` must have the weights that it had when the model"
                " was trained; has their file changed?"
                f" Received: model_digest={digest} in place of"
                f" {self.model_digest}"
            )

    def encode(self, features):
        """Returns the packed codes of images.

        Args:
            features: float32 array `[n, d]`, what the backbone gave for them.

        Returns:
            uint8 array `[n, ceil(bits / 8)]`.
        """
        return self._head.encode(features, BATCH_SIZE)
