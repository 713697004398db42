"""What shallow hash functions share."""

import abc
import typing
from typing import Self

import numpy as np
import numpy.typing as npt
from sklearn.base import (
    BaseEstimator,
    ClassNamePrefixFeaturesOutMixin,
    TransformerMixin,
)
from sklearn.utils import gen_batches
from sklearn.utils.validation import check_is_fitted, validate_data

from hashnet_tf.retrieval.codes import Codes, check_count, pack
from hashnet_tf.retrieval.labels import check_labels, unlabelled

# A kernel to 1,000 anchors takes 64 MB for so many rows.
ROWS = 2**13

Floats = npt.NDArray[np.floating]


class HashFunction(
    ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator, abc.ABC
):
    """Learns from features how to encode features.

    A subclass has the argument `bits`, learns in `_learn` and gives the values
    whose signs are the bits in `_values`. It follows scikit-learn: `clone` and
    `get_params` work, and it can end a `Pipeline`; each byte of a code is a
    feature to `get_feature_names_out` and `set_output`.

    Attributes:
        n_features_in_: Int d.
        feature_names_in_: Array of str, the names of the columns, if a table
            with such was fitted.

    Raises:
        ValueError: By `fit` and `encode`, if `bits` is no positive integer,
            or features are not finite `[n, d]` of the fitted width, or come in
            a table whose columns have other names or another order.

    Example:

    >>> import numpy as np
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> from hashnet_tf.shallow import LSH
    >>> features = np.random.default_rng(0).normal(size=(100, 16))
    >>> encoder = make_pipeline(StandardScaler(), LSH(bits=12))
    >>> encoder.fit_transform(features).shape
    (100, 2)
    """

    bits: int
    n_features_in_: int

    def fit(
        self, features: npt.ArrayLike, labels: npt.ArrayLike | None = None
    ) -> Self:
        """Learns from real `[n, d]` and, if it is supervised, from labels.

        Args:
            features: Real `[n, d]`.
            labels: Class ids, integer `[n]`, negative where unlabelled; or a
                zero-or-one matrix `[n, L]`, a row of zeros where unlabelled,
                -1 where unknown.

        Returns:
            The hash function itself.
        """
        check_count(self.bits, "bits")
        checked = check_features(features)
        self._learn(checked, labels)
        keep_columns(self, features)
        self.n_features_in_ = checked.shape[1]
        return self

    def encode(self, features: npt.ArrayLike) -> Codes:
        """Encodes real `[n, d]` as packed uint8 `[n, ceil(bits / 8)]`."""
        checked = check_features(features, self)
        return np.concatenate(
            [
                pack(self._values(checked[rows]))
                for rows in gen_batches(len(checked), ROWS)
            ]
        )

    def transform(self, features: npt.ArrayLike) -> Codes:
        """Is `encode`, under the name by which a `Pipeline` calls it."""
        return self.encode(features)

    @property
    def _n_features_out(self) -> int:
        return -(-self.bits // 8)

    @abc.abstractmethod
    def _learn(self, features: Floats, labels: npt.ArrayLike | None) -> None:
        """Learns from checked features `[n, d]` and labels as given."""

    @abc.abstractmethod
    def _values(self, features: Floats) -> Floats:
        """Returns real `[n, bits]` of checked features `[n, d]`."""


class LinearHashFunction(HashFunction):
    """Has the signs of (x - mean) P as bits; a subclass learns both.

    Attributes:
        mean_: `[d]`.
        projection_: `[d, bits]`, P.
        n_features_in_: Int d.
    """

    mean_: Floats
    projection_: Floats

    def dense_weights(self) -> tuple[Floats, Floats]:
        """Returns the map as a Dense layer has it: x W + b, W = P, b = -mean P.

        Returns:
            `(kernel, bias)`, `[d, bits]` and `[bits]`. Their values differ from
            those that `encode` takes the signs of by rounding alone.

        Raises:
            sklearn.exceptions.NotFittedError: If it is not fitted.

        Example:

        >>> from hashnet_tf.shallow import PCAHash
        >>> along = [[0.0, 0.0], [2.0, 0.0], [4.0, 0.0]]
        >>> kernel, bias = PCAHash(bits=1).fit(along).dense_weights()
        >>> abs(kernel).round(6).tolist(), abs(bias).round(6).tolist()
        ([[1.0], [0.0]], [2.0])
        """
        check_is_fitted(self, "n_features_in_")
        return self.projection_, -self.mean_ @ self.projection_

    def _values(self, features: Floats) -> Floats:
        return (features - self.mean_) @ self.projection_


def keep_columns(estimator: BaseEstimator, features: npt.ArrayLike) -> None:
    """Keeps the names of a table's columns, which later tables must have."""
    table: typing.Any = features
    validate_data(estimator, table, skip_check_array=True)


def check_features(
    features: npt.ArrayLike, fitted: typing.Any = None
) -> Floats:
    """Checks a matrix of features.

    Args:
        features: Real `[n, d]`, at least one row and column.
        fitted: Estimator, whose d and names of columns they must have; or None
            for any.

    Returns:
        float64 `[n, d]`, or float32 if that is what came.

    Raises:
        ValueError: If `features` has another shape, other names or another
            order of columns than were fitted, or holds NaN or infinity.
        sklearn.exceptions.NotFittedError: If `fitted` is not.

    Example:

    >>> from hashnet_tf.shallow.hash_function import check_features
    >>> check_features([[1, 2]])
    array([[1., 2.]])
    """
    width = None
    if fitted is not None:
        check_is_fitted(fitted, "n_features_in_")
        width = fitted.n_features_in_
        # Of a bare array scikit-learn would warn that it has no names.
        if hasattr(features, "columns"):
            table: typing.Any = features
            validate_data(fitted, table, skip_check_array=True, reset=False)
    features = np.asarray(features)
    if features.ndim != 2 or features.size == 0:
        raise ValueError(
            "`features` must be of shape [n, dimensions] and not empty."
            f" Received: features.shape={features.shape}"
        )
    if width is not None and features.shape[1] != width:
        raise ValueError(
            f"`features` must have the {width} dimensions that were fitted."
            f" Received: features.shape={features.shape}"
        )
    if features.dtype != np.float32:
        features = features.astype(np.float64)
    finite = np.isfinite(features).all(axis=1)
    if not finite.all():
        rows = np.flatnonzero(~finite)
        raise ValueError(
            "`features` must be finite. Received: NaN or infinity in"
            f" {len(rows)} rows, the first of them {rows[0]}"
        )
    return features


def check_supervision(
    features: Floats, labels: npt.ArrayLike | None
) -> tuple[Floats, npt.NDArray[np.float64]]:
    """Leaves out what has no label and turns the labels into a matrix.

    Args:
        features: `[n, d]`.
        labels: Class ids, integer `[n]`, negative where unlabelled; or a
            zero-or-one matrix `[n, L]`, a row of zeros where unlabelled; -1
            stands for unknown in it, and gives no label either.

    Returns:
        The features of the m labelled items `[m, d]`, and their labels as a
        zero-or-one matrix, float64 `[m, L]`; of class ids, L is the number of
        classes that occur.

    Raises:
        ValueError: If there are no labels, if they are not as above, or if all
            labelled items carry the same.

    Example:

    >>> import numpy as np
    >>> from hashnet_tf.shallow.hash_function import check_supervision
    >>> check_supervision(np.eye(3), [7, -1, 2])[1]
    array([[0., 1.],
           [1., 0.]])
    """
    if labels is None:
        raise ValueError(
            "`labels` must be given, for this method is supervised."
            " Received: labels=None"
        )
    given = np.asarray(labels)
    if given.ndim == 2 and given.shape[1] > 1:
        given = np.where(given == -1, 0, given)
    given = check_labels(given, len(features))
    known = ~unlabelled(given)
    given = given[known]
    if len(given) == 0 or (given == given[0]).all():
        raise ValueError(
            "`labels` must tell at least two classes apart. Received: labels"
            f" of which {len(given)} are known, all of them alike"
        )
    if given.ndim == 1:
        given = given[:, None] == np.unique(given)
    return features[known], given.astype(np.float64)
