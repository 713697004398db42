"""The frozen encoder: inputs to z to exact bits, without tanh and beta."""

from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf

import hashnet_tf
from hashnet_tf._network_inputs import NetworkInputs
from hashnet_tf.export.encoder_inputs import (
    ArrayInputs,
    EncoderInputs,
    ImageInputs,
)
from hashnet_tf.layers import PackBits
from hashnet_tf.layers.sign import nonnegative
from hashnet_tf.models import HashNet, weights_digest
from hashnet_tf.retrieval.codes import BIT_ORDER

# Tensors of TensorFlow and Keras, which have no types of their own.
Tensor = Any
Outputs = dict[str, Any]


def check_is_hashnet(model: HashNet) -> None:
    """Checks that what is to be exported is a `HashNet`.

    Raises:
        ValueError: If it is not.
    """
    if not isinstance(model, HashNet):
        raise ValueError(
            f"`model` must be a hashnet_tf.HashNet. Received: model={model!r}"
        )


def check_backend() -> None:
    """Checks that Keras runs on what writes graphs.

    Raises:
        ValueError: If it does not.
    """
    if keras.backend.backend() != "tensorflow":
        raise ValueError(
            "Export needs the TensorFlow backend: set KERAS_BACKEND=tensorflow"
            " and load the .keras file there, whichever backend wrote it."
            f" Received: keras.backend.backend()={keras.backend.backend()!r}"
        )


def is_of_images(model: HashNet) -> bool:
    """Tells whether a model takes RGB images of one known size, alone."""
    network = NetworkInputs.of(model.backbone)
    shape = network.fields[0].shape
    return (
        len(network.fields) == 1
        and len(shape) == 4
        and None not in shape[1:]
        and shape[3] == 3
    )


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
    check_is_hashnet(model)
    shape = model.backbone.input_shape
    if not is_of_images(model):
        raise ValueError(
            "`model` must take images [n, height, width, 3] of a known size; a"
            " head on frozen features is joined to them by `on_top_of`."
            f" Received: model.backbone.input_shape={shape}"
        )
    return shape[1:3]


def inputs_of(model: HashNet, image_dtype: str = "uint8") -> EncoderInputs:
    """Returns what an encoder of `model` takes.

    Args:
        model: `HashNet`.
        image_dtype: Str, dtype of RGB images of one known size.

    Returns:
        `ImageInputs` of a model on RGB images of one known size, else
        `ArrayInputs`.

    Raises:
        ValueError: If `model` is no `HashNet`, `image_dtype` is another and
            there are no such images, or as `ArrayInputs`.

    Example:

    >>> import keras, hashnet_tf as hn
    >>> from hashnet_tf.export.freeze import inputs_of
    >>> features = keras.Input((8,), name="features")
    >>> model = hn.HashNet(keras.Model(features, features), bits=12)
    >>> inputs_of(model).fields[0].name
    'features'
    """
    check_is_hashnet(model)
    if is_of_images(model):
        return ImageInputs(trained_size(model), model.framing, image_dtype)
    if image_dtype != "uint8":
        raise ValueError(
            "`image_dtype` is for RGB images of one known size; the dtype of"
            " other inputs is that of the network."
            f" Received: image_dtype={image_dtype!r}"
        )
    return ArrayInputs(NetworkInputs.of(model.backbone), model.framing)


def frozen_features(model: HashNet, inputs: Any) -> Tensor:
    """Computes the features before the hash layer in inference mode.

    Args:
        model: `HashNet`.
        inputs: Tensor `[n, height, width, 3]` of the trained size, of values
            in [0, 255]; of other models a tensor, or a list or dict of them.

    Returns:
        Real tensor `[n, d]`.

    Raises:
        tf.errors.InvalidArgumentError: When it runs on tensors of another
            shape, or on floats of which one is NaN or infinite.

    Example:

    >>> import hashnet_tf as hn, tensorflow as tf
    >>> from hashnet_tf.export.freeze import frozen_features
    >>> model = hn.HashNet(hn.models.backbone("small_cnn", (16, 16, 3)), 12)
    >>> frozen_features(model, tf.zeros([2, 16, 16, 3], tf.uint8)).shape
    TensorShape([2, 128])
    """
    network, taken = NetworkInputs.of(model.backbone), []
    names = [field.name for field in inputs_of(model).fields]
    tensors = network.arrays(inputs) or []
    for name, field, tensor in zip(names, network.fields, tensors, strict=True):
        # The shape that a signature declares is enforced by no runtime.
        tensor = tf.ensure_shape(tensor, field.shape)
        if tensor.dtype.is_floating:
            # A comparison with NaN is false: it would be the bit 0 everywhere.
            tensor = tf.debugging.check_numerics(
                tensor,
                f"`{name}` must be numbers, or there is no code of them.",
            )
        if field.dtype != "string":
            tensor = tf.cast(tensor, field.dtype)
        taken.append(tensor)
    return model.backbone(network.packed(taken), training=False)


def frozen_z(model: HashNet, inputs: Any) -> Tensor:
    """Computes z in inference mode, in a graph.

    Args:
        model: `HashNet`.
        inputs: As in `frozen_features`.

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
    return model.hash_layer(frozen_features(model, inputs))


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

    It is `serve` too, as what `keras.Model.export` writes. Its inputs are those
    of `inputs_of`, of images `images`, `[n, height, width, 3]` of the trained
    size; its outputs are those of `to_outputs`.

    Args:
        model: `HashNet`.
        to_outputs: Function from z and the features that it is of to a dict of
            outputs; None for `exact_bits`.
        image_dtype: Str, dtype of RGB images of one known size.
        batch_size: Positive int, the only n that it takes, or None for any.

    Returns:
        `keras.export.ExportArchive`, to which signatures can be added.

    Raises:
        ValueError: If Keras does not run on TensorFlow, or as `inputs_of`.

    Example:

    >>> import hashnet_tf as hn
    >>> from hashnet_tf.export.freeze import frozen_archive
    >>> model = hn.HashNet(hn.models.backbone("small_cnn", (16, 16, 3)), 12)
    >>> archive = frozen_archive(model)
    """
    check_backend()
    inputs = inputs_of(model, image_dtype)
    # It finds the variables that its functions use, where a tf.Module finds
    # none of a Keras 3 model; `track` would write each of them twice.
    archive: Any = keras.export.ExportArchive()
    # Tables that look words up are no variables, and found by `track` alone.
    for part in tf.train.TrackableView(model.backbone).descendants():
        if isinstance(part, tf.saved_model.experimental.TrackableResource):
            archive.track(part)

    def encode(*tensors: Tensor) -> Outputs:
        features = frozen_features(model, packed(inputs, tensors))
        z = model.hash_layer(features)
        return exact_bits(z) if to_outputs is None else to_outputs(z, features)

    # Keras writes it as serving_default too. By this name TensorFlow Lite's
    # converter knows what Keras wrote, and takes serving_default alone.
    archive.add_endpoint("serve", encode, tensor_specs(inputs, batch_size))
    return archive


def tensor_specs(inputs: EncoderInputs, batch_size: int | None = None) -> Any:
    """Returns the `tf.TensorSpec` of each input of a signature, by name.

    Args:
        inputs: `EncoderInputs`.
        batch_size: Positive int, or None for any.
    """
    return [
        tf.TensorSpec([batch_size, *field.shape[1:]], field.dtype, field.name)
        for field in inputs.fields
    ]


def packed(inputs: EncoderInputs, tensors: tuple[Tensor, ...]) -> Any:
    """Returns a signature's tensors in the form in which a HashNet has them.

    Args:
        inputs: `EncoderInputs`.
        tensors: In the order of its fields.
    """
    names = [field.name for field in inputs.fields]
    return inputs.packed(dict(zip(names, tensors, strict=True)))


def description(model: HashNet) -> dict[str, Any]:
    """Returns what a user of an encoder must know of it, ready for JSON.

    Args:
        model: `HashNet`.

    Returns:
        Dict of `bits`, `bit_order`, `model_digest` (of the weights), `versions`
        (of the packages that wrote it), and of what it takes: of images
        `image_size` (height, width), `framing` and `preprocessing` (what must
        be done to images before they are given to a signature that takes
        `image_size`); of other models `inputs` (name, dtype, shape), `form`
        ("array", "list" or "dict") and, of images that are not RGB, `framing`.

    Raises:
        ValueError: As `inputs_of`.

    Example:

    >>> import hashnet_tf as hn
    >>> from hashnet_tf.export.freeze import description
    >>> model = hn.HashNet(hn.models.backbone("small_cnn", (16, 20, 3)), 12)
    >>> description(model)["image_size"]
    [16, 20]
    """
    return {
        "bits": model.bits,
        "bit_order": BIT_ORDER,
        **inputs_of(model).told(),
        "model_digest": weights_digest(model),
        "versions": {
            "hashnet_tf": hashnet_tf.__version__,
            "keras": keras.__version__,
            "tensorflow": tf.__version__,
        },
    }
