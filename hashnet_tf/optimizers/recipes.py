"""The two ways to train: the paper's, and the default here."""

import keras

from hashnet_tf.optimizers.layerwise_optimizer import LayerwiseOptimizer

# The hash layer at 10 times the rate of the network below it.
PAPER_MULTIPLIERS = {"hash": 10.0}


def paper_optimizer(
    learning_rate, steps, multipliers=PAPER_MULTIPLIERS, halvings=5
):
    """Returns the optimizer of the paper and its released code.

    SGD with momentum 0.9, L2 of 5e-4, the hash layer at 10 times the rate, the
    rate halved every `steps // halvings` steps (section 4.1 of HashNet, ICCV
    2017; the released code halves every 2,000 of 10,000 steps).

    The rates printed with the released code do not carry over: the gradient
    there is 2 / alpha times too large.

    Args:
        learning_rate: Positive float, the first rate of the backbone.
        steps: Positive int, the optimizer steps of the whole training.
        multipliers: As in `LayerwiseOptimizer`.
        halvings: Positive int, the halvings up to step `steps`.

    Returns:
        `LayerwiseOptimizer`.

    Example:

    >>> from hashnet_tf.optimizers import paper_optimizer
    >>> optimizer = paper_optimizer(1e-3, steps=10_000)
    """
    rate = keras.optimizers.schedules.ExponentialDecay(
        learning_rate,
        decay_steps=max(1, steps // halvings),
        decay_rate=0.5,
        staircase=True,
    )
    return LayerwiseOptimizer(
        keras.optimizers.SGD(rate, momentum=0.9),
        multipliers,
        l2=5e-4,
    )


def default_optimizer(learning_rate, steps, multipliers=PAPER_MULTIPLIERS):
    """Returns Adam with a cosine decay, the hash layer at 10 times the rate.

    What `hashnet train` uses unless told otherwise; the README says what it
    measures beside `paper_optimizer`.

    Args:
        learning_rate: Positive float, the first rate of the backbone.
        steps: Positive int, the optimizer steps of the whole training.
        multipliers: As in `LayerwiseOptimizer`.

    Returns:
        `LayerwiseOptimizer`.

    Example:

    >>> from hashnet_tf.optimizers import default_optimizer
    >>> optimizer = default_optimizer(1e-4, steps=2_000)
    """
    rate = keras.optimizers.schedules.CosineDecay(learning_rate, steps)
    return LayerwiseOptimizer(keras.optimizers.Adam(rate), multipliers)
