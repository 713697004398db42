"""What a training learns from: the labels of its items, or pairs of them."""

import abc
import collections.abc
import typing

import keras
import numpy as np
import tensorflow as tf

from hashnet_tf.datasets import PairSampler, RetrievalDataset
from hashnet_tf.datasets.pairs import GivenPairSampler, in_pairs
from hashnet_tf.datasets.sampling import BatchSampler
from hashnet_tf.models import HashNet, PairModel
from hashnet_tf.runs.config import TrainingConfig
from hashnet_tf.runs.networks import (
    build_in_batch_loss,
    build_loss,
    build_pairwise_loss,
    build_training_model,
)

MONITORED = 500


class Supervision(abc.ABC):
    """What a training learns from, made before minutes are spent on features.

    Abstract: a subclass says which items come together, what the loss is, and
    what is watched.

    Attributes:
        config: `TrainingConfig`.
        loss: `keras.losses.Loss`, of what `model` gives.
        sampler: `BatchSampler`, or None for a plain shuffle.
        steps_per_epoch: Positive int.
        items_per_step: Positive int.
        item_labels: What the batches of items carry as labels `[n, ...]`.
        watched: Int array of the rows whose codes are watched.
        watched_labels: Their labels.
        watched_loss: `keras.losses.Loss` of g by these: HashNet's own, whatever
            trains.
    """

    config: TrainingConfig
    loss: keras.losses.Loss
    sampler: BatchSampler | None
    steps_per_epoch: int
    items_per_step: int
    item_labels: np.ndarray
    watched: np.ndarray
    watched_labels: np.ndarray
    watched_loss: keras.losses.Loss

    @abc.abstractmethod
    def batches(
        self, items: tf.data.Dataset, epochs: collections.abc.Iterable[int]
    ) -> tf.data.Dataset:
        """Returns batches for `model` of batches of items.

        Args:
            items: `tf.data.Dataset` of items and `item_labels`, as `sampler`
                draws them.
            epochs: The numbers of the epochs that they are of.
        """

    @abc.abstractmethod
    def model(self, hashnet: HashNet) -> typing.Any:
        """Returns what is compiled and trained in place of a HashNet.

        Args:
            hashnet: `HashNet` that shall be trained.
        """


@typing.final
class LabelSupervision(Supervision):
    """Learns from labels, by HashNet or a rival.

    Args:
        config: `TrainingConfig`.
        labels: Class ids `[n]` or a zero-or-one matrix `[n, L]`.

    Raises:
        ValueError: If there are fewer items than a batch holds, or the labels
            are not as the method needs them.

    Example:

    >>> import numpy as np
    >>> from hashnet_tf.runs import TrainingConfig
    >>> from hashnet_tf.runs.supervision import LabelSupervision
    >>> config = TrainingConfig("digits", batch_size=32)
    >>> LabelSupervision(config, np.arange(100) % 3).steps_per_epoch
    3
    """

    def __init__(self, config: TrainingConfig, labels: np.ndarray) -> None:
        self.config = config
        self.steps_per_epoch = len(labels) // config.batch_size
        self.items_per_step = config.batch_size
        if not self.steps_per_epoch:
            raise ValueError(
                "`batch_size` must be at most the number of training images,"
                f" {len(labels)}. Received: batch_size={config.batch_size}"
            )
        self.loss = self.watched_loss = build_loss(config, labels)
        if config.is_rival:
            self.watched_loss = build_pairwise_loss(config, labels)
        self.sampler = None
        if config.classes_per_batch is not None:
            self.sampler = PairSampler(
                labels,
                config.classes_per_batch,
                config.batch_size // config.classes_per_batch,
                config.seed,
            )
        self.item_labels = labels
        order = np.random.default_rng(config.seed).permutation(len(labels))
        self.watched = np.sort(order[:MONITORED])
        self.watched_labels = labels[self.watched]

    def batches(
        self, items: tf.data.Dataset, epochs: collections.abc.Iterable[int]
    ) -> tf.data.Dataset:
        return items

    def model(self, hashnet: HashNet) -> typing.Any:
        return build_training_model(self.config, hashnet, self.item_labels)


@typing.final
class PairSupervision(Supervision):
    """Learns from pairs of items, by `hashnet_tf.losses.InBatchPairsLoss`.

    What is watched are the items of some similar pairs, of which two are
    similar if one of those pairs holds both.

    Args:
        config: `TrainingConfig`, of a HashNet; `batch_size` counts pairs.
        pairs: int64 `[m, 3]`, rows of the items and s_ij.
        count: Int n, the items.

    Raises:
        ValueError: If there are fewer pairs than a batch holds, or nothing that
            they name is dissimilar.

    Example:

    >>> import numpy as np
    >>> from hashnet_tf.runs import TrainingConfig
    >>> from hashnet_tf.runs.supervision import PairSupervision
    >>> pairs = np.array([[0, 1, 1], [2, 3, 1], [4, 5, 1], [1, 6, 0]])
    >>> config = TrainingConfig("pairs:clicks.csv", batch_size=2)
    >>> by_pairs = PairSupervision(config, pairs, count=7)
    >>> by_pairs.steps_per_epoch, by_pairs.watched.tolist()
    (2, [0, 1, 2, 3, 4, 5])
    """

    def __init__(
        self, config: TrainingConfig, pairs: np.ndarray, count: int
    ) -> None:
        self.config = config
        self._sampler = GivenPairSampler(pairs, config.batch_size, config.seed)
        self.sampler = self._sampler
        self.steps_per_epoch = len(self._sampler)
        self.items_per_step = 2 * config.batch_size
        self.loss = build_in_batch_loss(config, pairs)
        # A pair carries the rows of its items itself.
        self.item_labels = np.zeros(count, np.int32)
        similar = pairs[pairs[:, 2] > 0, :2]
        order = np.random.default_rng(config.seed).permutation(len(similar))
        chosen = similar[order[: MONITORED // 2]]
        self.watched, places = np.unique(chosen, return_inverse=True)
        labels = np.zeros((len(self.watched), len(chosen)), np.uint8)
        labels[places.reshape(-1, 2), np.arange(len(chosen))[:, None]] = 1
        self.watched_labels = labels
        self.watched_loss = build_pairwise_loss(config, labels)

    def batches(
        self, items: tf.data.Dataset, epochs: collections.abc.Iterable[int]
    ) -> tf.data.Dataset:
        return in_pairs(items, self._sampler, self.config.seed, epochs)

    def model(self, hashnet: HashNet) -> typing.Any:
        return PairModel(hashnet)


def supervision_of(
    config: TrainingConfig, dataset: RetrievalDataset
) -> Supervision:
    """Returns what a run learns from.

    Args:
        config: `TrainingConfig` of a method that trains a network.
        dataset: `RetrievalDataset`; its pairs, where it has some, go before the
            labels.

    Raises:
        ValueError: As the two classes, or if there is neither.
    """
    if dataset.pairs is not None:
        return PairSupervision(config, dataset.pairs, len(dataset.train))
    return LabelSupervision(config, dataset.train.labels)
