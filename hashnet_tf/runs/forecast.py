"""How long a training will take, told before it begins."""

import pathlib
import time

import keras

from hashnet_tf._output import duration, say
from hashnet_tf.datasets.batches import ordered_batches
from hashnet_tf.datasets.images.image_set import ImageSet
from hashnet_tf.runs.config import TrainingConfig

# Images that are timed, after as many to warm up; fewer are done at once.
TIMED = 32
# Of a step against the forward pass: back to the activations and the weights.
STEP = 3


def tell_forecast(
    config: TrainingConfig,
    backbone: keras.Model,
    images: ImageSet,
    steps: int,
    items_per_step: int,
    features: pathlib.Path,
) -> None:
    """Says how long a training will take, and the other way of it.

    By the time that the backbone takes for some of the images, their decoding
    included. A step of the whole network is counted as three passes forward.
    Nothing is said of few images, or where features of the frozen backbone are
    kept.

    Args:
        config: `TrainingConfig`.
        backbone: `keras.Model` from images to features.
        images: `ImageSet`, the training images.
        steps: Int, of the training.
        items_per_step: Int, the images of each.
        features: `pathlib.Path` of the folder of the kept features.
    """
    # Of vectors all is short.
    if len(images) < 4 * TIMED or config.is_of_vectors:
        return
    if config.freeze_backbone and any(features.glob("*/*.npy")):
        return
    size = backbone.input_shape[1:3]
    batches = ordered_batches(
        images.first(2 * TIMED), size, TIMED, config.framing
    )
    start = 0.0
    for number, batch in enumerate(batches.as_numpy_iterator()):
        backbone.predict_on_batch(batch)
        if number == 0:
            start = time.perf_counter()
    each = (time.perf_counter() - start) / TIMED
    once = duration(each * len(images) * config.views)
    whole = duration(STEP * each * steps * items_per_step)
    if config.freeze_backbone:
        say(
            f"Features of {len(images):,} images: about {once}, then {steps:,}"
            f" short steps on them. The whole network (--no-freeze_backbone):"
            f" about {whole}"
        )
    elif config.weights is not None:
        say(
            f"The whole network: about {whole}. On its frozen features"
            f" (--freeze_backbone): about {once} and {steps:,} short steps"
        )
    else:
        say(f"The whole network: about {whole}")
