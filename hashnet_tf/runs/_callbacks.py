"""Callbacks without which the training of a run is another."""

import math
import typing

import keras
import numpy as np

from hashnet_tf.callbacks import ContinuationMonitor
from hashnet_tf.callbacks._hashnet_callback import steps_done


class Finite(keras.callbacks.Callback):
    """Ends a training whose loss is no number any more."""

    def on_train_batch_end(
        self, batch: int, logs: dict[str, typing.Any] | None = None
    ) -> None:
        logs = logs or {}
        if not math.isfinite(logs["loss"]):
            raise ValueError(
                "The loss must stay finite: train into another folder with a"
                " lower --learning_rate. Of a run, what the last whole epoch"
                f" gave stays in checkpoints/. Received: loss={logs['loss']} by"
                f" step {steps_done(self.model)}, in {logs['beta']:.4g} as beta"
            )


class LastMeasured(keras.callbacks.Callback):
    """Measures the last epoch with the beta that it was trained with."""

    model: typing.Any

    def __init__(self, monitor: ContinuationMonitor, epochs: int) -> None:
        super().__init__()
        self.record: dict[str, typing.Any] = {}
        self._monitor, self._last = monitor, epochs - 1

    def on_epoch_end(
        self, epoch: int, logs: dict[str, typing.Any] | None = None
    ) -> None:
        if epoch == self._last:
            self.record = self._monitor.measure(self.model)


class Reseeded(keras.callbacks.Callback):
    """Lets what is random in a network come from the seed and the epoch.

    Keras counts the draws of a layer such as Dropout on through a process, and
    saves no count: a resumed training would draw others than an unbroken one.
    """

    # Keras knows it as None, which it is before training.
    model: typing.Any

    def __init__(self, seed: int) -> None:
        super().__init__()
        self._seed = seed

    def on_epoch_begin(
        self, epoch: int, logs: dict[str, typing.Any] | None = None
    ) -> None:
        states = [
            variable
            for variable in self.model.variables
            if variable.name == "seed_generator_state"
        ]
        for place, state in enumerate(states):
            seeds = np.random.SeedSequence([self._seed, epoch, place])
            state.assign(seeds.generate_state(state.shape[0]))
