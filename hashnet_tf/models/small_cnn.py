"""A network for small images."""

import keras
from keras import layers


def small_cnn(image_shape):
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
