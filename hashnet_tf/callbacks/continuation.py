"""Raises beta while a model trains."""

import keras
import numpy as np
from keras import ops

from hashnet_tf.layers.scaled_tanh import ScaledTanh
from hashnet_tf.schedules import BetaSchedule, unit_gap


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

    Args:
        schedule: `hashnet_tf.schedules.BetaSchedule`.

    Raises:
        ValueError: If `schedule` is no schedule or, when training begins, if
            the model has no `ScaledTanh`.

    Example:

    >>> import hashnet_tf as hn
    >>> callback = hn.callbacks.Continuation(hn.schedules.SquareRootBeta())
    """

    def __init__(self, schedule):
        super().__init__()
        if not isinstance(schedule, BetaSchedule):
            raise ValueError(
                "`schedule` must be a hashnet_tf.schedules.BetaSchedule."
                f" Received: schedule={schedule!r}"
            )
        self.schedule = schedule
        self._beta = None

    @property
    def _waits_for_loss(self):
        return getattr(self.schedule, "patience", None) is not None

    def _layers(self):
        # Through `self.model` each time: under JAX that is what brings the
        # state of the compiled step back into the variables, and assigning to
        # a layer held from before would be ignored.
        return [
            layer
            for layer in self.model._flatten_layers()
            if isinstance(layer, ScaledTanh)
        ]

    def _step(self):
        return int(ops.convert_to_tensor(self.model.optimizer.iterations))

    def _stages(self):
        # As float32, which is what a checkpoint gives back.
        return [float(np.float32(beta)) for beta in self.schedule.betas]

    def _assign(self, beta):
        for layer in self._layers():
            layer.beta.assign(beta)
        self._beta = beta

    def _set_stage(self, beta, best, wait):
        self._assign(beta)
        for layer in self._layers():
            layer.plateau.assign([best, wait])

    def on_train_begin(self, logs=None):
        layers = self._layers()
        if not layers:
            raise ValueError(
                "`Continuation` needs a model with a ScaledTanh layer."
                f" Received: model={self.model.name!r} with layers"
                f" {[layer.name for layer in self.model.layers]}"
            )
        self._beta = float(layers[0].beta.value)
        if self._waits_for_loss and (
            self._step() == 0 or self._beta not in self._stages()
        ):
            self._set_stage(self.schedule.betas[0], float("inf"), 0)

    def on_epoch_begin(self, epoch, logs=None):
        # Not when training begins: `BackupAndRestore`, which stands behind
        # this callback, brings the weights back only then.
        self._beta = float(self._layers()[0].beta.value)

    def on_train_batch_begin(self, batch, logs=None):
        if not self._waits_for_loss:
            self._assign(self.schedule(self._step()))

    def on_train_batch_end(self, batch, logs=None):
        if logs is not None:
            logs["beta"] = self._beta

    def on_epoch_end(self, epoch, logs=None):
        logs = {} if logs is None else logs
        logs["beta"] = self._beta
        if self._waits_for_loss:
            best, wait = map(float, self._layers()[0].plateau.value)
            self._set_stage(
                *self.schedule.next_stage(self._beta, best, wait, logs["loss"])
            )

    def on_train_end(self, logs=None):
        print(
            f"beta ended at {self._beta:.4g}: where |z| = 1, |g| is"
            f" {unit_gap(self._beta):.2g} short of 1",
            flush=True,
        )
