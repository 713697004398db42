"""An encoder of a network's features, its hash layer still to be learned."""

import os
import pathlib
import tempfile

import keras

from hashnet_tf._output import silenced
from hashnet_tf.export.litert import to_litert
from hashnet_tf.export.litert_encoder import LiteRTEncoder
from hashnet_tf.models import HashNet, backbone


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


def feature_encoder(model: HashNet) -> LiteRTEncoder:
    """Returns a LiteRT encoder of a model that gives its features too.

    Args:
        model: `HashNet` on images.

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
        return LiteRTEncoder(to_litert(model, path, features=True))
