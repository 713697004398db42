"""The fitting of a run that learns a map without labels."""

import pathlib

import keras
import numpy as np

from hashnet_tf._files import sealed
from hashnet_tf._output import say
from hashnet_tf.index.fitting import SAMPLE
from hashnet_tf.methods import METHODS
from hashnet_tf.models import HashNet
from hashnet_tf.runs._together import WITHOUT_WEIGHTS
from hashnet_tf.runs.config import TrainingConfig
from hashnet_tf.runs.features import training_features
from hashnet_tf.runs.fitting import write_begun
from hashnet_tf.runs.networks import build_backbone, build_head
from hashnet_tf.runs.run import Path, Run


def fit_map_run(
    run: Run, config: TrainingConfig, features: Path | None = None
) -> None:
    """Fits a run whose method is a linear map, learned without labels.

    `hashnet_tf.runs.train` calls it. The features of at most `SAMPLE` of the
    training images, drawn by the seed, are what is learned from.

    Args:
        run: `Run`, new or killed.
        config: `TrainingConfig` whose method has `is_map`.
        features: As in `hashnet_tf.runs.train`.

    Raises:
        ValueError: As `hashnet_tf.runs.train`.
    """
    keras.utils.set_random_seed(config.seed)
    dataset, record = run.load_data(config)
    say(dataset.describe())
    if config.weights is None and config.backbone not in WITHOUT_WEIGHTS:
        say(
            f"{config.backbone} has random weights (--weights is not given):"
            " what its features have in common says little of the images"
        )
    backbone = build_backbone(config, dataset.train)
    # Before minutes are spent on features.
    _check_bits(config, backbone.output_shape[-1])
    order = np.random.default_rng(config.seed).permutation(len(dataset.train))
    images = dataset.train.subset(np.sort(order[:SAMPLE]))
    cache = pathlib.Path(features or run.features_path)
    given = training_features(config, backbone, images, cache)[:, 0]
    say(f"Fitting {METHODS[config.method].title} to {len(given):,} features")
    hashnet = fit_map(config, given).on_top_of(backbone)
    write_begun(run, config, record)
    with sealed(run.model_path) as beside:
        hashnet.save(beside)


def fit_map(config: TrainingConfig, features: np.ndarray) -> HashNet:
    """Fits the hash layer of a HashNet to features, in memory.

    With W and b of the method's estimator (`dense_weights`), z = x W + b, so
    that the bits are the estimator's own.

    Args:
        config: `TrainingConfig` whose method has `is_map`.
        features: float32 `[n, d]`.

    Returns:
        `HashNet` from features `[n, d]` to g = tanh(z).

    Raises:
        ValueError: If `config.bits` are not what the method gives of so many
            features of this width.

    Example:

    >>> import numpy as np, hashnet_tf as hn
    >>> from hashnet_tf.runs.map_fitting import fit_map
    >>> x = np.random.default_rng(0).normal(size=(50, 16)).astype("float32")
    >>> config = hn.runs.TrainingConfig("digits", method="itq", bits=12)
    >>> codes = fit_map(config, x).encode(x)
    >>> bool((codes == hn.shallow.ITQ(12).fit(x).encode(x)).all())
    True
    """
    width = features.shape[1]
    _check_bits(config, width)
    estimator = METHODS[config.method].estimator(config.bits, config.seed)
    head = build_head(config, width)
    head.hash_layer.set_weights(estimator.fit(features).dense_weights())
    return head


def _check_bits(config: TrainingConfig, width: int) -> None:
    estimator = METHODS[config.method].estimator(config.bits, config.seed)
    if "bits" not in estimator.get_params() and config.bits != width:
        raise ValueError(
            f"`method` {config.method} gives a bit of each feature, so `bits`"
            f" must be {width}. Received: bits={config.bits}"
        )
