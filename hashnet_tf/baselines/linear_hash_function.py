"""Hash functions whose bits are sides of hyperplanes."""

from hashnet_tf.baselines.hash_function import HashFunction


class LinearHashFunction(HashFunction):
    """Has the signs of (x - mean) P as bits; a subclass learns both.

    Attributes:
        mean_: `[d]`.
        projection_: `[d, bits]`, P.
        n_features_in_: Int d.
    """

    def _values(self, features):
        return (features - self.mean_) @ self.projection_
