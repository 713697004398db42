"""Networks by name, each with the preprocessing that belongs to it."""

import collections.abc
import inspect
import os
import pathlib
import sys

import keras
import numpy as np

from hashnet_tf._types import layers
from hashnet_tf.models.own_backbones import alexnet, small_cnn

# Those that keras.applications lacks; a network of one's own is a line here.
OWN: dict[str, collections.abc.Callable[[tuple[int, ...]], keras.Model]] = {
    "alexnet": alexnet,
    "small_cnn": small_cnn,
}


def backbone_names() -> list[str]:
    """Returns the names that `backbone` takes, as a sorted list of str.

    Example:

    >>> import hashnet_tf as hn
    >>> "MobileNetV2" in hn.models.backbone_names()
    True
    """
    return sorted({**OWN, **_applications()})


def backbone(
    name: str,
    image_shape: collections.abc.Iterable[int],
    weights: str | os.PathLike[str] | None = None,
) -> keras.Model:
    """Builds a network that ends in pooled features.

    Args:
        name: One of `backbone_names()`: "small_cnn", "alexnet", or a model of
            `keras.applications` by its class name ("MobileNetV2").
        image_shape: `(height, width, 3)`.
        weights: None for random weights; "imagenet" (or another name that the
            `keras.applications` model knows) to download them; or the path of
            a weights file.

    Returns:
        `keras.Model` from RGB images `[n, height, width, 3]` in [0, 255] to
        features `[n, d]`.

    Raises:
        ValueError: If the name is unknown, or the weights are neither a file
            nor a name that the network knows.

    Example:

    >>> import hashnet_tf as hn
    >>> hn.models.backbone("MobileNetV2", (96, 96, 3)).output_shape
    (None, 1280)
    """
    applications = _applications()
    if name not in OWN and name not in applications:
        raise ValueError(
            f"`name` must be one of {', '.join(backbone_names())}."
            f" Received: name={name!r}"
        )
    image_shape = tuple(image_shape)
    is_file = weights is not None and pathlib.Path(weights).is_file()
    if name in OWN:
        model = OWN[name](image_shape)
    else:
        model = _application(applications[name], image_shape, weights, is_file)
    if is_file:
        _load(model, name, weights)
    elif weights is not None and name in OWN:
        raise ValueError(
            f"`weights` of {name} must be None or an existing file."
            f" Received: weights={str(weights)!r}"
        )
    return model


def freeze_batch_normalization(model: keras.Model) -> int:
    """Keeps every batch normalisation of `model` as it was trained.

    Its statistics and its scale then stay what they were, in training as in
    use. Networks of `keras.applications` average their statistics so slowly
    (momentum .999) that a fine-tuning of some hundred steps is used with
    statistics that belong to neither network.

    Args:
        model: `keras.Model`, changed in place.

    Returns:
        Int, how many layers were frozen.

    Example:

    >>> import hashnet_tf as hn
    >>> net = hn.models.backbone("small_cnn", (16, 16, 3))
    >>> hn.models.freeze_batch_normalization(net)
    6
    """
    found = [
        layer
        for layer in model._flatten_layers()
        if isinstance(layer, keras.layers.BatchNormalization)
    ]
    for layer in found:
        layer.trainable = False
    return len(found)


def _applications() -> dict[str, collections.abc.Callable[..., keras.Model]]:
    return dict(inspect.getmembers(keras.applications, inspect.isfunction))


def _application(builder, image_shape, weights, is_file) -> keras.Model:
    try:
        network = builder(
            include_top=False,
            weights=None if is_file else weights,
            input_shape=image_shape,
            pooling="avg",
        )
    except ValueError as error:
        raise ValueError(
            f"{builder.__name__} could not be built: {error} Received:"
            f" image_shape={image_shape}, weights={str(weights)!r}"
        ) from error
    inputs = keras.Input(image_shape, name="images")
    outputs = network(_preprocess(builder, inputs))
    return keras.Model(inputs, outputs, name=network.name)


def _preprocess(builder, images):
    """Applies the network's own `preprocess_input`, as layers.

    Each of these functions is affine in the channels, so its values at black
    and at pure red, green and blue tell all of it; some reverse the channels.
    """
    module = sys.modules[builder.__module__]

    def at(pixel):
        values = np.array(pixel, dtype="float32").reshape(1, 1, 1, 3)
        values = module.preprocess_input(values, data_format="channels_last")
        return np.asarray(values, dtype="float64").ravel()

    offset = at([0, 0, 0])
    matrix = np.stack([(at(row) - offset) / 255 for row in 255 * np.eye(3)])
    if abs(matrix[0, 0]) < abs(matrix[0, 2]):
        images = keras.ops.flip(images, axis=-1)
        matrix = matrix[::-1]
    scale = np.diag(matrix)
    if np.allclose(scale, 1) and np.allclose(offset, 0):
        return images
    return layers.Rescaling(scale.tolist(), offset=offset.tolist())(images)


def _load(model: keras.Model, name: str, weights) -> None:
    # A file of a keras.applications network holds the layers inside ours.
    inner = [layer for layer in model.layers if isinstance(layer, keras.Model)]
    network = inner[0] if inner else model
    try:
        network.load_weights(weights)
    except (ValueError, OSError, KeyError) as error:
        raise ValueError(
            f"`weights` must be a weights file of {name} without its top:"
            f" {error} Received: weights={str(weights)!r}"
        ) from error
