"""Measures retrieval while a model trains, on images held out for that."""

import dataclasses
import typing

import keras
import numpy as np
import numpy.typing as npt

from hashnet_tf._types import Tensor
from hashnet_tf.retrieval.codes import check_count, pack
from hashnet_tf.retrieval.histogram import Histograms, histograms


class RetrievalEvaluation(keras.callbacks.Callback):
    """Logs `val_map`: each held-out image asks for the others.

    The tie-aware MAP@R of the codes of a validation set. Take it from the
    training images and leave it out of the training; never give the queries
    of the test here, since what is chosen by `val_map` (`ModelCheckpoint`,
    `EarlyStopping`) is chosen on these images. Place it before the callbacks
    that read `val_map`, and set their `mode="max"`.

    Args:
        images: Array `[n, ...]`, inputs of the model, or of the HashNet that
            it holds: in a `ClassifiedModel` or a `PairModel` that one is
            measured.
        labels: Class ids `[n]`, negative where unlabelled, or a zero-or-one
            matrix `[n, L]`.
        at: Int R >= 1 of MAP@R.
        every: Positive int, epochs between measurements. In between the last
            value is logged again, from the first measurement on.
        batch_size: Positive int, for the forward passes.

    Raises:
        ValueError: If images and labels do not go together, there are less
            than 2 images, or no two images share a label.

    Example:

    >>> import numpy as np, hashnet_tf as hn
    >>> held_out, labels = np.zeros((8, 16, 16, 3)), np.arange(8) % 2
    >>> callback = hn.callbacks.RetrievalEvaluation(held_out, labels, at=5)
    """

    # Keras knows it as None, which it is before training.
    model: typing.Any

    def __init__(
        self,
        images: Tensor,
        labels: npt.ArrayLike,
        at: int = 1000,
        every: int = 1,
        batch_size: int = 128,
    ) -> None:
        super().__init__()
        self.images = images
        self.labels = np.asarray(labels)
        self.at = check_count(at, "at")
        self.every = check_count(every, "every")
        self.batch_size = check_count(batch_size, "batch_size")
        if len(images) < 2:
            raise ValueError(
                "`images` must be at least 2, each of which asks for the"
                f" others. Received: {len(images)} images"
            )
        one_code = np.zeros((len(images), 1), np.uint8)
        if not self._others(one_code, bits=8).answerable.any():
            raise ValueError(
                "Some of the held-out images must share a label. Received:"
                f" {len(images)} images of which no two do"
            )
        self._last: float | None = None

    def on_train_begin(self, logs: typing.Any = None) -> None:
        self._last = None

    def on_epoch_end(self, epoch: int, logs: typing.Any = None) -> None:
        if (epoch + 1) % self.every == 0:
            self._last = self.measure()
        if logs is not None and self._last is not None:
            logs["val_map"] = self._last

    def measure(self) -> float:
        """Returns MAP@R of the present model, a float in [0, 1].

        Raises:
            ValueError: If the model holds several HashNets, or none and does
                not give one array `[n, bits]`.
        """
        # What a model around a HashNet gives, such as logits of classes, are
        # no codes.
        found = [
            layer
            for layer in self.model._flatten_layers()
            if hasattr(layer, "scaled_tanh") and hasattr(layer, "encode")
        ]
        if len(found) > 1:
            raise ValueError(
                "A model that is measured must hold one HashNet. Received:"
                f" {[layer.name for layer in found]}"
            )
        if found:
            codes = found[0].encode(self.images, self.batch_size)
            others = self._others(codes, found[0].bits)
        else:
            g = self.model.predict(
                self.images, batch_size=self.batch_size, verbose=0
            )
            if len(getattr(g, "shape", ())) != 2:
                raise ValueError(
                    "A model without a HashNet must give one array [n, bits]."
                    f" Received: a {type(g).__name__}"
                )
            # float32: NumPy does not know bfloat16's sign.
            others = self._others(pack(g.astype(np.float32)), g.shape[1])
        return float(others.average_precision(self.at).mean())

    def _others(self, codes: np.ndarray, bits: int) -> Histograms:
        """Counts by distance and relevance, each image less itself."""
        found = histograms(codes, codes, self.labels, self.labels, bits)
        counts, relevant = found.counts.copy(), found.relevant.copy()
        labelled = self.labels >= 0
        if self.labels.ndim == 2 and self.labels.shape[1] > 1:
            labelled = self.labels.any(axis=1)
        counts[:, 0] -= 1
        relevant[:, 0] -= labelled.reshape(len(counts))
        return dataclasses.replace(found, counts=counts, relevant=relevant)
