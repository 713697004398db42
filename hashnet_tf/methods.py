"""HashNet, its variants and its deep rivals by name."""

import collections.abc
import dataclasses

import keras

from hashnet_tf.losses.centers import hash_centers
from hashnet_tf.losses.class_loss import class_count
from hashnet_tf.losses.cnnh_loss import CNNHLoss, cnnh_codes
from hashnet_tf.losses.csq_loss import CSQLoss
from hashnet_tf.losses.dhn_loss import DHNLoss
from hashnet_tf.losses.dnnh_loss import DNNHLoss
from hashnet_tf.losses.dpsh_loss import DPSHLoss
from hashnet_tf.losses.greedy_hash_loss import GreedyHashLoss
from hashnet_tf.losses.ortho_hash_loss import OrthoHashLoss
from hashnet_tf.losses.weighted_pairwise_loss import WeightedPairwiseLoss
from hashnet_tf.models import ClassifiedModel, HashNet, LogitsModel


def _hashnet_itself(hashnet, labels):
    return hashnet


def _its_logits(hashnet, labels):
    return LogitsModel(hashnet)


def _its_signs_classified(hashnet, labels):
    return ClassifiedModel(hashnet, class_count(labels))


@dataclasses.dataclass(frozen=True)
class Method:
    """A way to train a HashNet.

    Attributes:
        name: Str, by which it is chosen.
        reference: Str, the paper.
        build_loss: Function of the bits (int K), the labels of the training
            images (class ids `[n]` or a zero-or-one matrix `[n, L]`, -1 where
            unknown) and a seed (int) to the `keras.losses.Loss`. It raises
            ValueError if the labels name fewer than two classes, or more than
            there are codes.
        training_model: Function of a HashNet and these labels to the
            `keras.Model` that is compiled with the loss and trained on
            images and labels; the HashNet, which may be the same, is what
            encodes after that.
        continuation: Whether beta rises; it stays 1 otherwise.

    Example:

    >>> import keras, numpy as np, hashnet_tf as hn
    >>> from hashnet_tf.losses import METHODS
    >>> inputs = keras.Input((20,))
    >>> hashnet = hn.HashNet(keras.Model(inputs, inputs), bits=16)
    >>> features, labels = np.eye(20)[:6], np.array([0, 1, 2, 0, 1, 2])
    >>> method = METHODS["csq"]
    >>> model = method.training_model(hashnet, labels)
    >>> model.compile("adam", method.build_loss(16, labels, seed=0))
    >>> history = model.fit(features, labels, verbose=0)
    >>> hashnet.encode(features).shape
    (6, 2)
    """

    name: str
    reference: str
    build_loss: collections.abc.Callable[[int, object, int], keras.losses.Loss]
    training_model: collections.abc.Callable[[HashNet, object], keras.Model] = (
        _hashnet_itself
    )
    continuation: bool = False


def _pairs(loss, **arguments):
    def build_loss(bits, labels, seed):
        class_count(labels)
        return loss(**arguments)

    return build_loss


def _cnnh(bits, labels, seed):
    return CNNHLoss(*cnnh_codes(labels, bits, seed))


def _greedy_hash(bits, labels, seed):
    return GreedyHashLoss(class_count(labels), bits)


def _csq(bits, labels, seed):
    return CSQLoss(hash_centers(class_count(labels), bits, seed), seed=seed)


def _ortho_hash(bits, labels, seed):
    return OrthoHashLoss(hash_centers(class_count(labels), bits, seed))


_HASHNET = "Cao et al., Deep Learning to Hash by Continuation, ICCV 2017"

METHODS = {
    method.name: method
    for method in [
        Method(
            "hashnet",
            _HASHNET,
            _pairs(WeightedPairwiseLoss),
            continuation=True,
        ),
        Method(
            "hashnet+c",
            _HASHNET,
            _pairs(WeightedPairwiseLoss, similarity="jaccard"),
            continuation=True,
        ),
        Method(
            "hashnet-w",
            _HASHNET,
            _pairs(WeightedPairwiseLoss, class_weights=None),
            continuation=True,
        ),
        Method("hashnet-sgn", _HASHNET, _pairs(WeightedPairwiseLoss)),
        Method(
            "dhn",
            "Zhu et al., Deep Hashing Network for Efficient Similarity"
            " Retrieval, AAAI 2016",
            _pairs(DHNLoss),
        ),
        Method(
            "dnnh",
            "Lai et al., Simultaneous Feature Learning and Hash Coding with"
            " Deep Neural Networks, CVPR 2015",
            _pairs(DNNHLoss),
        ),
        Method(
            "cnnh",
            "Xia et al., Supervised Hashing for Image Retrieval via Image"
            " Representation Learning, AAAI 2014",
            _cnnh,
        ),
        Method(
            "dpsh",
            "Li et al., Feature Learning based Deep Supervised Hashing with"
            " Pairwise Labels, IJCAI 2016",
            _pairs(DPSHLoss),
            _its_logits,
        ),
        Method(
            "greedyhash",
            "Su et al., Greedy Hash: Towards Fast Optimization for Accurate"
            " Hash Coding in CNN, NeurIPS 2018",
            _greedy_hash,
            _its_signs_classified,
        ),
        Method(
            "csq",
            "Yuan et al., Central Similarity Quantization for Efficient Image"
            " and Video Retrieval, CVPR 2020",
            _csq,
            _its_logits,
        ),
        Method(
            "orthohash",
            "Hoe et al., One Loss for All: Deep Hashing with a Single Cosine"
            " Similarity based Learning Objective, NeurIPS 2021",
            _ortho_hash,
            _its_logits,
        ),
    ]
}
