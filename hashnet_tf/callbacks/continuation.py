"""Raises beta while a model trains."""

import collections.abc
import math
import typing
import warnings

import numpy as np

from hashnet_tf.callbacks._hashnet_callback import HashNetCallback
from hashnet_tf.schedules import BetaSchedule, StagedBeta, unit_gap


class Continuation(HashNetCallback):
    """Sets beta of every `ScaledTanh` of the model before each step.

    The continuation of HashNet (Algorithm 1, ICCV 2017). Beta follows
    `optimizer.iterations`, which every checkpoint carries, so a resumed run
    goes on where it stopped; a count kept here would start again at 0. With
    `steps_per_execution=n` Keras calls back once in n steps and beta is held
    for these; with `gradient_accumulation_steps=n` n batches are one step. A
    new optimizer counts from 0: after a second `compile`, or `load_weights`
    into a fresh model, beta begins anew with a warning, unless `start` tells
    how many steps are done. Without `fit`, as by `train_on_batch`, nothing
    sets beta. Beta is put into the logs, and so into the progress bar,
    `History` and TensorBoard.

    Place it before callbacks that save (`BackupAndRestore`,
    `ModelCheckpoint`): a schedule with patience takes stock at the end of an
    epoch.

    With patience, a run that goes on in a new process stays in the stage that
    its beta shows. How long that stage has waited is not in a checkpoint: give
    the losses of the epochs that are done, or the wait of the stage begins
    anew.

    Args:
        schedule: `hashnet_tf.schedules.BetaSchedule`.
        losses: Floats, the mean training loss of each epoch that is done, for
            a run that goes on. Only a schedule with patience reads them.
        start: Int >= 0, the steps done before the optimizer began to count:
            those of `fit` before a second `compile`, say.
        verbose: 0 for no line about where beta ended, 1 for one, or None for
            what `fit` was told.

    Raises:
        ValueError: If an argument is none of these or, when training begins,
            if the model has no `ScaledTanh`.

    Example:

    >>> import hashnet_tf as hn
    >>> callback = hn.callbacks.Continuation(hn.schedules.SquareRootBeta())
    """

    def __init__(
        self,
        schedule: BetaSchedule,
        losses: collections.abc.Iterable[float] = (),
        start: int = 0,
        verbose: int | None = None,
    ) -> None:
        super().__init__(verbose)
        if not isinstance(schedule, BetaSchedule):
            raise ValueError(
                "`schedule` must be a hashnet_tf.schedules.BetaSchedule."
                f" Received: schedule={schedule!r}"
            )
        if not isinstance(start, (int, np.integer)) or start < 0:
            raise ValueError(
                "`start` must be the number of steps done, 0 or more."
                f" Received: start={start!r}"
            )
        self.schedule = schedule
        self.start = int(start)
        self._begun = False
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

    def step(self) -> int:
        return self.start + super().step()

    def _assign(self, beta: float) -> None:
        for layer in self.scaled_tanhs():
            layer.beta.assign(beta)
        self._beta = beta

    def on_train_begin(self, logs: typing.Any = None) -> None:
        if not self.scaled_tanhs():
            raise ValueError(
                "`Continuation` needs a model with a ScaledTanh layer."
                f" Received: model={self.model.name!r} with layers"
                f" {[layer.name for layer in self.model.layers]}"
            )
        self._begun = False
        self._beta = self.beta()
        self._check_use()
        if self._waiting is not None:
            self._begin_stages(self._waiting)

    def _check_use(self) -> None:
        # Here, for the models import what most users of callbacks do not need.
        from hashnet_tf.models.training_models import (
            ClassifiedModel,
            LogitsModel,
        )

        # One that stays at 1 does no harm.
        if getattr(self.schedule, "betas", None) != [1.0] and isinstance(
            self.model, (ClassifiedModel, LogitsModel)
        ):
            warnings.warn(
                f"beta has no effect on how a {type(self.model).__name__}"
                " trains, which is by z; it will only sharpen what its HashNet"
                " gives. Leave `Continuation` out.",
                stacklevel=2,
            )

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
        elif self.step() == 0 or self._beta not in stages:
            self._tell_fall(schedule.betas[0])
            self._assign(schedule.betas[0])
            self._plateau = math.inf, 0
        elif self._plateau is None:
            self._plateau = math.inf, 0

    def on_epoch_begin(self, epoch: int, logs: typing.Any = None) -> None:
        # Not when training begins: `BackupAndRestore`, which stands behind
        # this callback, brings the weights back only then.
        self._beta = self.beta()
        if not self._begun and self._waiting is None:
            self._tell_fall(self.schedule(self.step()))
        self._begun = True

    def _tell_fall(self, beta: float) -> None:
        # By more than the weight's rounding; 1 is what a new layer has.
        if 1 < self._beta > beta * (1 + 1e-6):
            warnings.warn(
                f"beta begins anew at {beta:.4g}, from {self._beta:.4g} that"
                " the model has, as its optimizer counts from"
                f" {self.step() - self.start}. Give `start`, the steps done"
                " before, to go on.",
                stacklevel=2,
            )

    def on_train_batch_begin(self, batch: int, logs: typing.Any = None) -> None:
        if self._waiting is not None:
            return
        beta = self.schedule(self.step())
        # Of a small network's step, to assign is some percent of the time, and
        # most schedules hold beta for a while. As float32, which it is.
        if np.float32(beta) != np.float32(self._beta):
            self._assign(beta)
        self._beta = beta

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
        beta = self.beta()
        self.say(
            f"beta ended at {beta:.4g}: where |z| = 1, |g| is"
            f" {unit_gap(beta):.2g} short of 1"
        )
