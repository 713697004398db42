"""What makes a cell: training or fitting, encoding, measuring."""

import collections.abc
import os
import pathlib
import resource
import sys
import time
import typing

import keras
import numpy as np

from hashnet_tf._files import write_json
from hashnet_tf.datasets import ordered_batches
from hashnet_tf.reproduction.cell import Cell, Result
from hashnet_tf.retrieval import evaluate, evaluate_distances
from hashnet_tf.retrieval.evaluation import USUAL_AT
from hashnet_tf.runs.config import TrainingConfig
from hashnet_tf.runs.data import PARTS, RunData
from hashnet_tf.runs.features import frozen_features
from hashnet_tf.runs.networks import build_backbone
from hashnet_tf.runs.run import Run
from hashnet_tf.runs.training import train

STATUS = pathlib.Path("/proc/self/status")

ROWS = 4096

Path = str | os.PathLike[str]


def peak_memory_mb() -> float:
    """Returns the most main memory that this process has held, in 10^6 bytes.

    Example:

    >>> from hashnet_tf.reproduction.job import peak_memory_mb
    >>> peak_memory_mb() > 1
    True
    """
    # Linux hands getrusage's figure on from parent to child, this one not.
    if STATUS.exists():
        for line in STATUS.read_text().splitlines():
            name, _, value = line.partition(":")
            if name == "VmHWM":
                return int(value.split()[0]) * 1024 / 1e6
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak * (1 if sys.platform == "darwin" else 1024) / 1e6


def features_path(shared: Path) -> pathlib.Path:
    """Returns the folder of the features of frozen backbones."""
    return pathlib.Path(shared) / "features"


def frozen_backbone(
    config: TrainingConfig, shallow: bool
) -> keras.Model | None:
    """Returns the backbone whose features the cells of a seed share.

    Args:
        config: `TrainingConfig`.
        shallow: Whether shallow methods will want features too.

    Returns:
        As `hashnet_tf.runs.networks.build_backbone`, or None if no backbone
        stays as it comes.

    Raises:
        ValueError: As `build_backbone`.

    Example:

    >>> import hashnet_tf as hn
    >>> from hashnet_tf.reproduction.job import frozen_backbone
    >>> frozen_backbone(hn.runs.TrainingConfig(data="digits"), shallow=True)
    """
    if config.freeze_backbone or (shallow and config.weights is not None):
        return build_backbone(config)
    return None


def prepare(
    config: TrainingConfig,
    shared: Path,
    shallow: bool,
    backbone: keras.Model | None = None,
) -> RunData:
    """Looks through the data of a seed and computes features, only once.

    So all cells of a seed have the same data, and none of them counts the
    features of a frozen backbone in its time.

    Args:
        config: `TrainingConfig`.
        shared: Str or path of the folder of what cells share.
        shallow: As in `frozen_backbone`.
        backbone: What that gives, or None to build it.

    Returns:
        `RunData`, as `hashnet_tf.runs.Run.load_data`.

    Raises:
        ValueError: As `hashnet_tf.runs.Run.load_data` and `build_backbone`.

    Example:

    >>> import tempfile, hashnet_tf as hn
    >>> from hashnet_tf.reproduction.job import prepare
    >>> config = hn.runs.TrainingConfig(data="digits")
    >>> with tempfile.TemporaryDirectory() as shared:
    ...     dataset, record = prepare(config, shared, shallow=True)
    >>> len(dataset.query), record["query"]["undecodable"]
    (200, [])
    """
    run = Run(pathlib.Path(shared) / f"seed{config.seed}")
    dataset, record = data = run.load_data(config)
    write_json(run.data_path, record, seal=True)
    if backbone is None:
        backbone = frozen_backbone(config, shallow)
    if backbone is not None:
        cache = features_path(shared)
        for part in PARTS:
            images = getattr(dataset, part)
            frozen_features(backbone, images, cache, framing=config.framing)
        if config.views > 1:
            changes = (config.augmentation, config.views, config.seed)
            frozen_features(
                backbone, dataset.train, cache, *changes, config.framing
            )
    return data


def shallow_features(
    config: TrainingConfig,
    backbone: keras.Model | None,
    images: typing.Any,
    cache: Path,
) -> collections.abc.Iterator[np.ndarray]:
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
    >>> from hashnet_tf.reproduction.job import shallow_features
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


def run_cell(cell: Cell, shared: Path) -> None:
    """Makes a cell and writes its result; a deep one goes on where it stands.

    Args:
        cell: `Cell`.
        shared: Str or path of the folder of what cells share.

    Raises:
        ValueError: As `hashnet_tf.runs.train` and `fit` of the hash functions.

    Example:

    >>> import tempfile, hashnet_tf as hn
    >>> config = hn.runs.TrainingConfig(data="digits", image_size=8)
    >>> with tempfile.TemporaryDirectory() as out:
    ...     cell = hn.reproduction.Cell.of(out, config, "lsh", 16, seed=0)
    ...     hn.reproduction.run_cell(cell, out)
    ...     cell.result().images
    {'train': 1000, 'query': 200, 'database': 1597}
    """
    shallow = not cell.method.is_deep
    # Loaded and built once for all that follows.
    backbone = frozen_backbone(cell.config, shallow)
    data = prepare(cell.config, shared, shallow, backbone)
    dataset, _ = data
    cache = features_path(shared)
    if shallow:
        measured = _fitted(cell, dataset, backbone, cache)
    else:
        measured = _trained(cell, data, backbone, cache)
    report, seconds, features, training, bytes_per_item = measured
    cell.finish(
        Result(
            protocol=dataset.protocol,
            images={part: len(getattr(dataset, part)) for part in PARTS},
            features=features,
            report=report,
            seconds=seconds,
            training=training,
            peak_memory_mb=peak_memory_mb(),
            bytes_per_item=bytes_per_item,
        )
    )


def _trained(cell: Cell, data: RunData, backbone, cache):
    begun = Run(cell.folder).config_path.exists()
    start = time.perf_counter()
    run = train(cell.config, cell.folder, cache, data)
    report = run.evaluate(features=cache, backbone=backbone)
    seconds = None if begun else time.perf_counter() - start
    last = run.history[-1]
    training = {name: last[name] for name in ("J", "L", "gap")}
    return report, seconds, "pixels", training, -(-cell.config.bits // 8)


def _fitted(cell: Cell, dataset, backbone, cache):
    config = cell.config

    def features(images):
        return shallow_features(config, backbone, images, cache)

    start = time.perf_counter()
    estimator = cell.method.resolve()()
    # What ranks by all dimensions has neither.
    settings = {"bits": config.bits, "seed": config.seed}
    taken = settings.keys() & estimator.get_params()
    estimator.set_params(**{name: settings[name] for name in taken})
    learnt = np.concatenate(list(features(dataset.train)))
    estimator.fit(learnt, dataset.train.labels)
    kept = _encoded(estimator, features(dataset.database))
    labels = dataset.query.labels, dataset.database.labels
    at = dataset.at or USUAL_AT
    if cell.method.kind == "vectors":
        queries = np.concatenate(list(features(dataset.query)))
        report = evaluate_distances(
            lambda rows: estimator.distances(queries[rows], kept),
            *labels,
            at=at,
        )
    else:
        queries = _encoded(estimator, features(dataset.query))
        report = evaluate(queries, kept, *labels, bits=config.bits, at=at)
    seconds = time.perf_counter() - start
    made_of = "pixels"
    if backbone is not None:
        made_of = f"features of {config.backbone}, {config.weights}"
    return report, seconds, made_of, None, kept[:1].nbytes


def _encoded(estimator, parts):
    return np.concatenate([estimator.encode(part) for part in parts])
