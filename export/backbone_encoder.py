"""An encoder of a network's features, its hash layer still to be learned."""

import os
import pathlib
import tempfile

import keras

from hashnet_tf._output import silenced
from hashnet_tf.export.litert import to_litert
from hashnet_tf.export.litert_encoder import LiteRTEncoder
from hashnet_tf.models import HashNet, backbone
from hashnet_tf.retrieval.codes import check_count


def backbone_encoder(
    name: str = "MobileNetV2",
    weights: os.PathLike[str] | str | None = "imagenet",
    image_size: int = 224,
    bits: int = 128,
    framing: str = "whole",
) -> LiteRTEncoder:
    """Returns a LiteRT encoder of a pretrained network that gives features.

    Its hash layer is random: `hn.Index` learns it from the pictures that are
    indexed, without labels (`fit=True`), and `LiteRTEncoder.with_hash_layer`
    takes one of your own. Features are rounded to float16 before it, so that
    codes can be made of features that are kept so, bit for bit.

    Args:
        name: Str, of `hashnet_tf.models.backbone_names()`.
        weights: As in `hashnet_tf.models.backbone`.
        image_size: Int, height and width of the images.
        bits: Positive int, K.
        framing: As in `HashNet`.

    Returns:
        `LiteRTEncoder`.

    Raises:
        ValueError: As `hashnet_tf.models.backbone` and `HashNet`.
        OSError: If the weights cannot be downloaded.

    Example:

    ```python
    encoder = hn.export.backbone_encoder(weights="mobilenet_v2.weights.h5")
    with hn.Index.open("photos.index", encoder=encoder, fit=True) as index:
        index.add_files(paths)
    ```
    """
    network = backbone(name, (image_size, image_size, 3), weights)
    (inputs,), (outputs,) = network.inputs, network.outputs
    rounded = keras.ops.cast(keras.ops.cast(outputs, "float16"), "float32")
    features = keras.Model(inputs, rounded, name=network.name)
    return feature_encoder(HashNet(features, bits, framing))


def vector_encoder(width: int, bits: int = 128) -> LiteRTEncoder:
    """Returns a LiteRT encoder of vectors, whose hash layer is still random.

    For an index that is fitted to its vectors (`hn.Index.open(fit=True)`). It
    brings each to unit length, for angles are what its codes shall tell, and
    gives them in half precision, in which an index keeps them.

    Args:
        width: Positive int d.
        bits: Positive int K.

    Raises:
        ValueError: If one is no positive integer.

    Example:

    >>> import numpy as np, hashnet_tf as hn
    >>> encoder = hn.export.vector_encoder(width=8, bits=12)
    >>> encoder.encode(np.eye(8)).shape, encoder.features
    ((8, 2), 8)
    """
    check_count(width, "width")
    vectors = keras.Input((width,), name="vectors")
    unit = keras.layers.UnitNormalization()(vectors)
    rounded = keras.ops.cast(keras.ops.cast(unit, "float16"), "float32")
    network = keras.Model(vectors, rounded, name="vectors")
    return feature_encoder(HashNet(network, check_count(bits, "bits")))


def feature_encoder(model: HashNet) -> LiteRTEncoder:
    """Returns a LiteRT encoder of a model that gives features and z too.

    Args:
        model: `HashNet` on images, or on vectors.

    Raises:
        ValueError: As `to_litert`.
        hashnet_tf.export.ParityError: As `to_litert`.

    Example:

    ```python
    encoder = feature_encoder(run.model)
    encoder.run(images)["features"].shape  # (n, 512)
    ```
    """
    with tempfile.TemporaryDirectory() as folder, silenced():
        path = pathlib.Path(folder, "encoder.tflite")
        return LiteRTEncoder(to_litert(model, path, z=True, features=True))
