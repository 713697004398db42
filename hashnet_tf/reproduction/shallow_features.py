"""What a shallow system sees of images."""

import numpy as np

from hashnet_tf.datasets import ordered_batches
from hashnet_tf.runs.frozen_features import frozen_features

ROWS = 4096


def shallow_features(config, backbone, images, cache):
    """Streams the features of images, in order.

    Those of the backbone as it comes, as the paper takes DeCAF7 of its AlexNet.
    A backbone without weights has learnt nothing, and the pixels take the place
    of its features.

    Args:
        config: `TrainingConfig`.
        backbone: `keras.Model` from images to features, or None where
            `config.weights` is None.
        images: `ImageSet`.
        cache: Str or path of the folder of cached features.

    Yields:
        float32 `[<= 4096, d]`.

    Example:

    >>> import hashnet_tf as hn
    >>> from hashnet_tf.reproduction.shallow_features import shallow_features
    >>> config = hn.runs.TrainingConfig(data="digits", image_size=8)
    >>> images = hn.datasets.load("digits").query
    >>> [part.shape for part in shallow_features(config, None, images, "no")]
    [(200, 192)]
    """
    if backbone is None:
        size = (config.image_size, config.image_size)
        batches = ordered_batches(images, size, ROWS, config.framing)
        for batch in batches.as_numpy_iterator():
            yield batch.reshape(len(batch), -1).astype(np.float32)
    else:
        features = frozen_features(
            backbone, images, cache, framing=config.framing
        )
        for start in range(0, len(images), ROWS):
            yield np.array(features[start : start + ROWS, 0])
