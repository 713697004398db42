"""What makes a cell: training or fitting, encoding, measuring."""

import contextlib
import os
import pathlib
import resource
import sys
import time

import keras
import numpy as np

from hashnet_tf.reproduction.cell import Cell, Result
from hashnet_tf.reproduction.shared import Shared, shared_by
from hashnet_tf.retrieval import (
    RetrievalReport,
    evaluate,
    evaluate_distances,
)
from hashnet_tf.retrieval.evaluation import USUAL_AT
from hashnet_tf.runs.config import TrainingConfig
from hashnet_tf.runs.data import PARTS
from hashnet_tf.runs.fitting import fit_head
from hashnet_tf.runs.run import Run
from hashnet_tf.runs.training import train

STATUS = pathlib.Path("/proc/self/status")
CLEAR_REFS = pathlib.Path("/proc/self/clear_refs")

Path = str | os.PathLike[str]


def peak_memory_mb() -> float:
    """Returns the most main memory that this process has held, in 10^6 bytes.

    Since `forget_peak_memory`, where the system can forget it.

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


def forget_peak_memory() -> None:
    """Lets `peak_memory_mb` begin with what the process holds now, on Linux."""
    # 5 of proc(5): the peak is set to the present size.
    with contextlib.suppress(OSError):
        CLEAR_REFS.write_text("5")


def run_cell(
    cell: Cell,
    shared: Path,
    features: Path | None = None,
    kept: Shared | None = None,
) -> None:
    """Makes a cell and writes its result; a run goes on where it stands.

    Where the backbone is frozen, a deep method is trained on its features
    alone, with the result of a run but without a run directory; `train_cell`
    makes that.

    Args:
        cell: `Cell`.
        shared: Str or path of the folder of what cells share.
        features: As in `prepare`.
        kept: `Shared` that another cell of the seed has, or None to load it.

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
    config = cell.config
    # Loaded and built once for all that follows.
    if kept is None:
        kept = Shared(config, shared, not cell.method.is_deep, features)
    dataset = kept.data.dataset
    forget_peak_memory()
    if not cell.method.is_deep:
        measured = _fitted(cell, kept)
    elif config.freeze_backbone:
        measured = _trained_on_features(config, kept)
    else:
        measured = _trained(cell, kept)
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


def run_cell_in_turn(
    cell: Cell, shared: Path, features: Path | None = None
) -> None:
    """Makes a cell in a process that makes many, as `run_cell` does."""
    kept = shared_by(cell.config, shared, not cell.method.is_deep, features)
    try:
        run_cell(cell, shared, features, kept)
    finally:
        # Of each training TensorFlow keeps the graphs.
        keras.utils.clear_session()


def train_cell(cell: Cell, shared: Path, features: Path | None = None) -> None:
    """Makes the run directory of a deep cell, with its code sets.

    Args:
        cell: `Cell`.
        shared: As in `run_cell`.
        features: As in `prepare`.

    Raises:
        ValueError: As `hashnet_tf.runs.train`.
    """
    kept = Shared(cell.config, shared, False, features)
    run = train(cell.config, cell.folder, kept.cache, kept.data)
    run.evaluate(features=kept.cache, backbone=kept.backbone)


def _trained(cell: Cell, kept: Shared):
    begun = Run(cell.folder).config_path.exists()
    start = time.perf_counter()
    run = train(cell.config, cell.folder, kept.cache, kept.data)
    report = run.evaluate()
    seconds = None if begun else time.perf_counter() - start
    training = _ends(run.history[-1])
    return report, seconds, "pixels", training, -(-cell.config.bits // 8)


def _trained_on_features(config: TrainingConfig, kept: Shared):
    dataset = kept.data.dataset
    views = kept.views
    start = time.perf_counter()
    head, last = fit_head(config, views, dataset.train.labels)
    query, database = (
        _encoded(head, kept.features(part)) for part in ("query", "database")
    )
    report = _measured(query, database, dataset, config.bits)
    seconds = time.perf_counter() - start
    made_of = f"features of {config.backbone}, {config.weights}"
    return report, seconds, made_of, _ends(last), -(-config.bits // 8)


def _ends(record):
    return {name: record[name] for name in ("J", "L", "gap")}


def _fitted(cell: Cell, kept: Shared):
    config, dataset = cell.config, kept.data.dataset
    start = time.perf_counter()
    estimator = cell.method.estimator(config.bits, config.seed)
    learnt = np.concatenate(list(kept.features("train")))
    estimator.fit(learnt, dataset.train.labels)
    found = _encoded(estimator, kept.features("database"))
    if cell.method.kind == "vectors":
        queries = np.concatenate(list(kept.features("query")))
        report = evaluate_distances(
            lambda rows: estimator.distances(queries[rows], found),
            dataset.query.labels,
            dataset.database.labels,
            at=dataset.at or USUAL_AT,
        )
    else:
        query = _encoded(estimator, kept.features("query"))
        report = _measured(query, found, dataset, config.bits)
    seconds = time.perf_counter() - start
    made_of = "pixels"
    if kept.backbone is not None:
        made_of = f"features of {config.backbone}, {config.weights}"
    return report, seconds, made_of, None, found[:1].nbytes


def _measured(query, database, dataset, bits) -> RetrievalReport:
    return evaluate(
        query,
        database,
        dataset.query.labels,
        dataset.database.labels,
        bits=bits,
        at=dataset.at or USUAL_AT,
    )


def _encoded(estimator, parts):
    return np.concatenate([estimator.encode(part) for part in parts])
