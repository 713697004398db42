"""What an artefact says of itself."""

import keras
import tensorflow as tf

import hashnet_tf
from hashnet_tf.export.freeze import trained_size
from hashnet_tf.models import weights_digest
from hashnet_tf.retrieval.codes import BIT_ORDER


def description(model):
    """Returns what a user of an encoder must know of it, ready for JSON.

    Args:
        model: `HashNet` on images.

    Returns:
        Dict of `bits`, `bit_order`, `image_size` (height, width),
        `preprocessing`, `model_digest` (of the weights) and `versions` (of the
        packages that wrote it).

    Raises:
        ValueError: As `trained_size`.

    Example:

    >>> import hashnet_tf as hn
    >>> from hashnet_tf.export.description import description
    >>> model = hn.HashNet(hn.models.backbone("small_cnn", (16, 20, 3)), 12)
    >>> description(model)["image_size"]
    [16, 20]
    """
    return {
        "bits": model.bits,
        "bit_order": BIT_ORDER,
        "image_size": list(trained_size(model)),
        "preprocessing": {
            "channels": "RGB",
            "range": [0, 255],
            "resize": "bilinear, antialiased, aspect ratio not kept, rounded",
            "normalization": "inside the network",
        },
        "model_digest": weights_digest(model),
        "versions": {
            "hashnet_tf": hashnet_tf.__version__,
            "keras": keras.__version__,
            "tensorflow": tf.__version__,
        },
    }
