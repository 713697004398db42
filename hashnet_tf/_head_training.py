"""Trains a head on vectors in memory, until others gain no more by it."""

import collections.abc
import contextlib
import math
import random
import typing

import keras
import numpy as np

from hashnet_tf._output import Progress, say
from hashnet_tf.runs.config import TrainingConfig
from hashnet_tf.runs.networks import build_optimizer

# Of a training whose epochs are not given.
STEPS = 2_000
# Steps between two looks at what is held out, looks without a gain that end it,
# and the share of the loss that is a gain.
EVERY, PATIENCE, GAIN = 100, 3, 0.005
# From so many on, what XLA compiles for a second saves more, and so many steps
# at once spare their way through Python.
LONG, AT_ONCE = 500, 10
# A look at more takes longer and tells no more; at fewer it is luck.
MOST, LEAST = 1_000, 50


class Items(typing.Protocol):
    """What is trained on; `batch` gives inputs and targets of some rows."""

    def __len__(self) -> int: ...

    def batch(self, rows: np.ndarray) -> tuple[typing.Any, np.ndarray]: ...


class LabelledVectors(typing.NamedTuple):
    """Vectors with their labels.

    Attributes:
        vectors: float32 `[n, d]`, a memory map perhaps.
        labels: Class ids `[n]` or a zero-or-one matrix `[n, L]`.
    """

    vectors: np.ndarray
    labels: np.ndarray

    def __len__(self) -> int:
        return len(self.labels)

    def batch(self, rows: np.ndarray) -> tuple[typing.Any, np.ndarray]:
        return self.vectors[rows], self.labels[rows]


class PairedVectors(typing.NamedTuple):
    """Pairs of vectors, for a `PairModel` and `InBatchPairsLoss`.

    Attributes:
        vectors: float32 `[n, d]`, a memory map perhaps.
        pairs: int `[m, 2]` or `[m, 3]`, rows of `vectors` and s_ij.
    """

    vectors: np.ndarray
    pairs: np.ndarray

    def __len__(self) -> int:
        return len(self.pairs)

    def batch(self, rows: np.ndarray) -> tuple[typing.Any, np.ndarray]:
        pairs = self.pairs[rows]
        both = self.vectors[pairs[:, 0]], self.vectors[pairs[:, 1]]
        return both, pairs


class Trained(typing.NamedTuple):
    """What a training came to.

    Attributes:
        weights: List of arrays, of the HashNet after the best look.
        steps: Int, after how many steps that was.
        losses: List of floats, of what was held out, at each look; empty where
            nothing was.
    """

    weights: list[np.ndarray]
    steps: int
    losses: list[float]


@contextlib.contextmanager
def seeded(seed: int) -> collections.abc.Iterator[None]:
    """Lets the weights that Keras draws within come from a seed.

    Keras takes the seeds of its initializers from Python's own generator, which
    goes on afterwards as if nothing had been drawn.

    Args:
        seed: Int.
    """
    state = random.getstate()
    random.seed(seed)
    try:
        yield
    finally:
        random.setstate(state)


class _Watch(keras.callbacks.Callback):
    """Keeps the best weights, ends the training, and tells of it."""

    # Keras knows it as None, which it is before training.
    model: typing.Any

    def __init__(
        self, hashnet: typing.Any, every: int, steps: int, verbose: bool
    ) -> None:
        super().__init__()
        self._hashnet, self._every, self._steps = hashnet, every, steps
        self._progress = Progress(steps, "steps") if verbose else None
        self._least, self._since = math.inf, 0
        self.done, self.losses = 0, []
        self.best: tuple[list[np.ndarray], int] | None = None

    def on_epoch_end(
        self, epoch: int, logs: dict[str, typing.Any] | None = None
    ) -> None:
        logs = logs or {}
        self.done = (epoch + 1) * self._every
        if not math.isfinite(logs["loss"]):
            raise ValueError(
                "The loss must stay finite: give a lower `learning_rate`."
                f" Received: loss={logs['loss']} by step {self.done}"
            )
        if "val_loss" in logs:
            self._look(logs["val_loss"])
        if self._progress is not None:
            ended = self.model.stop_training
            self._progress.update(self._steps if ended else self.done)

    def _look(self, loss: float) -> None:
        self.losses.append(loss)
        if loss <= min(self.losses):
            self.best = self._hashnet.get_weights(), self.done
        self._since += 1
        if loss < (1 - GAIN) * self._least:
            self._least, self._since = loss, 0
        self.model.stop_training = self._since == PATIENCE


def train_head(
    config: TrainingConfig,
    model: typing.Any,
    loss: typing.Any,
    items: Items,
    epochs: int | None,
    validation_fraction: float | None,
    verbose: bool,
) -> Trained:
    """Trains a model of vectors in memory, or in a file that is mapped.

    Rows are read as they are drawn: `fit` would copy all of an array before it
    begins. It looks at what is held out every 100 steps, not once a pass: of
    100,000 vectors that is 400.

    Args:
        config: `TrainingConfig`, of which seed, batch size and optimizer count.
        model: `HashNet` or a `TrainingModel` around one.
        loss: `keras.losses.Loss` of its outputs.
        items: `LabelledVectors` or `PairedVectors`.
        epochs: Positive int, or None for as many as make 2,000 steps. Of long
            trainings the steps are rounded down to fill the looks.
        validation_fraction: Float, the share of the items that is held out, at
            most 1,000 of them; fewer than 50 are trained on with the others,
            to the end. None: no item is held out.
        verbose: Whether to tell how far it has come.

    Returns:
        `Trained`.

    Raises:
        ValueError: If the loss does not stay finite.
    """
    rng = np.random.default_rng(config.seed)
    order = rng.permutation(len(items))
    held = min(int((validation_fraction or 0) * len(items)), MOST)
    held = held if held >= LEAST else 0
    looked_at, trained = np.sort(order[:held]), order[held:]
    size = min(config.batch_size, len(trained))
    each = len(trained) // size
    steps = epochs * each if epochs else max(STEPS, each)
    is_long = steps >= LONG
    looks = max(1, round(steps / EVERY))
    every = steps // looks
    if is_long:
        every -= every % AT_ONCE
    # JAX takes minutes where no step is compiled.
    compiled = is_long or keras.backend.backend() != "tensorflow"
    model.compile(
        optimizer=build_optimizer(config, looks * every),
        loss=loss,
        jit_compile="auto" if compiled else False,
        steps_per_execution=AT_ONCE if is_long else 1,
    )
    model.optimizer.build(model.trainable_variables)

    def batches() -> collections.abc.Iterator[tuple[typing.Any, np.ndarray]]:
        for step in range(looks * every):
            place = step % each
            if place == 0:
                rng.shuffle(trained)
            yield items.batch(trained[place * size : (place + 1) * size])

    hashnet = getattr(model, "hashnet", model)
    watch = _Watch(hashnet, every, looks * every, verbose)
    model.fit(
        batches(),
        shuffle=False,
        steps_per_epoch=every,
        epochs=looks,
        validation_data=items.batch(looked_at) if held else None,
        validation_batch_size=held or None,
        verbose=0,
        callbacks=[watch],
    )
    if verbose:
        say(f"Trained {watch.done} of at most {looks * every} steps")
    weights, taken = watch.best or (hashnet.get_weights(), watch.done)
    return Trained(weights, taken, watch.losses)
