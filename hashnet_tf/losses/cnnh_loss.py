"""CNNH: codes from the labels alone, and the distance from these."""

import math
import typing

import keras
import numpy as np
import numpy.typing as npt

from hashnet_tf._types import Config, Tensor, ops
from hashnet_tf.losses._checks import check_signs
from hashnet_tf.losses._labels import labels_in_numpy
from hashnet_tf.losses.class_loss import ClassLoss, class_count

# Rows of labels among which the codes are found; those of others follow.
ANCHORS = 1000
SWEEPS = 5


def cnnh_codes(
    labels: npt.ArrayLike, bits: int, seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Returns codes whose inner products come close to the similarities.

    Stage 1 of "Supervised Hashing for Image Retrieval via Image Representation
    Learning" (Xia et al., AAAI 2014): with s_ij = 1 for images that share a
    class and -1 for others,

        minimise sum over i, j of (s_ij - <h_i, h_j> / K)^2, h in [-1, 1]^K

    one coordinate at a time, from uniform random values; then the signs. The
    paper takes one Newton step a coordinate on an n x n matrix of residuals.

    Here images of the same classes, which have the same row in S, have one
    code, and weigh as many times: S of C classes has C rows, whatever n is,
    and each step goes to the exact minimum over its coordinate (of a quartic,
    as such images meet each other). Of more than 1,000 combinations of classes
    the most frequent are solved so, and each of the others then against these.

    What is unknown names no class; images without a class are left out.

    Args:
        labels: Class ids `[n]` or a zero-or-one matrix `[n, L]`; -1 where
            unknown.
        bits: Positive int K.
        seed: Int, of the first values and the order.

    Returns:
        Two arrays: the combinations of classes that occur, uint8 `[U, C]` of
        zeros and ones, and the code of each, int8 `[U, K]` of -1 and +1.

    Raises:
        ValueError: As `class_count`, or if `bits` is not positive.

    Example:

    >>> from hashnet_tf.losses import cnnh_codes
    >>> members, codes = cnnh_codes([0, 1, 0], bits=16)
    >>> members.tolist()
    [[1, 0], [0, 1]]
    >>> int(codes[0].astype("int32") @ codes[1])
    -16
    """
    if bits < 1:
        raise ValueError(f"`bits` must be positive. Received: bits={bits}")
    members, counts = _combinations(labels)
    # Weights about 1, so that nothing here depends on n.
    weights = counts / counts.mean()
    rng = np.random.default_rng(seed)
    anchors, rest = members[:ANCHORS], members[ANCHORS:]
    h = rng.uniform(-1.0, 1.0, (len(anchors), bits))
    similarities = _similarities(anchors, anchors)
    for _ in range(SWEEPS):
        for row in rng.permutation(len(h)):
            _improve(h, row, similarities[row], weights[:ANCHORS], rng)
    if len(rest):
        follow = _solve(_similarities(rest, anchors), h, weights[:ANCHORS])
        h = np.concatenate([h, follow])
    return members, np.where(h >= 0, 1, -1).astype(np.int8)


def _combinations(labels):
    """Returns the distinct sets of classes and their counts, frequent first."""
    classes = class_count(labels)
    labels = labels_in_numpy(np.asarray(labels))
    if labels.ndim == 2:
        members = labels > 0
    else:
        members = labels[:, None] == np.arange(classes)
    members = members[members.any(axis=1)].astype(np.uint8)
    rows, counts = np.unique(members, axis=0, return_counts=True)
    # Of equal counts, the lowest classes first.
    order = np.argsort(-counts[::-1], kind="stable")
    return rows[::-1][order], counts[::-1][order]


def _similarities(a, b):
    shared = a.astype(np.float32) @ b.T.astype(np.float32)
    return np.where(shared > 0, 1.0, -1.0)


def _improve(h, row, similarities, weights, rng):
    """Minimises over each coordinate of one code in turn, in place."""
    bits = h.shape[1]
    own, others = weights[row], weights.copy()
    others[row] = 0.0
    residuals = h @ h[row] - bits * similarities
    for bit in rng.permutation(bits):
        column, old = h[:, bit], h[row, bit]
        weighted = others * column
        curvature = weighted @ column
        slope = weighted @ residuals - curvature * old
        rest = h[row] @ h[row] - old**2 - bits
        new = _least(rest + curvature / own, slope / own)
        h[row, bit] = new
        residuals += (new - old) * column


def _least(p, d):
    """Returns the minimum of x^4 / 4 + p x^2 / 2 + d x in [-1, 1]."""
    inner = [x for x in _roots(p, d) if -1.0 < x < 1.0]
    return min(
        [-1.0, 1.0, *inner],
        key=lambda x: ((x * x / 4 + p / 2) * x + d) * x,
    )


def _roots(p, d):
    """Returns the real roots of x^3 + p x + d."""
    discriminant = (d / 2) ** 2 + (p / 3) ** 3
    if discriminant >= 0:
        root = math.sqrt(discriminant)
        return [math.cbrt(-d / 2 + root) + math.cbrt(-d / 2 - root)]
    radius = 2 * math.sqrt(-p / 3)
    angle = math.acos(max(-1.0, min(1.0, 3 * d / (p * radius)))) / 3
    return [radius * math.cos(angle - 2 * math.pi * k / 3) for k in range(3)]


def _solve(similarities, h, weights):
    """Returns the codes of rows that are compared with those of `h` alone."""
    bits = h.shape[1]
    gram = (h * weights[:, None]).T @ h
    goals = bits * (similarities * weights) @ h
    codes = np.zeros((len(similarities), bits))
    for _ in range(SWEEPS):
        for bit in range(bits):
            error = goals[:, bit] - codes @ gram[:, bit]
            step = error / max(gram[bit, bit], 1e-12)
            codes[:, bit] = np.clip(codes[:, bit] + step, -1.0, 1.0)
    return codes


@keras.saving.register_keras_serializable(package="hashnet_tf")
class CNNHLoss(ClassLoss):
    """Squared distance of g from the code of the image's classes.

    Stage 2 of "Supervised Hashing for Image Retrieval via Image Representation
    Learning" (Xia et al., AAAI 2014), with the codes h of its stage 1,
    `cnnh_codes`, and g = tanh(z):

        mean over images and bits of (g_ik - h_ik)^2

    The paper has a code for each training image and finds it by its index;
    here it is found by the image's classes, on which alone it depends.
    CNNH+, which predicts the classes too, is left out. The port
    swuxyj/DeepHash-pytorch takes |z - h| and, in stage 1, 0 for s = -1.

    An image whose classes never occur together in `members` adds 0.

    Args:
        members: `[U, C]` of zeros and ones, combinations of classes, none
            twice and none empty, as `cnnh_codes` gives.
        codes: `[U, K]` of -1 and +1, the code of each.
        name: Optional name.
        reduction: As in `keras.losses.Loss`.

    Call arguments:
        y_true: As `ClassLoss` takes them.
        y_pred: Float `[n, K]`, g.

    Raises:
        ValueError: If an argument or a shape is none of these.

    Example:

    >>> import numpy as np
    >>> from hashnet_tf.losses import CNNHLoss, cnnh_codes
    >>> labels = np.array([0, 1, 0, 2])
    >>> float(CNNHLoss(*cnnh_codes(labels, bits=16))(labels, np.zeros((4, 16))))
    1.0
    """

    def __init__(
        self,
        members: npt.ArrayLike,
        codes: npt.ArrayLike,
        name: str = "cnnh_loss",
        reduction: str = "sum_over_batch_size",
    ) -> None:
        codes = check_signs(codes, "codes")
        members = np.asarray(members)
        if (
            members.ndim != 2
            or len(members) != len(codes)
            or not np.isin(members, (0, 1)).all()
            or not members.any(axis=1).all()
            or len(np.unique(members, axis=0)) < len(members)
        ):
            raise ValueError(
                "`members` must hold one combination of classes for each of"
                f" the {len(codes)} codes, zeros and ones, none empty and none"
                f" twice. Received: members.shape={members.shape}"
            )
        super().__init__(members.shape[1], codes.shape[1], name, reduction)
        self.members = members.astype(np.uint8)
        self.codes = codes

    @classmethod
    def for_labels(
        cls,
        labels: npt.ArrayLike,
        bits: int,
        seed: int = 0,
        **arguments: typing.Any,
    ) -> "CNNHLoss":
        """Returns the loss with `cnnh_codes` of these labels."""
        return cls(*cnnh_codes(labels, bits, seed), **arguments)

    def images(self, membership: Tensor, outputs: Tensor) -> Tensor:
        members = ops.cast(self.members, "float32")
        shared = ops.matmul(membership, ops.transpose(members))
        # The same set: all of either is shared.
        same = ops.logical_and(
            ops.equal(shared, ops.sum(membership, axis=1)[:, None]),
            ops.equal(shared, ops.sum(members, axis=1)[None, :]),
        )
        same = ops.cast(same, "float32")
        goal = ops.matmul(same, ops.cast(self.codes, "float32"))
        found = ops.sum(same, axis=1)
        return found * ops.mean(ops.square(outputs - goal), axis=1)

    def get_config(self) -> Config:
        return {
            **super().get_config(),
            "members": self.members.tolist(),
            "codes": self.codes.tolist(),
        }
