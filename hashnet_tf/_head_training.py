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

# Of a training whose epochs are not given: more moved no figure.
STEPS = 2_000
# Steps between two looks at what is held out, looks without a gain that end it,
# and the share of the loss that is a gain.
EVERY, PATIENCE, GAIN = 100, 3, 0.005
# XLA compiles a step for a second, and saves a third of each.
XLA_STEPS = 1_000
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


def train_head(
    config: TrainingConfig,
    model: typing.Any,
    loss: typing.Any,
    items: Items,
    epochs: int | None,
    validation_fraction: float | None,
    verbose: bool,
) -> Trained:
    """Trains a model of vectors step by step.

    Not by `fit`, which copies all of an array before it begins, and looks at
    what is held out once an epoch: of 100,000 vectors that is 400 steps.

    Args:
        config: `TrainingConfig`, of which seed, batch size and optimizer count.
        model: `HashNet` or a `TrainingModel` around one.
        loss: `keras.losses.Loss` of its outputs.
        items: `LabelledVectors` or `PairedVectors`.
        epochs: Positive int, or None for as many as make 2,000 steps.
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
    looked_at, trained = items.batch(np.sort(order[:held])), order[held:]
    size = min(config.batch_size, len(trained))
    each = len(trained) // size
    steps = epochs * each if epochs else max(STEPS, each)
    # JAX takes minutes without a compiled step.
    is_short = steps < XLA_STEPS and keras.backend.backend() == "tensorflow"
    model.compile(
        optimizer=build_optimizer(config, steps),
        loss=loss,
        jit_compile=False if is_short else "auto",
    )
    model.optimizer.build(model.trainable_variables)
    hashnet = getattr(model, "hashnet", model)
    progress = Progress(steps, "steps") if verbose else None
    best, losses = Trained(hashnet.get_weights(), 0, []), []
    gained, since = math.inf, 0
    for step in range(1, steps + 1):
        place = (step - 1) % each
        if place == 0:
            rng.shuffle(trained)
        rows = trained[place * size : (place + 1) * size]
        value = float(np.ravel(model.train_on_batch(*items.batch(rows)))[0])
        if not math.isfinite(value):
            raise ValueError(
                "The loss must stay finite: give a lower `learning_rate`."
                f" Received: loss={value} by step {step}, in"
                f" learning_rate={config.learning_rate}"
            )
        if progress is not None:
            progress.update(step)
        if not held or (step % EVERY and step != steps):
            continue
        losses.append(float(np.ravel(model.test_on_batch(*looked_at))[0]))
        model.reset_metrics()
        if losses[-1] <= min(losses):
            best = Trained(hashnet.get_weights(), step, losses)
        since += 1
        if losses[-1] < (1 - GAIN) * gained:
            gained, since = losses[-1], 0
        if since == PATIENCE:
            break
    if progress is not None:
        progress.update(steps)
        say(f"Trained {step} of at most {steps} steps")
    if not held:
        return Trained(hashnet.get_weights(), steps, losses)
    return best
