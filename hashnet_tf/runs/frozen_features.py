"""What a frozen backbone makes of images, computed once."""

import hashlib
import json
import pathlib

import keras
import numpy as np

from hashnet_tf.atomic import written_beside
from hashnet_tf.datasets.batches import ordered_batches, varied_batches
from hashnet_tf.models import weights_digest

BATCH_SIZE = 128


def frozen_features(
    backbone,
    images,
    folder,
    augmentation="none",
    views=1,
    seed=0,
    framing="whole",
):
    """Returns the features of images, from `folder` if they lie there.

    A file's name is a digest of all that its content depends on: the images,
    the network's structure and weights, and the changes to the images. So
    another list or other weights never meet an old file.

    Args:
        backbone: `keras.Model` from images `[n, height, width, 3]` to features
            `[n, d]`.
        images: `ImageSet`.
        folder: Folder of the cache.
        augmentation: As in `training_batches`, for the views after the first.
        views: Positive int; the first view of an image is as at test.
        seed: Int, of the changes.
        framing: As in `training_batches`.

    Returns:
        float32 `[n, views, d]`, a memory map.

    Example:

    >>> import tempfile, hashnet_tf as hn
    >>> queries = hn.datasets.load("digits").query
    >>> net = hn.models.backbone("small_cnn", (16, 16, 3))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     features = hn.runs.frozen_features(net, queries, folder)
    ...     features.shape  # doctest: +ELLIPSIS
    Computing the features of the frozen backbone
    ...
    (200, 1, 128)
    """
    size = backbone.input_shape[1:3]
    key = {
        "images": images.fingerprint(),
        "weights": weights_digest(backbone),
        "structure": _structure(backbone),
        "size": size,
        "framing": framing,
        "changes": (augmentation, views, seed) if views > 1 else None,
    }
    digest = hashlib.sha256(json.dumps(key).encode()).hexdigest()[:24]
    path = pathlib.Path(folder) / f"{digest}.npy"
    if not path.exists():
        stack = np.empty(
            (len(images), views, backbone.output_shape[-1]), np.float32
        )
        print("Computing the features of the frozen backbone", flush=True)
        progress = keras.utils.Progbar(len(images) * views, unit_name="image")
        for view in range(views):
            if view:
                # A seed of its own for each view.
                batches = varied_batches(
                    images,
                    size,
                    BATCH_SIZE,
                    1_000_003 * seed + view,
                    framing,
                    augmentation,
                )
            else:
                batches = ordered_batches(images, size, BATCH_SIZE, framing)
            start = 0
            for batch in batches.as_numpy_iterator():
                stop = start + len(batch)
                stack[start:stop, view] = backbone.predict_on_batch(batch)
                progress.add(len(batch))
                start = stop
        with written_beside(path) as beside, beside.open("wb") as file:
            np.save(file, stack)
    return np.load(path, mmap_mode="r")


def _structure(model):
    """Returns the layers of a network as text.

    Keras numbers the names of layers on through a process, so in their place
    stands their order.
    """
    text = model.to_json()
    for place, layer in enumerate(model._flatten_layers()):
        text = text.replace(f'"{layer.name}"', f'"layer {place}"')
    return text
