"""What the cells of a table share: data of a seed, backbone, features."""

import collections.abc
import functools
import os
import pathlib
import typing

import keras
import numpy as np

from hashnet_tf._files import write_json
from hashnet_tf.datasets import ImageSet, ordered_batches
from hashnet_tf.runs.config import TrainingConfig
from hashnet_tf.runs.data import PARTS, RunData
from hashnet_tf.runs.features import frozen_features, training_features
from hashnet_tf.runs.networks import build_backbone
from hashnet_tf.runs.run import Run

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


def frozen_backbone(
    config: TrainingConfig, shallow: bool, items: ImageSet | None = None
) -> keras.Model | None:
    """Returns the backbone whose features the cells of a seed share.

    Args:
        config: `TrainingConfig`.
        shallow: Whether shallow methods will want features too.
        items: As in `hashnet_tf.runs.networks.build_backbone`.

    Returns:
        As `hashnet_tf.runs.networks.build_backbone`, or None if no backbone
        stays as it comes.

    Raises:
        ValueError: As `build_backbone`.

    Example:

    >>> import hashnet_tf as hn
    >>> from hashnet_tf.reproduction.shared import frozen_backbone
    >>> frozen_backbone(hn.runs.TrainingConfig(data="digits"), shallow=True)
    """
    if config.freeze_backbone or (shallow and config.weights is not None):
        return build_backbone(config, items)
    return None


def prepare(
    config: TrainingConfig,
    shared: Path,
    shallow: bool,
    features: Path | None = None,
) -> tuple[RunData, keras.Model | None]:
    """Looks through the data of a seed and computes features, only once.

    So all cells of a seed have the same data, and none of them counts the
    features of a frozen backbone in its time.

    Args:
        config: `TrainingConfig`.
        shared: Str or path of the folder of what cells share.
        shallow: As in `frozen_backbone`.
        features: Str or path of the folder of the features of frozen
            backbones, or None for one in `shared`.

    Returns:
        `RunData`, as `hashnet_tf.runs.Run.load_data`, and what
        `frozen_backbone` gives.

    Raises:
        ValueError: As `hashnet_tf.runs.Run.load_data` and `build_backbone`.

    Example:

    >>> import tempfile, hashnet_tf as hn
    >>> from hashnet_tf.reproduction.shared import prepare
    >>> config = hn.runs.TrainingConfig(data="digits")
    >>> with tempfile.TemporaryDirectory() as shared:
    ...     data, backbone = prepare(config, shared, shallow=True)
    >>> len(data.dataset.query), backbone is None
    (200, True)
    """
    # The same images may be split in several ways.
    split = f"seed{config.seed}"
    if config.validation is not None:
        split += "-validation"
    if config.unseen_classes is not None:
        split += f"-unseen{config.unseen_classes}"
    run = Run(pathlib.Path(shared) / split)
    dataset, record = data = run.load_data(config)
    write_json(run.data_path, record, seal=True)
    backbone = frozen_backbone(config, shallow, dataset.train)
    if backbone is not None:
        cache = _features_path(shared, features)
        for part in PARTS:
            images = getattr(dataset, part)
            frozen_features(backbone, images, cache, framing=config.framing)
        if config.views > 1:
            training_features(config, backbone, dataset.train, cache)
    return data, backbone


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
    >>> from hashnet_tf.reproduction.shared import shallow_features
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


class Shared:
    """What the cells of a seed have in common.

    Args:
        config: `TrainingConfig` of one of them.
        shared: Str or path of the folder of what cells share.
        shallow: As in `frozen_backbone`.
        features: As in `prepare`.

    Attributes:
        backbone: As `frozen_backbone` returns it.
        data: `RunData`.
        cache: `pathlib.Path` of the features' folder.

    Raises:
        ValueError: As `prepare`.
    """

    def __init__(
        self,
        config: TrainingConfig,
        shared: Path,
        shallow: bool,
        features: Path | None = None,
    ) -> None:
        self.data, self.backbone = prepare(config, shared, shallow, features)
        self.cache = _features_path(shared, features)
        self._config = config

    @functools.cached_property
    def views(self) -> np.ndarray:
        """float32 `[n, views, d]`, features of the training images."""
        assert self.backbone is not None
        images = self.data.dataset.train
        return training_features(
            self._config, self.backbone, images, self.cache
        )

    def features(self, part: str) -> collections.abc.Iterator[np.ndarray]:
        """Streams a part as shallow methods see it, float32 `[<= 4096, d]`."""
        images = getattr(self.data.dataset, part)
        config, cache = self._config, self.cache
        return shallow_features(config, self.backbone, images, cache)


_held: tuple[typing.Any, Shared] | None = None


def _features_path(shared: Path, features: Path | None) -> pathlib.Path:
    return pathlib.Path(features or pathlib.Path(shared, "features"))


def shared_by(
    config: TrainingConfig,
    shared: Path,
    shallow: bool,
    features: Path | None,
) -> Shared:
    """Returns what the cell before had, if it had the same, or loads it.

    For a process that makes the cells of a table and ends with it: a change of
    the files in between is not seen.

    Args:
        config: `TrainingConfig` of a cell.
        shared: As in `Shared`.
        shallow: As in `Shared`.
        features: As in `Shared`.

    Raises:
        ValueError: As `Shared`.
    """
    global _held
    key = (
        os.fspath(shared),
        features,
        config.freeze_backbone or (shallow and config.weights is not None),
        *(getattr(config, name) for name in (*config.data_source(), *SHARED)),
    )
    if _held is None or _held[0] != key:
        # Two of them would be twice the memory.
        _held = None
        held = Shared(config, shared, shallow, features)
        _held = (key, held)
    return _held[1]
