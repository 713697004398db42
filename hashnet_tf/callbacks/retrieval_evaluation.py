"""Measures retrieval while a model trains, on images held out for that."""

import dataclasses
import typing

import keras
import numpy as np
import numpy.typing as npt

from hashnet_tf._network_inputs import (
    NetworkInputs,
    count_items,
    is_several,
)
from hashnet_tf._types import Tensor
from hashnet_tf.callbacks._hashnet_callback import HashNetCallback
from hashnet_tf.retrieval.codes import check_count, pack
from hashnet_tf.retrieval.histogram import Histograms, histograms
from hashnet_tf.retrieval.labels import check_labels, unlabelled


class RetrievalEvaluation(HashNetCallback):
    """Logs `val_map`: each held-out image asks for the others.

    The tie-aware MAP@R of the codes of a validation set. Take it from the
    training images and leave it out of the training; never give the queries
    of the test here, since what is chosen by `val_map` (`ModelCheckpoint`,
    `EarlyStopping`) is chosen on these images. Place it before the callbacks
    that read `val_map`, and set their `mode="max"`.

    What is measured are the codes of the HashNet within the model, as its
    `encode` gives them: of the outermost, where one holds another.

    Args:
        images: Array `[n, ...]`, of several inputs a list or dict of arrays;
            or, without `labels`, an iterable of batches (inputs, labels), as a
            finite `tf.data.Dataset`, which is read once. They are inputs of the
            model where that is functional or Sequential, else of the HashNet
            within, as for a `PairModel`.
        labels: Class ids `[n]`, negative where unlabelled, or a zero-or-one
            matrix `[n, L]`; None where `images` are batches.
        at: Int R >= 1 of MAP@R.
        every: Positive int, epochs between measurements. In between the last
            value is logged again, from the first measurement on.
        batch_size: Positive int, for the forward passes.
        verbose: 1 for a line a measurement, else the logs alone tell.

    Raises:
        ValueError: If images and labels do not go together, there are less
            than 2 images, or no two images share a label.

    Example:

    >>> import numpy as np, hashnet_tf as hn
    >>> held_out, labels = np.zeros((8, 16, 16, 3)), np.arange(8) % 2
    >>> callback = hn.callbacks.RetrievalEvaluation(held_out, labels, at=5)
    """

    def __init__(
        self,
        images: Tensor,
        labels: npt.ArrayLike | None = None,
        at: int = 1000,
        every: int = 1,
        batch_size: int = 128,
        verbose: int | None = 0,
    ) -> None:
        super().__init__(verbose)
        if labels is None:
            images, labels = _gathered(images)
        self.at = check_count(at, "at")
        self.every = check_count(every, "every")
        self.batch_size = check_count(batch_size, "batch_size")
        # A list of as many arrays as there are labels holds an image in each.
        expected = np.shape(labels)[0] if np.ndim(labels) else None
        if not hasattr(images, "shape") and not is_several(images, expected):
            images = np.asarray(images)
        count = count_items(images, expected)
        if count < 2:
            raise ValueError(
                "`images` must be at least 2, each of which asks for the"
                f" others. Received: {count} images"
            )
        self.images = images
        self.labels = check_labels(labels, count, "labels")
        one_code = np.zeros((count, 1), np.uint8)
        if not self._others(one_code, bits=8).answerable.any():
            raise ValueError(
                "Some of the held-out images must share a label. Received:"
                f" {count} images of which no two do"
            )
        self._last: float | None = None

    def on_train_begin(self, logs: typing.Any = None) -> None:
        self._last = None

    def on_epoch_end(self, epoch: int, logs: typing.Any = None) -> None:
        if (epoch + 1) % self.every == 0:
            self._last = self.measure()
            self.say(f"val_map {self._last:.4f} after epoch {epoch + 1}")
        if logs is not None and self._last is not None:
            logs["val_map"] = self._last

    def measure(self) -> float:
        """Returns MAP@R of the present model, a float in [0, 1].

        Raises:
            ValueError: If the model holds several HashNets, or none and does
                not give one array `[n, bits]`; or if it calls its HashNet
                twice.
        """
        hashnet = self._hashnet()
        if hashnet is not None:
            inputs = self._before(hashnet)
            codes = hashnet.encode(inputs, self.batch_size)
            others = self._others(codes, hashnet.bits)
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

    def _hashnet(self) -> typing.Any:
        """Returns the HashNet within the model, or None."""
        # What a model around a HashNet gives, such as logits of classes, are
        # no codes.
        found = [
            layer
            for layer in self.model._flatten_layers()
            if hasattr(layer, "scaled_tanh") and hasattr(layer, "encode")
        ]
        inner = {
            id(layer)
            for outer in found
            for layer in outer._flatten_layers(include_self=False)
        }
        found = [layer for layer in found if id(layer) not in inner]
        if len(found) > 1:
            raise ValueError(
                "A model that is measured must hold one HashNet. Received:"
                f" {[layer.name for layer in found]}"
            )
        return found[0] if found else None

    def _before(self, hashnet: typing.Any) -> Tensor:
        """Returns the images as they reach the HashNet."""
        graph = getattr(self.model, "_functional", self.model)
        if hashnet is self.model or not hasattr(graph, "operations"):
            return self.images
        # Those of this model alone: the HashNet may stand in others, too.
        calls = [
            node
            for nodes in graph._nodes_by_depth.values()
            for node in nodes
            if node.operation is hashnet
        ]
        if len(calls) != 1:
            raise ValueError(
                "A functional model that is measured must call its HashNet"
                " once, itself; else give the callback the HashNet by"
                " `set_model`, and call `measure`. Received: model"
                f" {self.model.name!r} with {len(calls)} calls of"
                f" {hashnet.name!r}"
            )
        reaching = calls[0].input_tensors
        straight = any(reaching[0] is tensor for tensor in graph.inputs)
        if len(reaching) == 1 and straight and not is_several(self.images):
            return self.images
        taken = NetworkInputs.of(graph)
        # In the form in which the HashNet takes them.
        reaching = keras.tree.pack_sequence_as(hashnet.input, reaching)
        before: typing.Any = keras.Model(taken.packed(graph.inputs), reaching)
        return before.predict(
            self.images, batch_size=self.batch_size, verbose=0
        )

    def _others(self, codes: np.ndarray, bits: int) -> Histograms:
        """Counts by distance and relevance, each image less itself."""
        found = histograms(codes, codes, self.labels, self.labels, bits)
        counts, relevant = found.counts.copy(), found.relevant.copy()
        counts[:, 0] -= 1
        relevant[:, 0] -= ~unlabelled(self.labels)
        return dataclasses.replace(found, counts=counts, relevant=relevant)


def _gathered(batches: typing.Any) -> tuple[typing.Any, np.ndarray]:
    """Returns inputs and labels of batches, once, in one order."""
    cardinality = getattr(batches, "cardinality", None)
    # -1 is what tf.data says of one that is repeated for ever.
    if hasattr(batches, "shape") or (cardinality and int(cardinality()) == -1):
        raise ValueError(
            "`images` without `labels` must be batches of (inputs, labels) that"
            f" end. Received: images={type(batches).__name__}"
        )
    inputs: list[typing.Any] = []
    labels: list[np.ndarray] = []
    for batch in batches:
        if not isinstance(batch, (tuple, list)) or len(batch) < 2:
            raise ValueError(
                "`images` without `labels` must be batches of (inputs, labels)."
                f" Received: a batch of type {type(batch).__name__}"
            )
        several = is_several(batch[0], len(batch[1]))
        inputs.append(
            keras.tree.map_structure(np.asarray, batch[0])
            if several
            else np.asarray(batch[0])
        )
        labels.append(np.asarray(batch[1]))
    if not inputs:
        raise ValueError("`images` must hold batches. Received: none")
    whole = keras.tree.map_structure(
        lambda *arrays: np.concatenate(arrays), *inputs
    )
    return whole, np.concatenate(labels)
