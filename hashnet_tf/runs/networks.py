"""From the settings of a run to its network, loss, schedule and optimizer."""

import pkgutil
import typing

import keras
import numpy as np
import numpy.typing as npt
from sklearn.preprocessing import StandardScaler

from hashnet_tf.datasets import ImageSet, Vectors
from hashnet_tf.losses import (
    ClassLoss,
    InBatchPairsLoss,
    WeightedPairwiseLoss,
    count_pairs,
)
from hashnet_tf.losses.class_loss import class_count
from hashnet_tf.methods import METHODS
from hashnet_tf.models import HashNet, backbone, freeze_batch_normalization
from hashnet_tf.runs.config import OPTIMIZERS, SCHEDULES, TrainingConfig
from hashnet_tf.schedules import BetaSchedule, StagedBeta

STANDARDIZED = "standardized"
# Least variance by which is divided.
EPSILON = 1e-8
# That are looked at together: they may be a memory map.
ROWS = 4096


def build_backbone(
    config: TrainingConfig, items: ImageSet | None = None
) -> keras.Model:
    """Returns the network from images to features, with its weights.

    Args:
        config: `TrainingConfig`.
        items: `ImageSet` that it shall take, which tells how many channels they
            have, or None of RGB. `Vectors` must be given, for they tell how
            wide they are: they themselves are the features.

    Returns:
        `keras.Model` from images `[n, height, width, channels]` to features
        `[n, d]`. If it has weights, its batch normalisations are frozen.

    Raises:
        ValueError: As `hashnet_tf.models.backbone`.

    Example:

    >>> from hashnet_tf.runs import TrainingConfig
    >>> from hashnet_tf.runs.networks import build_backbone
    >>> build_backbone(TrainingConfig(data="digits")).output_shape
    (None, 128)
    """
    if isinstance(items, Vectors):
        vectors = keras.Input((items.width,), name="vectors")
        return keras.Model(vectors, vectors, name="vectors")
    size, channels = config.image_size, 3 if items is None else items.channels
    network = backbone(config.backbone, (size, size, channels), config.weights)
    if config.weights is not None:
        freeze_batch_normalization(network)
    return network


def build_head(config: TrainingConfig, width: int) -> HashNet:
    """Returns a `HashNet` from features `[n, width]` to g.

    Args:
        config: `TrainingConfig`.
        width: Int, the features of the backbone. Where the settings have
            `standardize`, `standardize` below is still to be called.

    Example:

    >>> from hashnet_tf.runs import TrainingConfig
    >>> from hashnet_tf.runs.networks import build_head
    >>> head = build_head(TrainingConfig(data="digits", hidden=64), 128)
    >>> [layer.name for layer in head.backbone.layers], head.bits
    (['features', 'hidden'], 48)
    """
    features = x = keras.Input((width,), name="features")
    if config.standardize:
        # Frozen, it keeps to its mean and variance, and they are saved.
        x = keras.layers.BatchNormalization(
            center=False,
            scale=False,
            epsilon=EPSILON,
            trainable=False,
            name=STANDARDIZED,
        )(x)
    if config.dropout:
        x = keras.layers.Dropout(config.dropout, seed=config.seed)(x)
    if config.hidden:
        x = keras.layers.Dense(config.hidden, activation="relu", name="hidden")(
            x
        )
    network = keras.Model(features, x, name="head")
    return HashNet(network, config.bits, config.framing)


def standardize(head: HashNet, features: npt.ArrayLike) -> None:
    """Sets what the features are standardised by, of a head that does it.

    Args:
        head: `HashNet` of `build_head`; one without `standardize` is left as
            it is.
        features: Float `[n, d]` or `[n, views, d]`, of the training images. A
            feature that hardly varies among them counts as if its deviation
            were a hundredth of the median one: elsewhere it may vary more. The
            median, for one feature of other units would make any mean large.

    Example:

    >>> import numpy as np
    >>> from hashnet_tf.runs import TrainingConfig
    >>> from hashnet_tf.runs.networks import build_head, standardize
    >>> settings = {"weights": "a.h5", "freeze_backbone": True}
    >>> config = TrainingConfig("digits", standardize=True, **settings)
    >>> head = build_head(config, 2)
    >>> standardize(head, [[1.0, 5.0], [3.0, 5.0]])
    >>> head.backbone(np.array([[3.0, 5.0]], "float32")).numpy().round(3)
    array([[1., 0.]], dtype=float32)
    """
    names = [layer.name for layer in head.backbone.layers]
    if STANDARDIZED not in names:
        return
    rows = np.asarray(features)
    rows = rows.reshape(-1, rows.shape[-1])
    scaler = StandardScaler()
    for start in range(0, len(rows), ROWS):
        scaler.partial_fit(rows[start : start + ROWS])
    deviation = np.sqrt(np.asarray(scaler.var_))
    varying = deviation[deviation > 0]
    if varying.size:
        deviation = np.maximum(deviation, np.median(varying) / 100)
    variance = np.maximum(deviation**2 - EPSILON, 0)
    layer = head.backbone.get_layer(STANDARDIZED)
    layer.set_weights([scaler.mean_, variance])


def build_loss(
    config: TrainingConfig, labels: npt.ArrayLike
) -> keras.losses.Loss:
    """Returns the loss that a run is trained with.

    A rival's is made of the classes that the labels name if it is a
    `ClassLoss`; its arguments are its defaults where no setting is given.

    Args:
        config: `TrainingConfig`.
        labels: Of the training images, class ids `[n]` or a zero-or-one
            matrix `[n, L]`; -1 where unknown.

    Returns:
        `keras.losses.Loss`, of what `build_training_model` gives.

    Raises:
        ValueError: As `build_pairwise_loss`; with a rival, if the labels name
            fewer than two classes, or more than there are codes.

    Example:

    >>> import numpy as np
    >>> from hashnet_tf.runs import TrainingConfig
    >>> from hashnet_tf.runs.networks import build_loss
    >>> config = TrainingConfig(data="digits", method="greedyhash")
    >>> build_loss(config, np.array([0, 1, 2])).classes
    3
    """
    if not config.is_rival:
        return build_pairwise_loss(config, labels)
    method = METHODS[config.method]
    given = {name: getattr(config, name) for name in method.takes}
    given = {name: value for name, value in given.items() if value is not None}
    loss = method.resolve()
    if issubclass(loss, ClassLoss):
        return loss.for_labels(labels, config.bits, config.seed, **given)
    class_count(labels)
    return loss(**given)


def build_pairwise_loss(
    config: TrainingConfig, labels: npt.ArrayLike
) -> WeightedPairwiseLoss:
    """Returns HashNet's loss, by which every method is watched.

    Args:
        config: `TrainingConfig`; that of a rival has HashNet's own settings
            at their defaults.
        labels: As in `build_loss`; class_weights="dataset" counts their pairs.

    Returns:
        `hashnet_tf.losses.WeightedPairwiseLoss`.

    Raises:
        ValueError: If the pairs are to be counted and all are alike.

    Example:

    >>> import numpy as np
    >>> from hashnet_tf.runs import TrainingConfig
    >>> from hashnet_tf.runs.networks import build_pairwise_loss
    >>> config = TrainingConfig(data="digits", class_weights="dataset")
    >>> build_pairwise_loss(config, np.array([0, 0, 1])).class_weights
    (3.0, 1.5)
    """
    settings = _of_likelihood(config)
    if config.class_weights == "dataset":
        settings["class_weights"] = count_pairs(labels).weights
    return WeightedPairwiseLoss(similarity=config.similarity, **settings)


def build_in_batch_loss(
    config: TrainingConfig, pairs: npt.ArrayLike
) -> InBatchPairsLoss:
    """Returns HashNet's loss over given pairs, of a `PairModel`.

    Args:
        config: `TrainingConfig` of a HashNet.
        pairs: Int `[m, 2]` or `[m, 3]`, all that are trained by, as
            `InBatchPairsLoss` takes them.

    Returns:
        `hashnet_tf.losses.InBatchPairsLoss`.

    Raises:
        ValueError: If the method is no HashNet, or nothing that the pairs name
            is dissimilar.

    Example:

    >>> from hashnet_tf.runs import TrainingConfig
    >>> from hashnet_tf.runs.networks import build_in_batch_loss
    >>> config = TrainingConfig("digits")
    >>> build_in_batch_loss(config, [[0, 1], [2, 3]]).likelihood
    'radius'
    """
    if config.is_rival:
        raise ValueError(
            "`method` must be hashnet-r or another HashNet to learn from"
            f" pairs. Received: method={config.method!r}"
        )
    loss = InBatchPairsLoss(**_of_likelihood(config))
    if not loss.tells_apart(np.asarray(pairs), "pairs"):
        raise ValueError(
            "`pairs` must be of more than one thing: what nobody gave as"
            " similar is dissimilar, and here nothing is."
            f" Received: {len(np.asarray(pairs))} pairs"
        )
    return loss


def _of_likelihood(config: TrainingConfig) -> dict[str, typing.Any]:
    """Returns the arguments that losses by a likelihood share."""
    radius = config.radius
    if radius is not None:
        # One setting for all lengths: at K / 2 any two codes are even odds.
        radius = min(radius, config.bits / 2)
    weights = None if config.class_weights == "none" else config.class_weights
    return {
        "alpha": config.alpha,
        "class_weights": weights,
        "likelihood": config.likelihood,
        "radius": radius,
        "power": config.power,
    }


def build_training_model(
    config: TrainingConfig, hashnet: HashNet, labels: npt.ArrayLike
) -> keras.Model:
    """Returns what is compiled and trained in place of a HashNet.

    Args:
        config: `TrainingConfig`.
        hashnet: `HashNet` that shall be trained.
        labels: As in `build_loss`.

    Returns:
        `keras.Model` around the HashNet, or the HashNet itself.

    Example:

    >>> import numpy as np
    >>> from hashnet_tf.runs import TrainingConfig
    >>> from hashnet_tf.runs.networks import build_head, build_training_model
    >>> config = TrainingConfig(data="digits", method="csq")
    >>> head = build_head(config, 128)
    >>> type(build_training_model(config, head, np.arange(3))).__name__
    'LogitsModel'
    """
    network = METHODS[config.method].network
    if network is None:
        return hashnet
    return pkgutil.resolve_name(network).for_labels(hashnet, labels)


def build_schedule(config: TrainingConfig, steps: int) -> BetaSchedule:
    """Returns the schedule of beta, from 1 to `config.beta`.

    In stages, beta rises by the same factor from each to the next.

    Args:
        config: `TrainingConfig`.
        steps: Positive int, the optimizer steps of the whole training.

    Returns:
        `hashnet_tf.schedules.BetaSchedule`.

    Example:

    >>> from hashnet_tf.runs import TrainingConfig
    >>> from hashnet_tf.runs.networks import build_schedule
    >>> config = TrainingConfig(data="digits", schedule="staged", beta=512.0)
    >>> schedule = build_schedule(config, steps=100)
    >>> [round(schedule(t), 6) for t in (0, 9, 10, 99)]
    [1.0, 1.0, 2.0, 512.0]
    """
    if config.beta == 1:
        return StagedBeta([1.0], steps_per_stage=steps)
    schedule = pkgutil.resolve_name(SCHEDULES[config.schedule])
    # Of the schedules that ship, StagedBeta alone knows patience.
    patience = {}
    if config.patience is not None:
        patience["patience"] = config.patience
    return schedule.reaching(config.beta, steps, **patience)


def build_optimizer(
    config: TrainingConfig, steps: int
) -> keras.optimizers.Optimizer:
    """Returns the optimizer, with the head's own learning rate.

    Args:
        config: `TrainingConfig`.
        steps: Positive int, the optimizer steps of the whole training.

    Returns:
        `hashnet_tf.optimizers.LayerwiseMixin`.

    Example:

    >>> from hashnet_tf.runs import TrainingConfig
    >>> from hashnet_tf.runs.networks import build_optimizer
    >>> config = TrainingConfig(data="digits", optimizer="paper", hidden=64)
    >>> build_optimizer(config, steps=100).multipliers
    {'hash': 10.0, 'hidden': 10.0}
    """
    names = ["hash", "hidden"] if config.hidden else ["hash"]
    names += METHODS[config.method].layers
    multipliers = dict.fromkeys(names, config.head_multiplier)
    recipe = pkgutil.resolve_name(OPTIMIZERS[config.optimizer])
    return recipe(config.learning_rate, steps, multipliers)
