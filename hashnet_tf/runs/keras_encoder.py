"""A HashNet in the form that every encoder has."""

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
