"""What makes a cell: training or fitting, encoding, measuring."""

import collections.abc
import contextlib
import functools
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
from hashnet_tf.retrieval import (
    RetrievalReport,
    evaluate,
    evaluate_distances,
)
from hashnet_tf.retrieval.evaluation import USUAL_AT
from hashnet_tf.runs.config import TrainingConfig
from hashnet_tf.runs.data import PARTS, RunData
from hashnet_tf.runs.features import frozen_features
from hashnet_tf.runs.fitting import fit_head
from hashnet_tf.runs.networks import build_backbone
from hashnet_tf.runs.run import Run
from hashnet_tf.runs.training import train

STATUS = pathlib.Path("/proc/self/status")
CLEAR_REFS = pathlib.Path("/proc/self/clear_refs")

ROWS = 4096

# What the features depend on beside the data.
SHARED = (
    "backbone",
    "weights",
    "freeze_backbone",
    "image_size",
    "framing",
    "skip_undecodable",
    "augmentation",
    "views",
)

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
    # The same images may be split in two ways, to choose settings and to test.
    asks = "-validation" if config.validation is not None else ""
    run = Run(pathlib.Path(shared) / f"seed{config.seed}{asks}")
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


class _Shared:
    """What the cells of a seed have in common, held for the next of them."""

    def __init__(self, config: TrainingConfig, shared: Path, shallow: bool):
        self.backbone = frozen_backbone(config, shallow)
        self.data = prepare(config, shared, shallow, self.backbone)
        self.cache = features_path(shared)
        self._config = config

    @functools.cached_property
    def views(self) -> np.ndarray:
        """float32 `[n, views, d]`, features of the training images."""
        config = self._config
        assert self.backbone is not None
        return frozen_features(
            self.backbone,
            self.data.dataset.train,
            self.cache,
            config.augmentation,
            config.views,
            config.seed,
            config.framing,
        )

    def features(self, part: str) -> collections.abc.Iterator[np.ndarray]:
        """Streams the features of a part as shallow methods see them."""
        images = getattr(self.data.dataset, part)
        config, cache = self._config, self.cache
        return shallow_features(config, self.backbone, images, cache)


_held: tuple[typing.Any, _Shared] | None = None


def _shared_by(config: TrainingConfig, shared: Path, shallow: bool) -> _Shared:
    """Returns what is held, if it is of the same data, files and network."""
    global _held
    key = (
        os.fspath(shared),
        shallow,
        *(getattr(config, name) for name in (*config.data_source(), *SHARED)),
    )
    if _held is None or _held[0] != key:
        # Two of them would be twice the memory.
        _held = None
        held = _Shared(config, shared, shallow)
        _held = (key, held)
    return _held[1]


def run_cell(cell: Cell, shared: Path) -> None:
    """Makes a cell and writes its result; a run goes on where it stands.

    Where the backbone is frozen, a deep method is trained on its features
    alone, with the result of a run but without a run directory; `train_cell`
    makes that.

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
    config = cell.config
    # Loaded and built once for all that follows.
    kept = _shared_by(config, shared, not cell.method.is_deep)
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
    # Of each training TensorFlow keeps the graphs.
    keras.utils.clear_session()


def train_cell(cell: Cell, shared: Path) -> None:
    """Makes the run directory of a deep cell, with its code sets.

    Args:
        cell: `Cell`.
        shared: As in `run_cell`.

    Raises:
        ValueError: As `hashnet_tf.runs.train`.
    """
    kept = _shared_by(cell.config, shared, False)
    run = train(cell.config, cell.folder, kept.cache, kept.data)
    run.evaluate(features=kept.cache, backbone=kept.backbone)


def _trained(cell: Cell, kept: _Shared):
    begun = Run(cell.folder).config_path.exists()
    start = time.perf_counter()
    run = train(cell.config, cell.folder, kept.cache, kept.data)
    report = run.evaluate()
    seconds = None if begun else time.perf_counter() - start
    training = _watched(run.history[-1])
    return report, seconds, "pixels", training, -(-cell.config.bits // 8)


def _trained_on_features(config: TrainingConfig, kept: _Shared):
    dataset = kept.data.dataset
    views = kept.views
    start = time.perf_counter()
    head, last = fit_head(config, views, dataset.train.labels)
    query, database = (
        _encoded(head, kept.features(part)) for part in ("query", "database")
    )
    report = _measured(query, database, dataset, config.bits)
    seconds = time.perf_counter() - start
    return report, seconds, "pixels", _watched(last), -(-config.bits // 8)


def _watched(record):
    return {name: record[name] for name in ("J", "L", "gap")}


def _fitted(cell: Cell, kept: _Shared):
    config, dataset = cell.config, kept.data.dataset
    start = time.perf_counter()
    estimator = cell.method.resolve()()
    # What ranks by all dimensions has neither.
    settings = {"bits": config.bits, "seed": config.seed}
    taken = settings.keys() & estimator.get_params()
    estimator.set_params(**{name: settings[name] for name in taken})
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
