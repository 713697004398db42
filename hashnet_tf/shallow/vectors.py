"""Rankings by other distances than those of codes of K bits.

What a user would do instead of hashing: keep the floats, keep their signs, or
keep as few bytes as a code has and rank by a quantizer's own distances.
"""

import abc
import typing
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator
from sklearn.preprocessing import normalize
from sklearn.utils import gen_batches
from sklearn.utils.validation import check_is_fitted

from hashnet_tf.retrieval.codes import check_count
from hashnet_tf.retrieval.hamming_index import load_faiss
from hashnet_tf.shallow.hash_function import (
    ROWS,
    Floats,
    check_features,
    keep_columns,
)
from hashnet_tf.shallow.pca_hash import fit_pca

# Of a part of a vector under product quantization: as many as a byte tells.
CENTROIDS = 256


class VectorRanking(BaseEstimator, abc.ABC):
    """Learns from features what to keep of an item and how far it then is.

    A subclass learns in `_learn`, gives in `_kept` what is kept of items and
    in `_distances` how far these are from queries. All three get features
    less the mean of those that were fitted. A query comes as features.

    Attributes:
        mean_: `[d]`, of the features that were fitted.
        n_features_in_: Int d.

    Raises:
        ValueError: If features are not finite `[n, d]` of the fitted width.

    Example:

    >>> import numpy as np
    >>> from hashnet_tf.retrieval import evaluate_distances
    >>> from hashnet_tf.shallow import SignRanking
    >>> features = np.random.default_rng(0).normal(size=(100, 16))
    >>> labels = (features[:, 0] > 0).astype(int)
    >>> ranking = SignRanking().fit(features)
    >>> kept = ranking.encode(features)
    >>> report = evaluate_distances(
    ...     lambda rows: ranking.distances(features[rows], kept), labels, labels
    ... )
    >>> report.map > 0.5, ranking.bytes_per_item
    (True, 2)
    """

    mean_: Floats
    n_features_in_: int

    def fit(
        self, features: npt.ArrayLike, labels: npt.ArrayLike | None = None
    ) -> Self:
        """Learns from real `[n, d]`; labels say nothing to it.

        Args:
            features: Real `[n, d]`.
            labels: Anything, not read.

        Returns:
            The ranking itself.
        """
        checked = check_features(features)
        self.mean_ = checked.mean(axis=0, dtype=np.float64)
        self._learn(self._centred(checked))
        keep_columns(self, features)
        self.n_features_in_ = checked.shape[1]
        return self

    def encode(self, features: npt.ArrayLike) -> npt.NDArray:
        """Returns what is kept of items, an array `[n, ...]`.

        Args:
            features: Real `[n, d]`.
        """
        checked = check_features(features, self)
        return np.concatenate(
            [
                self._kept(self._centred(checked[rows]))
                for rows in gen_batches(len(checked), ROWS)
            ]
        )

    def distances(
        self, queries: npt.ArrayLike, database: npt.ArrayLike
    ) -> npt.NDArray[np.float32]:
        """Returns how far each item is from each query.

        Args:
            queries: Real `[q, d]`, features.
            database: What `encode` gave for n items.

        Returns:
            float32 `[q, n]`, smaller for what is nearer. The whole matrix: ask
            for some queries at a time.

        Raises:
            ValueError: If the queries are no features, or `database` is not
                what `encode` gives.
        """
        checked = check_features(queries, self)
        kept, one = np.asarray(database), self._one()
        if kept.dtype != one.dtype or kept.shape[1:] != one.shape[1:]:
            raise ValueError(
                "`database` must be what `encode` gives, of dtype"
                f" {one.dtype} and {one.shape[1]} wide. Received:"
                f" database.dtype={kept.dtype}, database.shape={kept.shape}"
            )
        found = self._distances(self._centred(checked), kept)
        return found.astype(np.float32, copy=False)

    @property
    def bytes_per_item(self) -> int:
        """Int, what `encode` keeps of an item."""
        check_is_fitted(self, "n_features_in_")
        return self._one().nbytes

    def _one(self) -> npt.NDArray:
        return self._kept(np.zeros((1, self.n_features_in_), np.float32))

    def _centred(self, features: Floats) -> Floats:
        return (features - self.mean_.astype(features.dtype)).astype(np.float32)

    @abc.abstractmethod
    def _learn(self, centred: Floats) -> None:
        """Learns from float32 `[n, d]`."""

    @abc.abstractmethod
    def _kept(self, centred: Floats) -> npt.NDArray:
        """Returns what is kept of float32 `[n, d]`, `[n, width]`."""

    @abc.abstractmethod
    def _distances(self, centred: Floats, kept: npt.NDArray) -> npt.NDArray:
        """Returns the distances of float32 `[q, d]` to items, `[q, n]`."""


@typing.final
class FloatRanking(VectorRanking):
    """Ranks by the cosine of the centred features, all of them kept.

        d(x, y) = 1 - <x - mean, y - mean> / (||x - mean|| ||y - mean||)

    The reference of all that learns without labels from the same features, at 4
    bytes a dimension. Features of a network as they come, of unit length, find
    images as by Babenko et al., "Neural Codes for Image Retrieval", ECCV 2014;
    centring makes the angles wide between features that are never negative,
    as for `LSH`. A vector that is the mean has no angle, and is at 1 from all.

    Attributes:
        mean_: `[d]`, of the features that were fitted.
        n_features_in_: Int d.

    Raises:
        ValueError: As `VectorRanking`.

    Example:

    >>> from hashnet_tf.shallow import FloatRanking
    >>> ranking = FloatRanking().fit([[0.0, 1.0], [2.0, 1.0]])
    >>> kept = ranking.encode([[9.0, 1.0], [1.0, 5.0], [0.0, 1.0]])
    >>> ranking.distances([[3.0, 1.0]], kept).tolist()
    [[0.0, 1.0, 2.0]]
    """

    def _learn(self, centred: Floats) -> None:
        pass

    def _kept(self, centred: Floats) -> npt.NDArray:
        return _unit(centred)

    def _distances(self, centred: Floats, kept: npt.NDArray) -> npt.NDArray:
        return 1 - _unit(centred) @ kept.T


@typing.final
class PQRanking(VectorRanking):
    """Ranks by product quantization at K / 8 bytes, as FAISS has it.

    The centred features, of unit length so that the distance goes with the
    cosine, are cut into K / 8 parts, and k-means finds 256 centroids c for
    each part. Of an item y the number of the nearest one a part is kept, q(y);
    a query x stays as it is:

        d(x, y) = sum over the parts j of ||x_j - c_j(q_j(y))||^2

    (the asymmetric distance of Jegou, Douze & Schmid, "Product Quantization
    for Nearest Neighbor Search", TPAMI 2011). Where the parts do not divide d,
    zeros fill the last one up. It needs `pip install 'hashnet_tf[faiss]'`.

    Args:
        bits: Int >= 8, a multiple of 8, K; a part has at least a dimension.
        seed: Int, of k-means.

    Attributes:
        mean_: `[d]`, of the features that were fitted.
        index_: `faiss.IndexPQ`, trained and empty.
        n_features_in_: Int d.

    Raises:
        ValueError: As `VectorRanking`; by `fit`, if `bits` is no multiple of 8
            or more than 8 a dimension, or of fewer samples than centroids.
        ImportError: By `fit`, if FAISS is not installed.

    Example:

    >>> import numpy as np
    >>> from hashnet_tf.shallow import PQRanking
    >>> features = np.random.default_rng(0).normal(size=(300, 15))
    >>> ranking = PQRanking(bits=16).fit(features)
    >>> kept = ranking.encode(features)
    >>> kept.shape, kept.dtype.name, ranking.bytes_per_item
    ((300, 2), 'uint8', 2)
    >>> ranking.distances(features[:5], kept).shape
    (5, 300)
    """

    index_: Any

    def __init__(self, bits: int = 48, seed: int = 0) -> None:
        self.bits = bits
        self.seed = seed

    def _learn(self, centred: Floats) -> None:
        faiss = load_faiss("Product quantization")
        n, d = centred.shape
        parts, rest = divmod(check_count(self.bits, "bits"), 8)
        if rest or parts > d:
            raise ValueError(
                "`bits` must be a multiple of 8, of which each part of the"
                f" {d} dimensions takes 8. Received: bits={self.bits}"
            )
        if n < CENTROIDS:
            raise ValueError(
                f"`features` must be at least {CENTROIDS}, one for each"
                f" centroid. Received: features.shape={centred.shape}"
            )
        index = faiss.IndexPQ(-(-d // parts) * parts, parts, 8)
        index.pq.cp.seed = self.seed
        # It would warn of fewer than 39 a centroid, which are usual here.
        index.pq.cp.min_points_per_centroid = 1
        index.train(self._cut(centred, index))
        self.index_ = index

    def _cut(self, centred: Floats, index: Any) -> Floats:
        lacking = index.d - centred.shape[1]
        return np.pad(_unit(centred), ((0, 0), (0, lacking)))

    def _kept(self, centred: Floats) -> npt.NDArray:
        return self.index_.sa_encode(self._cut(centred, self.index_))

    def _distances(self, centred: Floats, kept: npt.NDArray) -> npt.NDArray:
        return _all_distances(
            self.index_, self._cut(centred, self.index_), kept
        )


@typing.final
class RaBitQRanking(VectorRanking):
    """Ranks by RaBitQ on K principal components, as FAISS has it.

    RaBitQ takes a bit a dimension, so the dimensions are brought to K: v is a
    vector of the first K principal components, as `ITQ` takes them, of unit
    length so that the distance goes with the cosine, and turned by a random
    rotation, which the method wants. With c the mean of all v and
    o = (v - c) / ||v - c|| it keeps the signs b = sgn(o) in {-1, +1}^K and two
    float32, of which ||v - c|| and <b, o> follow: K / 8 + 8 bytes, 8 more than
    a code of K bits. A query u, not quantized here, is estimated to be

        d(u, v) = ||u - c||^2 + ||v - c||^2 - 2 ||v - c|| <b, u - c> / <b, o>

    away, in the mean over rotations ||u - v||^2, and 0 where that is below 0
    (Gao & Long, "RaBitQ: Quantizing High-Dimensional Vectors with a Theoretical
    Error Bound for Approximate Nearest Neighbor Search", SIGMOD 2024). It needs
    `pip install 'hashnet_tf[faiss]'`.

    Args:
        bits: Int >= 1, K, at most d and n.
        seed: Int, of the rotation, and of PCA's solver.

    Attributes:
        mean_: `[d]`, of the features that were fitted.
        projection_: float32 `[d, bits]`, the components turned.
        index_: `faiss.IndexRaBitQ`, trained and empty.
        n_features_in_: Int d.

    Raises:
        ValueError: As `VectorRanking`; by `fit`, if `bits` is no positive
            integer, or if there are fewer dimensions or samples than bits.
        ImportError: By `fit`, if FAISS is not installed.

    Example:

    >>> import numpy as np
    >>> from hashnet_tf.shallow import RaBitQRanking
    >>> features = np.random.default_rng(0).normal(size=(100, 16))
    >>> ranking = RaBitQRanking(bits=12).fit(features)
    >>> kept = ranking.encode(features)
    >>> kept.shape, ranking.bytes_per_item
    ((100, 10), 10)
    >>> ranking.distances(features[:5], kept).shape
    (5, 100)
    """

    index_: Any
    projection_: Floats

    def __init__(self, bits: int = 48, seed: int = 0) -> None:
        self.bits = bits
        self.seed = seed

    def _learn(self, centred: Floats) -> None:
        faiss = load_faiss("RaBitQ")
        bits = check_count(self.bits, "bits")
        components = fit_pca(centred, bits, self.seed).components_
        rng = np.random.default_rng(self.seed)
        rotation, _ = np.linalg.qr(rng.normal(size=(bits, bits)))
        self.projection_ = (components.T @ rotation).astype(np.float32)
        index = faiss.IndexRaBitQ(bits)
        # Of queries all bits: younger versions take 4 where nothing is said.
        index.qb = 0
        index.train(_unit(centred @ self.projection_))
        self.index_ = index

    def _kept(self, centred: Floats) -> npt.NDArray:
        return self.index_.sa_encode(_unit(centred @ self.projection_))

    def _distances(self, centred: Floats, kept: npt.NDArray) -> npt.NDArray:
        turned = _unit(centred @ self.projection_)
        # As younger versions of FAISS have it, so that all give the same.
        return np.maximum(_all_distances(self.index_, turned, kept), 0)


def _unit(centred: Floats) -> Floats:
    """Returns `[n, d]` of unit length each; what is zero stays zero."""
    unit: Any = normalize(centred)
    return unit


def _all_distances(
    index: Any, queries: Floats, kept: npt.NDArray
) -> npt.NDArray[np.float32]:
    """Returns an index's distances of `[q, d]` to items that it encoded."""
    faiss = load_faiss("This ranking")
    # Copied, so that what was fitted stays as it is.
    filled = faiss.deserialize_index(faiss.serialize_index(index))
    filled.add_sa_codes(np.ascontiguousarray(kept))
    found, places = filled.search(queries, len(kept))
    # An item that FAISS did not give back would be the farthest.
    distances = np.full_like(found, np.inf)
    np.put_along_axis(distances, places, found, axis=1)
    return distances
