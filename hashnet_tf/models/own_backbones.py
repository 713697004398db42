"""Networks that keras.applications lacks."""

import keras

from hashnet_tf._types import layers
from hashnet_tf.layers.local_response_normalization import (
    LocalResponseNormalization,
)

BLUE_GREEN_RED_MEAN = (104.0, 117.0, 123.0)


def small_cnn(image_shape: tuple[int, ...]) -> keras.Model:
    """Returns three blocks of convolutions, for images of 8 to 64 pixels.

    Each block is two 3x3 convolutions with batch normalisation, of 32, 64 and
    128 channels; all but the last halve the image.

    Args:
        image_shape: `(height, width, 3)`.

    Returns:
        `keras.Model` from images `[n, height, width, 3]` in [0, 255] to
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
        ValueError: If an image is too small for the poolings.
    """
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
