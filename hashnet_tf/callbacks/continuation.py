"""Raises beta while a model trains."""

import collections.abc
import math
import typing

import keras
import numpy as np

from hashnet_tf._types import ops
from hashnet_tf.layers.scaled_tanh import ScaledTanh
from hashnet_tf.schedules import BetaSchedule, StagedBeta, unit_gap


class Continuation(keras.callbacks.Callback):
    """Sets beta of every `ScaledTanh` of the model before each step.

    The continuation of HashNet (Algorithm 1, ICCV 2017). Beta follows
    `optimizer.iterations`, which every checkpoint carries, so a resumed run
    goes on where it stopped; a count kept here would start again at 0. With
    `steps_per_execution=n` Keras calls back once in n steps and beta is held
    for these. Beta is put into the logs, and so into the progress bar,
    `History` and TensorBoard.

    Place it before callbacks that save (`BackupAndRestore`,
    `ModelCheckpoint`): a schedule with patience takes stock at the end of an
    epoch. Its stages begin anew with a new optimizer.

    With patience, a run that goes on in a new process stays in the stage that
    its beta shows. How long that stage has waited is not in a checkpoint: give
    the losses of the epochs that are done, or the wait of the stage begins
    anew.

    Args:
        schedule: `hashnet_tf.schedules.BetaSchedule`.
        losses: Floats, the mean training loss of each epoch that is done, for
            a run that goes on. Only a schedule with patience reads them.

    Raises:
        ValueError: If `schedule` is no schedule or, when training begins, if
            the model has no `ScaledTanh`.

    Example:

    >>> import hashnet_tf as hn
    >>> callback = hn.callbacks.Continuation(hn.schedules.SquareRootBeta())
    """

    # Keras knows it as None, which it is before training.
    model: typing.Any

    def __init__(
        self,
        schedule: BetaSchedule,
        losses: collections.abc.Iterable[float] = (),
    ) -> None:
        super().__init__()
        if not isinstance(schedule, BetaSchedule):
            raise ValueError(
                "`schedule` must be a hashnet_tf.schedules.BetaSchedule."
                f" Received: schedule={schedule!r}"
            )
        self.schedule = schedule
        self._beta = math.nan
        # Of the stage: its lowest loss and the epochs since, or None where
        # this callback has seen no epoch.
        self._plateau: tuple[float, int] | None = None
        self._losses = list(losses)

    @property
    def _waiting(self) -> StagedBeta | None:
        """The schedule, if it waits for the loss."""
        schedule = self.schedule
        if isinstance(schedule, StagedBeta) and schedule.patience is not None:
            return schedule
        return None

    def _layers(self) -> list[ScaledTanh]:
        # Through `self.model` each time: under JAX that is what brings the
        # state of the compiled step back into the variables, and assigning to
        # a layer held from before would be ignored.
        return [
            layer
            for layer in self.model._flatten_layers()
            if isinstance(layer, ScaledTanh)
        ]

    def _step(self) -> int:
        return int(ops.convert_to_tensor(self.model.optimizer.iterations))

    def _present(self) -> float:
        return float(self._layers()[0].beta.value)

    def _assign(self, beta: float) -> None:
        for layer in self._layers():
            layer.beta.assign(beta)
        self._beta = beta

    def on_train_begin(self, logs: typing.Any = None) -> None:
        if not self._layers():
            raise ValueError(
                "`Continuation` needs a model with a ScaledTanh layer."
                f" Received: model={self.model.name!r} with layers"
                f" {[layer.name for layer in self.model.layers]}"
            )
        self._beta = self._present()
        if self._waiting is not None:
            self._begin_stages(self._waiting)

    def _begin_stages(self, schedule: StagedBeta) -> None:
        # As float32, which is what a checkpoint gives back.
        stages = [float(np.float32(beta)) for beta in schedule.betas]
        if self._losses:
            beta, best, wait = schedule.betas[0], math.inf, 0
            for loss in self._losses:
                beta, best, wait = schedule.next_stage(beta, best, wait, loss)
            self._losses = []
            self._assign(beta)
            self._plateau = best, wait
        elif self._step() == 0 or self._beta not in stages:
            self._assign(schedule.betas[0])
            self._plateau = math.inf, 0
        elif self._plateau is None:
            self._plateau = math.inf, 0

    def on_epoch_begin(self, epoch: int, logs: typing.Any = None) -> None:
        # Not when training begins: `BackupAndRestore`, which stands behind
        # this callback, brings the weights back only then.
        self._beta = self._present()

    def on_train_batch_begin(self, batch: int, logs: typing.Any = None) -> None:
        if self._waiting is None:
            self._assign(self.schedule(self._step()))

    def on_train_batch_end(self, batch: int, logs: typing.Any = None) -> None:
        if logs is not None:
            logs["beta"] = self._beta

    def on_epoch_end(self, epoch: int, logs: typing.Any = None) -> None:
        logs = {} if logs is None else logs
        logs["beta"] = self._beta
        if self._waiting is not None and self._plateau is not None:
            beta, best, wait = self._waiting.next_stage(
                self._beta, *self._plateau, logs["loss"]
            )
            self._assign(beta)
            self._plateau = best, wait

    def on_train_end(self, logs: typing.Any = None) -> None:
        # Not the last that was set: `EarlyStopping` may have restored others.
        beta = self._present()
        print(
            f"beta ended at {beta:.4g}: where |z| = 1, |g| is"
            f" {unit_gap(beta):.2g} short of 1",
            flush=True,
        )
