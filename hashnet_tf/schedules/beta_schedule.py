"""What every schedule of beta is."""

import abc
import math


class BetaSchedule(abc.ABC):
    """Beta as a function of the optimizer's step.

    Subclasses implement `__call__(step)` and `get_config()`; they are
    serialised like Keras' learning-rate schedules, with
    `keras.saving.serialize_keras_object`.
    """

    @abc.abstractmethod
    def __call__(self, step):
        """Returns beta, a positive float, for `step`, an int from 0."""

    @abc.abstractmethod
    def get_config(self):
        """Returns the constructor's arguments as a dict."""

    @classmethod
    def from_config(cls, config):
        return cls(**config)


def unit_gap(beta):
    """Returns `1 - tanh(beta)`: how far |g| stays below 1 where |z| = 1.

    Example:

    >>> from hashnet_tf.schedules import unit_gap
    >>> round(unit_gap(3.0), 4)
    0.0049
    """
    return 1.0 - math.tanh(beta)
