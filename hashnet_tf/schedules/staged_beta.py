"""The schedule of the paper's Algorithm 1."""

import math
import numbers

import keras

from hashnet_tf.schedules.beta_schedule import BetaSchedule


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

    def __init__(self, betas, steps_per_stage=None, patience=None):
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

    def __call__(self, step):
        """Returns beta at `step`; with `patience`, that of the first stage.

        Under `patience` the stage depends on the losses seen:
        `hashnet_tf.callbacks.Continuation` carries it, through `next_stage`.
        """
        if self.patience is not None:
            return self.betas[0]
        stage = int(step) // self.steps_per_stage
        return self.betas[min(stage, len(self.betas) - 1)]

    def next_stage(self, beta, best, wait, loss):
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
        if wait < self.patience or stage == len(self.betas) - 1:
            return beta, best, wait
        return self.betas[stage + 1], float("inf"), 0

    def get_config(self):
        return {
            "betas": self.betas,
            "steps_per_stage": self.steps_per_stage,
            "patience": self.patience,
        }
