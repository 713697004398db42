"""What the cells of one seed share."""

import pathlib

from hashnet_tf.runs.frozen_features import frozen_features
from hashnet_tf.runs.networks import build_backbone
from hashnet_tf.runs.run_data import PARTS, run_data
from hashnet_tf.runs.run_directory import RunDirectory


def features_path(shared):
    """Returns the folder of the features of frozen backbones."""
    return pathlib.Path(shared) / "features"


def prepare(config, shared, shallow):
    """Looks through the data of a seed and computes features, only once.

    So all cells of a seed have the same data, and none of them counts the
    features of a frozen backbone in its time.

    Args:
        config: `TrainingConfig`.
        shared: Str or path of the folder of what cells share.
        shallow: Whether shallow systems will want features too.

    Returns:
        `(dataset, record)`, as `hashnet_tf.runs.run_data`.

    Raises:
        ValueError: As `hashnet_tf.runs.run_data` and `build_backbone`.

    Example:

    >>> import tempfile, hashnet_tf as hn
    >>> from hashnet_tf.reproduction.prepare import prepare
    >>> config = hn.runs.TrainingConfig(data="digits")
    >>> with tempfile.TemporaryDirectory() as shared:
    ...     dataset, record = prepare(config, shared, shallow=True)
    >>> len(dataset.query), record["query"]["undecodable"]
    (200, [])
    """
    run = RunDirectory(pathlib.Path(shared) / f"seed{config.seed}")
    dataset, record = run_data(run, config)
    run.write_data_record(record)
    if config.freeze_backbone or (shallow and config.weights is not None):
        backbone, cache = build_backbone(config), features_path(shared)
        for part in PARTS:
            images = getattr(dataset, part)
            frozen_features(backbone, images, cache, framing=config.framing)
        if config.freeze_backbone:
            changes = (config.augmentation, config.views, config.seed)
            frozen_features(
                backbone, dataset.train, cache, *changes, config.framing
            )
    return dataset, record
