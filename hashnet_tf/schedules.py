"""How beta rises over the steps of a training."""

import abc
import collections.abc
import math
import numbers
import typing

import keras
import numpy as np

# Of Algorithm 1, where the paper finds ten enough.
STAGES = 10


class BetaSchedule(abc.ABC):
    """Beta as a function of the optimizer's step.

    A step is one of the optimizer, `optimizer.iterations`: with
    `gradient_accumulation_steps=n` that is n batches. With
    `steps_per_execution=n` beta is set once in n steps.

    Subclasses implement `__call__(step)` and `get_config()`; they are
    serialised like Keras' learning-rate schedules, with
    `keras.saving.serialize_keras_object`.
    """

    @abc.abstractmethod
    def __call__(self, step: int) -> float:
        """Returns beta, a positive float, for `step`, an int from 0.

        Raises:
            ValueError: If `step` is no number, as within a `tf.function`.
        """

    @abc.abstractmethod
    def get_config(self) -> dict[str, typing.Any]:
        """Returns the constructor's arguments as a dict."""

    @classmethod
    def from_config(
        cls, config: collections.abc.Mapping[str, typing.Any]
    ) -> typing.Self:
        """Returns the schedule that `get_config` describes."""
        return cls(**config)


def unit_gap(beta: float) -> float:
    """Returns `1 - tanh(beta)`: how far |g| stays below 1 where |z| = 1.

    Example:

    >>> from hashnet_tf.schedules import unit_gap
    >>> round(unit_gap(3.0), 4)
    0.0049
    """
    return 1.0 - math.tanh(beta)


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

    def __init__(
        self, gamma: float = 0.005, power: float = 0.5, step_size: int = 200
    ) -> None:
        _check_positive("gamma", gamma)
        _check_positive("power", power)
        _check_count("step_size", step_size)
        self.gamma = gamma
        self.power = power
        self.step_size = int(step_size)

    @classmethod
    def reaching(
        cls, beta: float, steps: int, power: float = 0.5, updates: int = 50
    ) -> "SquareRootBeta":
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

    def __call__(self, step: int) -> float:
        held = _number(step) // self.step_size * self.step_size
        return (1.0 + self.gamma * held) ** self.power

    def get_config(self) -> dict[str, typing.Any]:
        return {
            "gamma": self.gamma,
            "power": self.power,
            "step_size": self.step_size,
        }


def _number(step: typing.Any) -> int:
    try:
        # Not `int` alone, which AutoGraph makes a cast of.
        return int(np.asarray(step))
    except (NotImplementedError, TypeError) as error:
        raise ValueError(
            "`step` must be a number. In a compiled function none is known:"
            " set beta before it is called, as the callback Continuation does."
            f" Received: step={step!r}"
        ) from error


def _check_positive(name: str, value: float) -> None:
    if not 0 < value < math.inf:
        raise ValueError(
            f"`{name}` must be positive and finite. Received: {name}={value}"
        )


def _check_count(name: str, value: int) -> None:
    if not isinstance(value, numbers.Integral) or value < 1:
        raise ValueError(
            f"`{name}` must be a positive integer. Received: {name}={value}"
        )


@keras.saving.register_keras_serializable(package="hashnet_tf")
class StagedBeta(BetaSchedule):
    """A fixed beta for each of m stages (Algorithm 1 of HashNet, ICCV 2017).

    A stage lasts either a number of optimizer steps, or until the training
    loss of an epoch has not fallen for `patience` epochs, which is how the
    paper words it ("until convergence"); it finds m = 10 enough and does not
    print its values of beta. The last stage lasts to the end of training.

    Args:
        betas: Increasing positive finite floats, one a stage.
        steps_per_stage: Positive int, or None where `patience` is given.
        patience: Positive int, epochs without a fall of the loss after which
            the next stage begins, or None where `steps_per_stage` is given.

    Raises:
        ValueError: If `betas` is empty, not positive, not finite or not
            increasing, or if not exactly one of `steps_per_stage` and
            `patience` is a positive integer.

    Example:

    >>> from hashnet_tf.schedules import StagedBeta
    >>> schedule = StagedBeta([1.0, 2.0, 4.0], steps_per_stage=100)
    >>> [schedule(t) for t in (0, 99, 100, 1000)]
    [1.0, 1.0, 2.0, 4.0]
    """

    def __init__(
        self,
        betas: collections.abc.Iterable[float],
        steps_per_stage: int | None = None,
        patience: int | None = None,
    ) -> None:
        betas = [float(beta) for beta in betas]
        rising = all(a < b for a, b in zip(betas, betas[1:], strict=False))
        if not (betas and rising and 0 < betas[0] and betas[-1] < math.inf):
            raise ValueError(
                "`betas` must be positive, finite and increasing, one a stage."
                f" Received: betas={betas}"
            )
        given = [v for v in (steps_per_stage, patience) if v is not None]
        if (
            len(given) != 1
            or not isinstance(given[0], numbers.Integral)
            or given[0] < 1
        ):
            raise ValueError(
                "Exactly one of `steps_per_stage` and `patience` must be a"
                " positive integer. Received:"
                f" steps_per_stage={steps_per_stage}, patience={patience}"
            )
        self.betas = betas
        self.steps_per_stage = steps_per_stage
        self.patience = patience

    @classmethod
    def reaching(
        cls,
        beta: float,
        steps: int,
        stages: int = STAGES,
        patience: int | None = None,
    ) -> "StagedBeta":
        """Returns the schedule from 1 to `beta`, by the same factor a stage.

        Args:
            beta: Float above 1, that of the last stage.
            steps: Positive int, the optimizer steps of the whole training,
                which the stages share equally.
            stages: Int above 1.
            patience: As the class takes it, in place of equal shares, or None.

        Raises:
            ValueError: If an argument is out of range.

        Example:

        >>> from hashnet_tf.schedules import StagedBeta
        >>> schedule = StagedBeta.reaching(512.0, steps=100)
        >>> [round(schedule(t), 6) for t in (0, 9, 10, 99)]
        [1.0, 1.0, 2.0, 512.0]
        """
        if not 1 < beta < math.inf:
            raise ValueError(
                f"`beta` must be finite and above 1. Received: beta={beta}"
            )
        _check_count("steps", steps)
        if not isinstance(stages, numbers.Integral) or stages < 2:
            raise ValueError(
                "`stages` must be an integer above 1."
                f" Received: stages={stages}"
            )
        ratio = beta ** (1 / (stages - 1))
        betas = [ratio**stage for stage in range(stages)]
        if patience is not None:
            return cls(betas, patience=patience)
        return cls(betas, steps_per_stage=max(1, steps // stages))

    def __call__(self, step: int) -> float:
        """Returns beta at `step`; with `patience`, that of the first stage.

        Under `patience` the stage depends on the losses seen:
        `hashnet_tf.callbacks.Continuation` carries it, through `next_stage`.
        """
        if self.steps_per_stage is None:
            return self.betas[0]
        stage = _number(step) // self.steps_per_stage
        return self.betas[min(stage, len(self.betas) - 1)]

    def next_stage(
        self, beta: float, best: float, wait: int, loss: float
    ) -> tuple[float, float, int]:
        """Returns `(beta, best, wait)` after an epoch of mean loss `loss`.

        Args:
            beta: Float, beta of the stage that the epoch was in.
            best: Float, the lowest loss of this stage before the epoch,
                infinity at its start.
            wait: Int, epochs since `best` fell.
            loss: Float, the epoch's mean training loss.

        Example:

        >>> from hashnet_tf.schedules import StagedBeta
        >>> schedule = StagedBeta([1.0, 2.0], patience=1)
        >>> schedule.next_stage(1.0, best=0.5, wait=0, loss=0.6)
        (2.0, inf, 0)
        """
        if loss < best:
            return beta, loss, 0
        wait += 1
        stage = min(
            range(len(self.betas)), key=lambda i: abs(self.betas[i] - beta)
        )
        if (
            self.patience is None
            or wait < self.patience
            or stage == len(self.betas) - 1
        ):
            return beta, best, wait
        return self.betas[stage + 1], float("inf"), 0

    def get_config(self) -> dict[str, typing.Any]:
        return {
            "betas": self.betas,
            "steps_per_stage": self.steps_per_stage,
            "patience": self.patience,
        }
