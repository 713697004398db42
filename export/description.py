"""What an artefact says of itself."""

import keras
import tensorflow as tf

import hashnet_tf
from hashnet_tf.export.freeze import trained_size
from hashnet_tf.models import weights_digest
from hashnet_tf.retrieval.codes import BIT_ORDER

RESIZE = {
    "whole": "aspect ratio not kept",
    "paper": "aspect ratio not kept, to 8/7 of image_size (256 for 227), of"
    " which the centre, its offsets rounded down",
    "modern": "aspect ratio kept, to just cover 8/7 of image_size (256 for"
    " 227), the longer side rounded down, of which the centre, its offsets"
    " rounded down",
}


def description(model):
    """Returns what a user of an encoder must know of it, ready for JSON.

    Args:
        model: `HashNet` on images.

    Returns:
        Dict of `bits`, `bit_order`, `image_size` (height, width), `framing`,
        `preprocessing` (what must be done to images before they are given to
        a signature that takes `image_size`), `model_digest` (of the weights)
        and `versions` (of the packages that wrote it).

    Raises:
        ValueError: As `trained_size`.

    Example:

    >>> import hashnet_tf as hn
    >>> from hashnet_tf.export.description import description
    >>> model = hn.HashNet(hn.models.backbone("small_cnn", (16, 20, 3)), 12)
    >>> description(model)["image_size"]
    [16, 20]
    """
    part = RESIZE[model.framing]
    return {
        "bits": model.bits,
        "bit_order": BIT_ORDER,
        "image_size": list(trained_size(model)),
        "framing": model.framing,
        "preprocessing": {
            "channels": "RGB",
            "range": [0, 255],
            "resize": f"bilinear, antialiased, {part}, rounded",
            "normalization": "inside the network",
        },
        "model_digest": weights_digest(model),
        "versions": {
            "hashnet_tf": hashnet_tf.__version__,
            "keras": keras.__version__,
            "tensorflow": tf.__version__,
        },
    }
