"""The frozen encoder: pixels to z to exact bits, without tanh and beta."""

from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf

import hashnet_tf
from hashnet_tf.layers import PackBits
from hashnet_tf.layers.sign import nonnegative
from hashnet_tf.models import HashNet, weights_digest
from hashnet_tf.retrieval.codes import BIT_ORDER

# Tensors of TensorFlow and Keras, which have no types of their own.
Tensor = Any
Outputs = dict[str, Any]

RESIZE = {
    "whole": "aspect ratio not kept",
    "paper": "aspect ratio not kept, to 8/7 of image_size (256 for 227), of"
    " which the centre, its offsets rounded down",
    "modern": "aspect ratio kept, to just cover 8/7 of image_size (256 for"
    " 227), the longer side rounded down, of which the centre, its offsets"
    " rounded down",
}


def trained_size(model: HashNet) -> tuple[int, int]:
    """Returns `(height, width)` of the images that `model` takes.

    Raises:
        ValueError: If `model` is no `HashNet` on RGB images of one known
            size.

    Example:

    >>> import hashnet_tf as hn
    >>> from hashnet_tf.export.freeze import trained_size
    >>> backbone = hn.models.backbone("small_cnn", (16, 20, 3))
    >>> trained_size(hn.HashNet(backbone, bits=12))
    (16, 20)
    """
    if not isinstance(model, HashNet):
        raise ValueError(
            f"`model` must be a hashnet_tf.HashNet. Received: model={model!r}"
        )
    shape = model.backbone.input_shape
    # A tuple of four, where several inputs would give a list of shapes.
    if not (isinstance(shape, tuple) and len(shape) == 4) or (
        None in shape[1:] or shape[3] != 3
    ):
        raise ValueError(
            "`model` must take images [n, height, width, 3] of a known size; a"
            " head on frozen features is joined to them by `on_top_of`."
            f" Received: model.backbone.input_shape={shape}"
        )
    return shape[1:3]


def frozen_features(model: HashNet, images: Tensor) -> Tensor:
    """Computes the features before the hash layer in inference mode.

    Args:
        model: `HashNet`.
        images: Tensor `[n, height, width, 3]` of the trained size, of values
            in [0, 255].

    Returns:
        Real tensor `[n, d]`.

    Raises:
        tf.errors.InvalidArgumentError: When it runs on images of another
            size, or on floats of which one is NaN or infinite.

    Example:

    >>> import hashnet_tf as hn, tensorflow as tf
    >>> from hashnet_tf.export.freeze import frozen_features
    >>> model = hn.HashNet(hn.models.backbone("small_cnn", (16, 16, 3)), 12)
    >>> frozen_features(model, tf.zeros([2, 16, 16, 3], tf.uint8)).shape
    TensorShape([2, 128])
    """
    # The size that a signature declares is enforced by no runtime.
    images = tf.ensure_shape(images, [None, *trained_size(model), 3])
    if images.dtype.is_floating:
        # A comparison with NaN is false: it would be the bit 0 everywhere.
        images = tf.debugging.check_numerics(
            images, "`images` must be numbers, or there is no code of them."
        )
    return model.backbone(tf.cast(images, tf.float32), training=False)


def frozen_z(model: HashNet, images: Tensor) -> Tensor:
    """Computes z in inference mode, in a graph.

    Args:
        model: `HashNet`.
        images: As in `frozen_features`.

    Returns:
        Real tensor `[n, bits]`, z before tanh.

    Raises:
        tf.errors.InvalidArgumentError: As `frozen_features`.

    Example:

    >>> import hashnet_tf as hn, tensorflow as tf
    >>> from hashnet_tf.export.freeze import frozen_z
    >>> model = hn.HashNet(hn.models.backbone("small_cnn", (16, 16, 3)), 12)
    >>> frozen_z(model, tf.zeros([2, 16, 16, 3], tf.uint8)).shape
    TensorShape([2, 12])
    """
    return model.hash_layer(frozen_features(model, images))


def exact_bits(z: Tensor) -> Outputs:
    """Turns z into bits, in integers alone: a bit is 1 iff z >= 0.

    A subnormal z counts as 0.

    Args:
        z: Tensor `[n, K]` of any signed dtype.

    Returns:
        Dict of `codes`, packed uint8 `[n, ceil(K / 8)]`, and `signs`, int8
        `[n, K]` of -1 and +1.

    Example:

    >>> import tensorflow as tf
    >>> from hashnet_tf.export.freeze import exact_bits
    >>> exact_bits(tf.constant([[0.0, -1.0, 2.0]]))["codes"].numpy().tolist()
    [[160]]
    """
    # Not tf.sign, which is 0 at 0; and a float -1 or +1 does not survive the
    # scales of a full-int8 graph.
    positive: Tensor = nonnegative(z)
    ones = tf.cast(positive, tf.int32)
    return {
        "codes": PackBits()(z),
        "signs": tf.cast(ones * 2 - 1, tf.int8),
    }


def frozen_archive(
    model: HashNet,
    to_outputs: Callable[[Tensor, Tensor], Outputs] | None = None,
    image_dtype: str = "uint8",
    batch_size: int | None = None,
) -> Any:
    """Returns an archive of `model` with the signature `serving_default`.

    Its input is `images`, `[n, height, width, 3]` of the trained size, its
    outputs are those of `to_outputs`.

    Args:
        model: `HashNet`.
        to_outputs: Function from z and the features that it is of to a dict of
            outputs; None for `exact_bits`.
        image_dtype: Str, dtype of `images`.
        batch_size: Positive int, the only n that it takes, or None for any.

    Returns:
        `keras.export.ExportArchive`, to which signatures can be added.

    Raises:
        ValueError: If Keras does not run on TensorFlow, or as `trained_size`.

    Example:

    >>> import hashnet_tf as hn
    >>> from hashnet_tf.export.freeze import frozen_archive
    >>> model = hn.HashNet(hn.models.backbone("small_cnn", (16, 16, 3)), 12)
    >>> archive = frozen_archive(model)
    """
    if keras.backend.backend() != "tensorflow":
        raise ValueError(
            "Export needs the TensorFlow backend: set KERAS_BACKEND=tensorflow"
            " and load the .keras file there, whichever backend wrote it."
            f" Received: keras.backend.backend()={keras.backend.backend()!r}"
        )
    size = trained_size(model)
    # It finds the variables that its functions use, where a tf.Module finds
    # none of a Keras 3 model; `track` would write each of them twice.
    archive = keras.export.ExportArchive()

    def encode(images: Tensor) -> Outputs:
        features = frozen_features(model, images)
        z = model.hash_layer(features)
        return exact_bits(z) if to_outputs is None else to_outputs(z, features)

    shape = [batch_size, *size, 3]
    of_size = tf.TensorSpec(shape, image_dtype, name="images")
    archive.add_endpoint("serving_default", encode, [of_size])
    return archive


def description(model: HashNet) -> dict[str, Any]:
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
    >>> from hashnet_tf.export.freeze import description
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
            "orientation": "upright, turned by the EXIF tag 0x0112",
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
