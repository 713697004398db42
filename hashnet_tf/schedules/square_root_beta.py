"""The schedule of the released code."""

import math
import numbers

import keras

from hashnet_tf.schedules.beta_schedule import BetaSchedule


@keras.saving.register_keras_serializable(package="hashnet_tf")
class SquareRootBeta(BetaSchedule):
    """`beta(t) = (1 + gamma * t) ** power`, held for `step_size` steps.

    With t rounded down to a multiple of `step_size`. The defaults are those of
    the code released with HashNet (ICCV 2017): beta starts at 1 and is 7.07
    after 9,800 of its 10,000 steps.

    Args:
        gamma: Positive finite float, the growth a step.
        power: Positive finite float.
        step_size: Positive int, for how many optimizer steps beta is held.

    Raises:
        ValueError: If an argument is out of range.

    Example:

    >>> from hashnet_tf.schedules import SquareRootBeta
    >>> schedule = SquareRootBeta()
    >>> [round(schedule(t), 3) for t in (0, 199, 200, 9800)]
    [1.0, 1.0, 1.414, 7.071]
    """

    def __init__(self, gamma=0.005, power=0.5, step_size=200):
        _check_positive("gamma", gamma)
        _check_positive("power", power)
        _check_count("step_size", step_size)
        self.gamma = gamma
        self.power = power
        self.step_size = int(step_size)

    @classmethod
    def reaching(cls, beta, steps, power=0.5, updates=50):
        """Returns the schedule that comes to `beta` at the end of training.

        Args:
            beta: Float above 1, the value at step `steps`.
            steps: Positive int, the optimizer steps of the whole training.
            power: Positive float.
            updates: Positive int, how many times beta is raised on the way,
                more often where it does not divide `steps`; the released code
                raises it 50 times.

        Raises:
            ValueError: If an argument is out of range.

        Example:

        >>> from hashnet_tf.schedules import SquareRootBeta
        >>> round(SquareRootBeta.reaching(10.0, steps=500)(500), 3)
        10.0
        """
        if not 1 < beta < math.inf:
            raise ValueError(
                f"`beta` must be finite and above 1. Received: beta={beta}"
            )
        _check_positive("power", power)
        _check_count("steps", steps)
        _check_count("updates", updates)
        step_size = max(1, steps // updates)
        # The step that beta is held from at the end, not always the last.
        held = steps // step_size * step_size
        return cls((beta ** (1.0 / power) - 1.0) / held, power, step_size)

    def __call__(self, step):
        held = int(step) // self.step_size * self.step_size
        return (1.0 + self.gamma * held) ** self.power

    def get_config(self):
        return {
            "gamma": self.gamma,
            "power": self.power,
            "step_size": self.step_size,
        }


def _check_positive(name, value):
    if not 0 < value < math.inf:
        raise ValueError(
            f"`{name}` must be positive and finite. Received: {name}={value}"
        )


def _check_count(name, value):
    if not isinstance(value, numbers.Integral) or value < 1:
        raise ValueError(
            f"`{name}` must be a positive integer. Received: {name}={value}"
        )
