"""From the settings of a run to its network, loss, schedule and optimizer."""

import keras

from hashnet_tf.baselines.deep import METHODS
from hashnet_tf.losses import WeightedPairwiseLoss, count_pairs
from hashnet_tf.models import HashNet, backbone, freeze_batch_normalization
from hashnet_tf.optimizers import default_optimizer, paper_optimizer
from hashnet_tf.schedules import SquareRootBeta, StagedBeta

STAGES = 10


def build_backbone(config):
    """Returns the network from images to features, with its weights.

    Args:
        config: `TrainingConfig`.

    Returns:
        `keras.Model` from images `[n, height, width, 3]` to features `[n, d]`.
        If it has weights, its batch normalisations are frozen.

    Raises:
        ValueError: As `hashnet_tf.models.backbone`.

    Example:

    >>> from hashnet_tf.runs import TrainingConfig
    >>> from hashnet_tf.runs.networks import build_backbone
    >>> build_backbone(TrainingConfig(data="digits")).output_shape
    (None, 128)
    """
    size = config.image_size
    network = backbone(config.backbone, (size, size, 3), config.weights)
    if config.weights is not None:
        freeze_batch_normalization(network)
    return network


def build_head(config, width):
    """Returns a `HashNet` from features `[n, width]` to g.

    Args:
        config: `TrainingConfig`.
        width: Int, the features of the backbone.

    Example:

    >>> from hashnet_tf.runs import TrainingConfig
    >>> from hashnet_tf.runs.networks import build_head
    >>> head = build_head(TrainingConfig(data="digits", hidden=64), 128)
    >>> [layer.name for layer in head.backbone.layers], head.bits
    (['features', 'hidden'], 48)
    """
    features = x = keras.Input((width,), name="features")
    if config.dropout:
        x = keras.layers.Dropout(config.dropout, seed=config.seed)(x)
    if config.hidden:
        x = keras.layers.Dense(config.hidden, activation="relu", name="hidden")(
            x
        )
    network = keras.Model(features, x, name="head")
    return HashNet(network, config.bits, config.framing)


def build_loss(config, labels):
    """Returns the loss that a run is trained with.

    Args:
        config: `TrainingConfig`.
        labels: Of the training images, class ids `[n]` or a zero-or-one
            matrix `[n, L]`.

    Returns:
        `keras.losses.Loss`, of what `build_training_model` gives.

    Raises:
        ValueError: As `build_pairwise_loss`, or with a rival as `build_loss`
            of `hashnet_tf.baselines.deep.Method`.

    Example:

    >>> import numpy as np
    >>> from hashnet_tf.runs import TrainingConfig
    >>> from hashnet_tf.runs.networks import build_loss
    >>> config = TrainingConfig(data="digits", method="greedyhash")
    >>> build_loss(config, np.array([0, 1, 2])).classes
    3
    """
    if config.is_rival:
        method = METHODS[config.method]
        return method.build_loss(config.bits, labels, config.seed)
    return build_pairwise_loss(config, labels)


def build_pairwise_loss(config, labels):
    """Returns HashNet's loss, Eq. 4, by which every method is watched.

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
    class_weights = config.class_weights
    if class_weights == "dataset":
        class_weights = count_pairs(labels).weights
    elif class_weights == "none":
        class_weights = None
    return WeightedPairwiseLoss(
        alpha=config.alpha,
        class_weights=class_weights,
        similarity=config.similarity,
    )


def build_training_model(config, hashnet, labels):
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
    return METHODS[config.method].training_model(hashnet, labels)


def build_schedule(config, steps):
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
    if config.schedule == "square_root":
        return SquareRootBeta.reaching(config.beta, steps)
    ratio = config.beta ** (1 / (STAGES - 1))
    betas = [ratio**stage for stage in range(STAGES)]
    if config.patience is not None:
        return StagedBeta(betas, patience=config.patience)
    return StagedBeta(betas, steps_per_stage=max(1, steps // STAGES))


def build_optimizer(config, steps):
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
    if config.method == "greedyhash":
        names.append("classifier")
    multipliers = dict.fromkeys(names, config.head_multiplier)
    recipe = {"adam": default_optimizer, "paper": paper_optimizer}
    return recipe[config.optimizer](config.learning_rate, steps, multipliers)
