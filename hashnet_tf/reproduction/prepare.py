"""What the cells of one seed share."""

import pathlib

from hashnet_tf.runs.frozen_features import frozen_features
from hashnet_tf.runs.networks import build_backbone
from hashnet_tf.runs.run_data import PARTS, run_data
from hashnet_tf.runs.run_directory import RunDirectory


def features_path(shared):
    """Returns the folder of the features of frozen backbones."""
    return pathlib.Path(shared) / "features"


def frozen_backbone(config, shallow):
    """Returns the backbone whose features the cells of a seed share.

    Args:
        config: `TrainingConfig`.
        shallow: Whether shallow systems will want features too.

    Returns:
        As `hashnet_tf.runs.networks.build_backbone`, or None if no backbone
        stays as it comes.

    Raises:
        ValueError: As `build_backbone`.

    Example:

    >>> import hashnet_tf as hn
    >>> from hashnet_tf.reproduction.prepare import frozen_backbone
    >>> frozen_backbone(hn.runs.TrainingConfig(data="digits"), shallow=True)
    """
    if config.freeze_backbone or (shallow and config.weights is not None):
        return build_backbone(config)
    return None


def prepare(config, shared, shallow, backbone=None):
    """Looks through the data of a seed and computes features, only once.

    So all cells of a seed have the same data, and none of them counts the
    features of a frozen backbone in its time.

    Args:
        config: `TrainingConfig`.
        shared: Str or path of the folder of what cells share.
        shallow: As in `frozen_backbone`.
        backbone: What that gives, or None to build it.

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
    return dataset, record
