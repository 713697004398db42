"""Watches whether the codes that are trained become the codes that are used."""

import typing
import warnings

import keras
import numpy as np

from hashnet_tf._network_inputs import count_items
from hashnet_tf._types import Tensor
from hashnet_tf.callbacks._hashnet_callback import HashNetCallback
from hashnet_tf.losses._row_loss import ALL_SIMILAR, RowLoss

# After so many steps, g on vectors of unit length was still below .02, and
# that of networks that learned was above .05.
STARTED, SMALL = 20, 0.025


class ContinuationMonitor(HashNetCallback):
    """Measures, each epoch, J against L and the health of the bits.

    On a fixed sample, before training and at the end of every epoch:

    - `J`: the loss on g = tanh(beta z), what is minimised;
    - `L`: the loss on h = sgn(z), what is used (Theorems 1 and 2 of HashNet,
      ICCV 2017; its Figure 7 draws both);
    - `gap`: mean of 1 - |g|, the quantisation gap;
    - `bit_balance`: mean over the bits of |mean of h_k|, 0 where each bit
      halves the sample;
    - `bit_correlation`: mean |correlation| over pairs of different bits, over
      the bits that vary; 0 where they repeat nothing.

    They go into the logs and so into `History` and, if it comes later in the
    list of callbacks, TensorBoard. `records` keeps them with the step, beta
    and `bit_means`, the mean of each bit; the end value of beta is printed
    with the gap it leaves. A schedule with patience raises beta at the end of
    an epoch: place this callback before its `Continuation`, and J is that of
    the beta the epoch was trained with.

    It warns where the sample holds no dissimilar pair, where all its codes
    are one after training (of 20 steps or more), as they are when no batch
    holds a dissimilar pair, and where g has not left 0 after an epoch by then,
    as of inputs that are too small.

    Args:
        images: Array `[n, ...]`, inputs of the model; of several inputs a list
            or dict of arrays.
        labels: Labels of these, as the loss takes them.
        loss: `keras.losses.Loss`, or None for the one the model is compiled
            with.
        batch_size: Int, for the forward passes.
        hashnet: `HashNet` that gives g, where the model that is trained is
            one around it, as `hashnet_tf.models.LogitsModel`; `loss` must be
            one on g then. None for the model itself.
        verbose: 0 for no line at the end, 1 for one, or None for what `fit`
            was told.

    Raises:
        ValueError: If `images` and `labels` differ in length or hold less
            than 2 items, or if the model has no loss object to use.

    Example:

    >>> import numpy as np
    >>> import hashnet_tf as hn
    >>> images = np.zeros((8, 16, 16, 3))
    >>> monitor = hn.callbacks.ContinuationMonitor(images, np.arange(8) % 2)
    """

    def __init__(
        self,
        images: Tensor,
        labels: Tensor,
        loss: keras.losses.Loss | None = None,
        batch_size: int = 128,
        hashnet: keras.Model | None = None,
        verbose: int | None = None,
    ) -> None:
        super().__init__(verbose)
        count = count_items(images, len(labels))
        if count != len(labels) or count < 2:
            raise ValueError(
                "`images` and `labels` must hold the same number of items, at"
                f" least 2. Received: {count} images and {len(labels)} labels"
            )
        self.images = images
        self.labels = labels
        self.loss = loss
        self.batch_size = batch_size
        self.hashnet = hashnet
        self.records: list[dict[str, typing.Any]] = []
        self._begun = False
        # What was measured before training, until it is seen to have begun.
        self._first: dict[str, typing.Any] | None = None
        self._apart = False

    def on_train_begin(self, logs: typing.Any = None) -> None:
        self._take_loss()
        self._begun = False
        if not self._apart:
            warnings.warn(
                f"The watched sample holds no dissimilar pair. {ALL_SIMILAR}",
                stacklevel=2,
            )

    def on_epoch_begin(self, epoch: int, logs: typing.Any = None) -> None:
        # Not when training begins: a `BackupAndRestore` behind this callback
        # brings the weights back only then.
        if not self._begun:
            self._begun = True
            self._first = self._measure()

    def on_epoch_end(self, epoch: int, logs: typing.Any = None) -> None:
        record = self._measure()
        self._tell_trouble(record)
        if logs is not None:
            for name in ("J", "L", "gap", "bit_balance", "bit_correlation"):
                logs[name] = record[name]

    def _tell_trouble(self, record: dict[str, typing.Any]) -> None:
        # With the loss on z of a model around it, the scale of g is free.
        if self._first is None or self.hashnet is not None:
            return
        steps = record["step"] - self._first["step"]
        if steps < STARTED:
            return
        self._first = None
        if record["gap"] > 1 - SMALL:
            warnings.warn(
                f"After {steps} steps g is still {1 - record['gap']:.2g} in the"
                " mean: the features are so small that training hardly begins."
                " Put an adapted keras.layers.Normalization before them.",
                stacklevel=2,
            )

    def on_train_end(self, logs: typing.Any = None) -> None:
        last = self.records[-1] if self._begun else self._measure()
        self._tell_one_code(last, last["step"] - self.records[0]["step"])
        self.say(
            f"beta {last['beta']:.4g} leaves a quantisation gap of"
            f" {last['gap']:.4f} = mean(1 - |g|);"
            f" J {last['J']:.4f}, L {last['L']:.4f}"
        )

    def codes(self) -> np.ndarray:
        """Returns g of the sample, float `[n, bits]`, by the present model."""
        # The trained model first, even where another predicts: under JAX that
        # brings the weights back into the variables.
        model: typing.Any = self.model
        if self.hashnet is not None:
            model = self.hashnet
        return model.predict(self.images, batch_size=self.batch_size, verbose=0)

    def measure(self, model: keras.Model) -> dict[str, typing.Any]:
        """Measures a model at any time, without being one of its callbacks.

        It warns where all codes of the sample are one after 20 steps or more.

        Args:
            model: `keras.Model`, compiled, of which `fit` was called.

        Returns:
            Dict as those in `records`, to which it is added.

        Raises:
            ValueError: If there is no loss to use.
        """
        self.set_model(model)
        self._take_loss()
        record = self._measure()
        self._tell_one_code(record, record["step"])
        return record

    def _tell_one_code(self, record: dict[str, typing.Any], steps: int) -> None:
        # Not of a few steps: many a network begins with one code.
        if self._apart and record["bit_balance"] == 1 and steps >= STARTED:
            warnings.warn(
                "All codes of the watched sample are one after training. Does"
                " no batch hold a dissimilar pair? Shuffle the training data,"
                " or draw them by class with hn.datasets.PairSampler.",
                stacklevel=3,
            )

    def _take_loss(self) -> None:
        loss = self.model.loss if self.loss is None else self.loss
        if not isinstance(loss, keras.losses.Loss):
            raise ValueError(
                "`ContinuationMonitor` needs a keras.losses.Loss, its own or"
                f" the compiled one. Received: loss={loss!r}"
            )
        self._loss = loss
        self._apart = not isinstance(loss, RowLoss) or loss.tells_apart(
            self.labels, "labels"
        )

    def _value(self, codes: np.ndarray) -> float:
        value: Tensor = self._loss(self.labels, codes)
        return float(value)

    def _measure(self) -> dict[str, typing.Any]:
        g = self.codes().astype("float32")
        # sgn(tanh(beta z)) = sgn(z): the sign needs no look behind the tanh.
        h = np.where(g >= 0, 1.0, -1.0).astype("float32")
        record = {
            "step": self.step(),
            "beta": self.beta(),
            "J": self._value(g),
            "L": self._value(h),
            "gap": float(np.mean(1.0 - np.abs(g))),
            "bit_balance": float(np.mean(np.abs(h.mean(axis=0)))),
            "bit_correlation": _bit_correlation(h),
            "bit_means": h.mean(axis=0).tolist(),
        }
        self.records.append(record)
        return record


def _bit_correlation(h: np.ndarray) -> float:
    varying = h[:, h.std(axis=0) > 0]
    if varying.shape[1] < 2:
        return 0.0
    correlation = np.corrcoef(varying, rowvar=False)
    apart = ~np.eye(len(correlation), dtype=bool)
    return float(np.mean(np.abs(correlation[apart])))
