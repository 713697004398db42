"""What makes a cell: training or fitting, encoding, measuring."""

import time

import numpy as np

from hashnet_tf.reproduction.peak_memory import peak_memory_mb
from hashnet_tf.reproduction.prepare import (
    features_path,
    frozen_backbone,
    prepare,
)
from hashnet_tf.reproduction.result import Result
from hashnet_tf.reproduction.shallow_features import shallow_features
from hashnet_tf.retrieval import evaluate
from hashnet_tf.retrieval.evaluate import USUAL_AT
from hashnet_tf.runs.evaluate_run import evaluate_run
from hashnet_tf.runs.run_data import PARTS
from hashnet_tf.runs.run_directory import RunDirectory
from hashnet_tf.runs.train import train


def run_cell(cell, shared):
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
    shallow = cell.system.shallow is not None
    # Loaded and built once for all that follows.
    backbone = frozen_backbone(cell.config, shallow)
    data = prepare(cell.config, shared, shallow, backbone)
    dataset, _ = data
    cache = features_path(shared)
    if shallow:
        measured = _fitted(cell, dataset, backbone, cache)
    else:
        measured = _trained(cell, data, backbone, cache)
    report, seconds, features = measured
    cell.finish(
        Result(
            protocol=dataset.protocol,
            images={part: len(getattr(dataset, part)) for part in PARTS},
            features=features,
            report=report,
            seconds=seconds,
            peak_memory_mb=peak_memory_mb(),
        )
    )


def _trained(cell, data, backbone, cache):
    begun = RunDirectory(cell.folder).config_path.exists()
    start = time.perf_counter()
    train(cell.config, cell.folder, cache, data)
    report = evaluate_run(
        cell.folder, features=cache, data=data, backbone=backbone
    )
    seconds = None if begun else time.perf_counter() - start
    return report, seconds, "pixels"


def _fitted(cell, dataset, backbone, cache):
    config = cell.config

    def features(images):
        return shallow_features(config, backbone, images, cache)

    start = time.perf_counter()
    learnt = np.concatenate(list(features(dataset.train)))
    system = cell.system.shallow(bits=config.bits, seed=config.seed)
    system.fit(learnt, dataset.train.labels)
    query, database = (
        np.concatenate([system.encode(part) for part in features(images)])
        for images in (dataset.query, dataset.database)
    )
    report = evaluate(
        query,
        database,
        dataset.query.labels,
        dataset.database.labels,
        bits=config.bits,
        at=dataset.at or USUAL_AT,
    )
    seconds = time.perf_counter() - start
    made_of = "pixels"
    if backbone is not None:
        made_of = f"features of {config.backbone}, {config.weights}"
    return report, seconds, made_of
