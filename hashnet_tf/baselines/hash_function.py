"""What every rival is: a scikit-learn estimator from features to codes."""

import abc

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils import gen_batches
from sklearn.utils.validation import check_is_fitted

from hashnet_tf.baselines.features import check_features, check_positive
from hashnet_tf.retrieval.codes import pack

# A kernel to 1,000 anchors takes 64 MB for so many rows.
ROWS = 2**13


class HashFunction(TransformerMixin, BaseEstimator, abc.ABC):
    """Learns from features how to encode features.

    A subclass has the argument `bits`, learns in `_learn` and gives the values
    whose signs are the bits in `_values`. It follows scikit-learn: `clone` and
    `get_params` work, and it can end a `Pipeline`.

    Attributes:
        n_features_in_: Int d.

    Raises:
        ValueError: By `fit` and `encode`, if `bits` is no positive integer,
            or features are not finite `[n, d]` of the fitted width.

    Example:

    >>> import numpy as np
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> from hashnet_tf.baselines import LSH
    >>> features = np.random.default_rng(0).normal(size=(100, 16))
    >>> encoder = make_pipeline(StandardScaler(), LSH(bits=12))
    >>> encoder.fit_transform(features).shape
    (100, 2)
    """

    def fit(self, features, labels=None):
        """Learns from real `[n, d]` and, if it is supervised, from labels.

        Args:
            features: Real `[n, d]`.
            labels: Class ids, integer `[n]`, negative where unlabelled; or a
                zero-or-one matrix `[n, L]`, a row of zeros where unlabelled,
                -1 where unknown.

        Returns:
            The hash function itself.
        """
        check_positive(self.bits, "bits")
        features = check_features(features)
        self._learn(features, labels)
        self.n_features_in_ = features.shape[1]
        return self

    def encode(self, features):
        """Encodes real `[n, d]` as packed uint8 `[n, ceil(bits / 8)]`."""
        check_is_fitted(self, "n_features_in_")
        features = check_features(features, self.n_features_in_)
        return np.concatenate(
            [
                pack(self._values(features[rows]))
                for rows in gen_batches(len(features), ROWS)
            ]
        )

    def transform(self, features):
        """Is `encode`, under the name by which a `Pipeline` calls it."""
        return self.encode(features)

    @abc.abstractmethod
    def _learn(self, features, labels):
        """Learns from checked features `[n, d]` and labels as given."""

    @abc.abstractmethod
    def _values(self, features):
        """Returns real `[n, bits]` of checked features `[n, d]`."""
