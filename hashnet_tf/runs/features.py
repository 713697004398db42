"""Features of a frozen backbone, kept, and their batches."""

import hashlib
import json
import os
import pathlib
from collections.abc import Callable, Iterable

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf

from hashnet_tf._files import read_back, sealed
from hashnet_tf._output import Progress, say
from hashnet_tf.datasets.batches import ordered_batches, varied_batches
from hashnet_tf.datasets.images.image_set import ImageSet
from hashnet_tf.datasets.images.vectors import Vectors
from hashnet_tf.datasets.pixels.undecodable import undecodable_named
from hashnet_tf.datasets.sampling import (
    BatchSampler,
    chained,
    epoch_seeds,
    sampled,
    shuffled,
    untuned,
)
from hashnet_tf.models import weights_digest
from hashnet_tf.runs.config import TrainingConfig

BATCH_SIZE = 128


def frozen_features(
    backbone: keras.Model,
    images: ImageSet,
    folder: os.PathLike[str] | str,
    augmentation: str = "none",
    views: int = 1,
    seed: int = 0,
    framing: str = "whole",
) -> np.ndarray:
    """Returns the features of images, from `folder` if they lie there.

    A folder in it is named by a digest of the network's structure and weights
    and of how images are decoded and framed, and a file there by one of the
    images and the changes to them. So other weights never meet an old file. Of
    another list of images only those are computed that no file there holds:
    their first views, since the changes of the others go by the place in the
    list.

    A feature that is taken from another file was computed in another batch,
    which may move its last bits. Vectors are their own features, and no file of
    them is made.

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
        float32 `[n, views, d]`, a memory map; of vectors in memory.

    Raises:
        ValueError: If an image cannot be decoded.

    Example:

    >>> import tempfile, hashnet_tf as hn
    >>> queries = hn.datasets.load("digits").query
    >>> net = hn.models.backbone("small_cnn", (16, 16, 3))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     features = hn.runs.frozen_features(net, queries, folder)
    ...     features.shape
    Computing the features of the frozen backbone
    (200, 1, 128)
    """
    if isinstance(images, Vectors):
        return images.array()[:, None]
    size = backbone.input_shape[1:3]
    network = {
        "weights": weights_digest(backbone),
        "structure": _structure(backbone),
        "size": size,
        "framing": framing,
    }
    # Of pixels from the beginning, no decoder changes a feature.
    if images.decoder is not None:
        network["decoder"] = images.decoder
    content = {
        "images": images.fingerprint(),
        "changes": (augmentation, views, seed) if views > 1 else None,
    }
    own = pathlib.Path(folder) / _digest(json.dumps(network), 24)
    path = own / f"{_digest(json.dumps(content), 24)}.npy"
    width = backbone.output_shape[-1]
    rows = _opened(path, width)
    if rows is None:
        rows = np.empty(len(images), _row(views, width))
        rows["image"] = [_digest(text, 32) for text in images.fingerprints()]
        missing = _take_first_views(rows, own)
        with undecodable_named(images):
            _compute(
                rows["features"],
                missing,
                backbone,
                images,
                augmentation,
                seed,
                framing,
            )
        with sealed(path) as beside, beside.open("wb") as file:
            np.save(file, rows)
        rows = _opened(path, width)
        assert rows is not None
    return rows["features"]


def training_features(
    config: TrainingConfig,
    backbone: keras.Model,
    images: ImageSet,
    folder: str | os.PathLike[str],
) -> np.ndarray:
    """Returns the features of training images, in the views of the settings.

    Args:
        config: `TrainingConfig`.
        backbone: As in `frozen_features`.
        images: `ImageSet`, the training images.
        folder: As in `frozen_features`.

    Returns:
        float32 `[n, views, d]`, as `frozen_features`.

    Raises:
        ValueError: As `frozen_features`.
    """
    changes = (config.augmentation, config.views, config.seed)
    return frozen_features(backbone, images, folder, *changes, config.framing)


def feature_batches(
    features: np.ndarray,
    labels: npt.ArrayLike,
    batch_size: int,
    seed: int,
    sampler: BatchSampler | None = None,
    epochs: Iterable[int] | None = None,
) -> tf.data.Dataset:
    """Streams shuffled and labelled batches of features.

    Each epoch takes one view of each item, drawn anew, and drops the last
    batch where it is not full, as `training_batches` does.

    Args:
        features: float32 `[n, views, d]`.
        labels: Class ids `[n]` or zero-or-one matrix `[n, L]`.
        batch_size: Positive int, at most n.
        seed: Int.
        sampler: As in `training_batches`.
        epochs: As in `training_batches`.

    Returns:
        `tf.data.Dataset` of float32 `[batch_size, d]` and float32 labels.

    Raises:
        ValueError: If there are fewer items than a batch holds.

    Example:

    >>> import numpy as np, hashnet_tf as hn
    >>> features = np.zeros((10, 3, 5), np.float32)
    >>> batches = hn.runs.feature_batches(features, np.arange(10), 4, seed=0)
    >>> [x.shape for x, labels in batches]
    [TensorShape([4, 5]), TensorShape([4, 5])]
    """
    n, views, _ = features.shape
    if sampler is None and not 1 < batch_size <= n:
        raise ValueError(
            "`batch_size` must be from 2 to the number of training images,"
            f" {n}. Received: batch_size={batch_size}"
        )
    items = tf.constant(features)
    their_labels = tf.constant(np.asarray(labels), tf.float32)
    steps = n // batch_size if sampler is None else len(sampler)
    seeds = [seed] if epochs is None else epoch_seeds(seed, epochs)

    def each_epoch(stream: Callable[[int], tf.data.Dataset]) -> tf.data.Dataset:
        return chained([stream(s).take(steps * batch_size) for s in seeds])

    if sampler is None:
        positions = tf.data.Dataset.range(n)
        order = each_epoch(lambda s: shuffled(positions, n, s))
    else:
        order = sampled(sampler, seed, epochs=epochs)
    draws = each_epoch(
        lambda s: tf.data.Dataset.random(s, rerandomize_each_iteration=True)
    )
    stream = tf.data.Dataset.zip(order, draws).batch(
        batch_size, drop_remainder=True
    )

    def gather(positions, draws):
        rows = tf.stack([positions, draws % views], axis=1)
        return tf.gather_nd(items, rows), tf.gather(their_labels, positions)

    known = tf.data.experimental.assert_cardinality(steps * len(seeds))
    return untuned(stream.map(gather).apply(known).prefetch(2))


def _digest(text: str, length: int) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:length]


def _row(views: int, width: int) -> np.dtype:
    # An image lies beside its features: in one file neither can be without
    # the other.
    return np.dtype(
        [("image", "S32"), ("features", np.float32, (views, width))]
    )


def _opened(path: pathlib.Path, width: int) -> np.ndarray | None:
    """Returns the rows of a file, or None if it is missing or damaged."""
    try:
        with read_back(path, "it is made anew"):
            rows = np.lib.format.open_memmap(path, mode="r")
            views, _ = rows.dtype["features"].shape
    except (OSError, ValueError):
        return None
    return rows if rows.dtype == _row(views, width) else None


def _take_first_views(rows: np.ndarray, folder: pathlib.Path) -> np.ndarray:
    """Fills in the first views that other files hold.

    Returns:
        Boolean `[n]`: which are not among them.
    """
    names, features = rows["image"].tolist(), rows["features"]
    missing = np.ones(len(rows), dtype=bool)
    # Without what is still being written.
    for path in sorted(folder.glob("[!.]*.npy")):
        if not missing.any():
            break
        other = _opened(path, features.shape[-1])
        if other is None:
            continue
        places = {name: i for i, name in enumerate(other["image"].tolist())}
        others = other["features"]
        for i in np.flatnonzero(missing):
            place = places.get(names[i])
            if place is not None:
                features[i, 0] = others[place, 0]
                missing[i] = False
    return missing


def _compute(features, missing, backbone, images, augmentation, seed, framing):
    """Fills in the first views that are missing, and all after the first."""
    everything = np.arange(len(images))
    todo = [everything[missing], *[everything] * (features.shape[1] - 1)]
    count = sum(map(len, todo))
    if not count:
        return
    size = backbone.input_shape[1:3]
    say("Computing the features of the frozen backbone")
    progress, done = Progress(count, "images"), 0
    for view, positions in enumerate(todo):
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
        elif len(positions):
            some = images if missing.all() else images.subset(positions)
            batches = ordered_batches(some, size, BATCH_SIZE, framing)
        else:
            continue
        start = 0
        for batch in batches.as_numpy_iterator():
            stop = start + len(batch)
            features[positions[start:stop], view] = backbone.predict_on_batch(
                batch
            )
            done += len(batch)
            progress.update(done)
            start = stop


def _structure(model: keras.Model) -> str:
    """Returns the layers of a network as text.

    Keras numbers the names of layers on through a process, so in their place
    stands their order.
    """
    text = model.to_json()
    for place, layer in enumerate(model._flatten_layers()):
        text = text.replace(f'"{layer.name}"', f'"layer {place}"')
    return text
