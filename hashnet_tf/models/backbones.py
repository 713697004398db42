"""Networks by name, each with the preprocessing that belongs to it."""

import collections.abc
import inspect
import os
import pathlib
import sys

import keras
import numpy as np

from hashnet_tf._types import layers
from hashnet_tf.layers.local_response_normalization import (
    LocalResponseNormalization,
)

BLUE_GREEN_RED_MEAN = (104.0, 117.0, 123.0)
PIXELS_SIDE = 32


def small_cnn(image_shape: tuple[int, ...]) -> keras.Model:
    """Returns three blocks of convolutions, for images of 8 to 64 pixels.

    Each block is two 3x3 convolutions with batch normalisation, of 32, 64 and
    128 channels; all but the last halve the image.

    Args:
        image_shape: `(height, width, channels)`.

    Returns:
        `keras.Model` from images `[n, height, width, channels]` in [0, 255] to
        features `[n, 128]`.
    """
    inputs = keras.Input(image_shape, name="images")
    x = layers.Rescaling(1 / 127.5, offset=-1.0)(inputs)
    for block, channels in enumerate((32, 64, 128)):
        if block:
            x = layers.MaxPooling2D(2, padding="same")(x)
        for _ in range(2):
            x = layers.Conv2D(channels, 3, padding="same", use_bias=False)(x)
            # The usual 0.99 lags behind by more steps than a small data set
            # trains for.
            x = layers.BatchNormalization(momentum=0.9)(x)
            x = layers.ReLU()(x)
    x = layers.GlobalAveragePooling2D()(x)
    return keras.Model(inputs, x, name="small_cnn")


def alexnet(image_shape: tuple[int, ...]) -> keras.Model:
    """Returns AlexNet down to fc7, in one tower.

    "ImageNet Classification with Deep Convolutional Neural Networks"
    (Krizhevsky et al., NIPS 2012) as Caffe's reference network has it, which
    HashNet's released code fine-tunes: grouped convolutions 2, 4 and 5, local
    response normalisation after pooling, dropout 0.5 after fc6 and fc7. Keras
    has no weights for it.

    Args:
        image_shape: `(height, width, 3)`, 227 by 227 in the paper.

    Returns:
        `keras.Model` from RGB images `[n, height, width, 3]` in [0, 255] to
        features `[n, 4096]`; channel order and mean subtraction are inside.

    Raises:
        ValueError: If an image is too small for the poolings, or not RGB.
    """
    if image_shape[2] != len(BLUE_GREEN_RED_MEAN):
        raise ValueError(
            "AlexNet takes the means of red, green and blue off its images."
            f" Received: image_shape={tuple(image_shape)}"
        )
    if min(image_shape[:2]) < 67:
        raise ValueError(
            "AlexNet needs images of at least 67 pixels a side."
            f" Received: image_shape={tuple(image_shape)}"
        )
    inputs = keras.Input(image_shape, name="images")
    x = keras.ops.flip(inputs, axis=-1)
    x = layers.Rescaling(1.0, offset=[-mean for mean in BLUE_GREEN_RED_MEAN])(x)
    x = _convolution(x, 96, 11, "conv1", strides=4, padding="valid")
    x = layers.MaxPooling2D(3, 2, name="pool1")(x)
    x = LocalResponseNormalization(name="norm1")(x)
    x = _convolution(x, 256, 5, "conv2", groups=2, bias=1.0)
    x = layers.MaxPooling2D(3, 2, name="pool2")(x)
    x = LocalResponseNormalization(name="norm2")(x)
    x = _convolution(x, 384, 3, "conv3")
    x = _convolution(x, 384, 3, "conv4", groups=2, bias=1.0)
    x = _convolution(x, 256, 3, "conv5", groups=2, bias=1.0)
    x = layers.MaxPooling2D(3, 2, name="pool5")(x)
    x = layers.Flatten()(x)
    for name in ("fc6", "fc7"):
        x = layers.Dense(
            4096,
            activation="relu",
            kernel_initializer=keras.initializers.RandomNormal(stddev=0.005),
            bias_initializer=keras.initializers.Constant(1.0),
            name=name,
        )(x)
        x = layers.Dropout(0.5, name=f"drop_{name}")(x)
    return keras.Model(inputs, x, name="alexnet")


def pixels(image_shape: tuple[int, ...]) -> keras.Model:
    """Returns the grey values of an image themselves, in place of a network.

    For scans and drawings of one place and size, of which no trained network is
    needed, and for trying things out. It has no weights. Grey is the mean of
    the channels, however many there are.

    Args:
        image_shape: `(height, width, channels)`, at most 32 by 32.

    Returns:
        `keras.Model` from images `[n, height, width, channels]` in [0, 255] to
        features `[n, height * width]` in [0, 1].

    Raises:
        ValueError: If the images are larger: that many features tell less.
    """
    if max(image_shape[:2]) > PIXELS_SIDE:
        raise ValueError(
            f"The pixels themselves are taken of images of at most"
            f" {PIXELS_SIDE} a side."
            f" Received: image_shape={tuple(image_shape)}"
        )
    inputs = keras.Input(image_shape, name="images")
    grey = keras.ops.mean(layers.Rescaling(1 / 255)(inputs), axis=-1)
    return keras.Model(inputs, layers.Flatten()(grey), name="pixels")


def _convolution(
    x, filters, size, name, strides=1, padding="same", groups=1, bias=0.0
):
    return layers.Conv2D(
        filters,
        size,
        strides=strides,
        padding=padding,
        groups=groups,
        activation="relu",
        kernel_initializer=keras.initializers.RandomNormal(stddev=0.01),
        bias_initializer=keras.initializers.Constant(bias),
        name=name,
    )(x)


# Those that keras.applications lacks; a network of one's own is a line here.
OWN: dict[str, collections.abc.Callable[[tuple[int, ...]], keras.Model]] = {
    "alexnet": alexnet,
    "pixels": pixels,
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

    Of other than three channels, of which nobody has published means, a network
    of `keras.applications` has its images scaled to [-1, 1], unless it scales
    them itself. It has no pretrained weights then.

    Args:
        name: One of `backbone_names()`: "small_cnn", "alexnet", "pixels", or a
            model of `keras.applications` by its class name ("MobileNetV2").
        image_shape: `(height, width, channels)`; 3 channels are RGB.
        weights: None for random weights; "imagenet" (or another name that the
            `keras.applications` model knows) to download them; or the path of
            a weights file.

    Returns:
        `keras.Model` from images `[n, height, width, channels]` in [0, 255] to
        features `[n, d]`.

    Raises:
        ValueError: If the name is unknown, the weights are neither a file nor
            a name that the network knows, or the network or its weights are of
            other channels.
        OSError: If the weights cannot be downloaded.

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
    except Exception as error:
        # Keras has no class of its own for a download that fails.
        if "URL fetch failure" not in str(error):
            raise
        raise OSError(
            f"`weights` of {builder.__name__} must be downloaded by their name,"
            " or be the path of a file of weights, which needs no network."
            f" Received: weights={str(weights)!r} ({error})"
        ) from error
    inputs = keras.Input(image_shape, name="images")
    outputs = network(_preprocess(builder, inputs))
    return keras.Model(inputs, outputs, name=network.name)


def _preprocess(builder, images):
    """Applies the network's own `preprocess_input`, as layers.

    Each of these functions is affine in the channels, so its values at black
    and at pure red, green and blue tell all of it; some reverse the channels.
    One that changes nothing belongs to a network that scales inside.
    """
    module = sys.modules[builder.__module__]

    def at(pixel):
        values = np.array(pixel, dtype="float32").reshape(1, 1, 1, 3)
        values = module.preprocess_input(values, data_format="channels_last")
        return np.asarray(values, dtype="float64").ravel()

    offset = at([0, 0, 0])
    matrix = np.stack([(at(row) - offset) / 255 for row in 255 * np.eye(3)])
    if images.shape[-1] != 3 and not np.allclose(matrix, np.eye(3)):
        return layers.Rescaling(1 / 127.5, offset=-1.0)(images)
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
