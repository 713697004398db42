"""HashNet as an estimator of scikit-learn: vectors in, codes out."""

import dataclasses
import numbers
import os
import typing
from typing import Self

import numpy as np
import numpy.typing as npt
from sklearn.base import (
    BaseEstimator,
    ClassNamePrefixFeaturesOutMixin,
    TransformerMixin,
)
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data

from hashnet_tf._estimator_checks import (
    check_features,
    read_labels,
    read_pairs,
)
from hashnet_tf.methods import METHODS, TRAINED_METHODS
from hashnet_tf.retrieval import histograms
from hashnet_tf.retrieval.codes import Codes
from hashnet_tf.retrieval.labels import unlabelled

# Keras is imported where used: settings can be looked at without it.
if typing.TYPE_CHECKING:
    from hashnet_tf.models import HashNet
    from hashnet_tf.runs.config import TrainingConfig

Path = str | os.PathLike[str]

# Vectors a forward pass; that ask in `score`.
ROWS, ASKING = 2048, 1000


class HashEncoder(
    ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator
):
    """Learns to turn vectors into codes of some bytes.

    For embeddings of any kind, with labels, with pairs such as clicks, or with
    nothing; by the rules of scikit-learn, so `clone`, `Pipeline`,
    `GridSearchCV` and pickling work.

    - `fit(X, y)` trains a HashNet by any method of `hashnet_tf.methods` that
      trains a network. beta stays at 1: on given vectors a beta that rises
      gains nothing.
    - `fit(X, pairs=pairs)` trains it by `hashnet_tf.losses.InBatchPairsLoss`:
      what nobody gave as similar is dissimilar.
    - `fit(X)` takes a method that learns a map without labels: itq, pca, lsh or
      sign.

    A network has each feature at mean 0 and variance 1 first, by those of X: an
    offset, a feature of other units or vectors of any length need no care, and
    one of a single value says nothing. That is a layer of the network, so it is
    saved and exported with it. A map keeps the angles of the centred vectors
    instead, so scaling them is the user's.

    Of a network a part of X is held out, and looked at every 100 steps; what is
    kept are the weights by which its loss was least, and training ends where it
    fell by less than half a percent in three looks. The same input gives the
    same codes again.

    Args:
        bits: Positive int, the length K of the codes.
        method: Str, a name of `hashnet_tf.methods.TRAINED_METHODS`.
        hidden: Int, the units of a ReLU layer before the hash layer; 0 for
            none. A map has none.
        dropout: Float in [0, 1), the share of the features that are dropped in
            training.
        epochs: Positive int, passes over X or the pairs at most; None for as
            many as make 2,000 steps.
        batch_size: Int >= 2, vectors, or pairs, a step.
        learning_rate: Positive float, where Adam begins; it falls by a cosine.
        validation_fraction: Float in [0, 1), the share of X, or of the pairs,
            that is held out: at most 1,000 of them. Where they would be fewer
            than 50, or with None, nothing is, and `epochs` are trained to the
            end.
        random_state: Int, a `numpy.random.RandomState`, or None for another
            result each time: of weights, order and what is held out.
        verbose: Whether to draw a bar, or tell now and then, while it trains.

    Attributes:
        hashnet_: `hashnet_tf.HashNet` from vectors `[n, d]` to g.
        n_steps_: Int, the steps after which its weights were taken; 0 of a map.
        validation_losses_: float64 array, the loss of what was held out, every
            100 steps; empty where nothing was.
        n_features_in_: Int d.
        feature_names_in_: Array of str, the names of the columns, if a table
            with such was fitted.

    Raises:
        ValueError: By `fit`, if a parameter, X, y or the pairs are not as they
            must be or do not go with the method; by the others, if X is not
            finite `[n, d]` of the fitted width and names.

    Warns:
        UserWarning: By `fit`, if a feature lies so far from 0 that float32
            hardly tells its values apart.

    Example:

    >>> import numpy as np, hashnet_tf as hn
    >>> rng = np.random.default_rng(0)
    >>> labels = rng.integers(0, 4, 400)
    >>> vectors = 5 + np.eye(4)[labels] @ rng.normal(size=(4, 32))
    >>> vectors += 0.3 * rng.normal(size=vectors.shape)
    >>> encoder = hn.HashEncoder(bits=16, epochs=20).fit(vectors, labels)
    >>> encoder.encode(vectors).shape, encoder.transform(vectors).shape
    ((400, 2), (400, 16))
    >>> encoder.score(vectors, labels) > 0.9
    True
    """

    hashnet_: "HashNet"
    n_steps_: int
    validation_losses_: npt.NDArray[np.float64]
    n_features_in_: int

    def __init__(
        self,
        bits: int = 64,
        method: str = "hashnet-r",
        hidden: int = 1024,
        dropout: float = 0.5,
        epochs: int | None = None,
        batch_size: int = 256,
        learning_rate: float = 1e-3,
        validation_fraction: float | None = 0.1,
        random_state: int | np.random.RandomState | None = 0,
        verbose: bool | int = False,
    ) -> None:
        self.bits = bits
        self.method = method
        self.hidden = hidden
        self.dropout = dropout
        self.epochs = epochs
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.validation_fraction = validation_fraction
        self.random_state = random_state
        self.verbose = verbose

    def fit(
        self,
        X: npt.ArrayLike,
        y: npt.ArrayLike | None = None,
        pairs: npt.ArrayLike | None = None,
    ) -> Self:
        """Learns from vectors and what is known of them.

        Args:
            X: Real `[n, d]`; float32 is not copied, a memory map read a batch
                at a time.
            y: Labels `[n]`, integers (negative where unlabelled) or strings; or
                a zero-or-one matrix `[n, L]`. A map does not read it.
            pairs: Int `[m, 2]`, the rows of X that belong together; or
                `[m, 3]`, with a 1 behind where they do and a 0 where they do
                not. In place of y.

        Returns:
            The encoder itself.
        """
        if self.method not in TRAINED_METHODS:
            raise ValueError(
                f"`method` must be one of {', '.join(TRAINED_METHODS)}."
                f" Received: method={self.method!r}"
            )
        given: typing.Any = X
        vectors = validate_data(
            self, given, dtype=np.float32, ensure_min_samples=2
        )
        config = self._config()
        if METHODS[self.method].is_map:
            self._fit_map(config, vectors, pairs)
        elif pairs is not None:
            self._fit_pairs(config, vectors, y, pairs)
        else:
            self._fit_labels(config, vectors, y)
        return self

    def encode(self, X: npt.ArrayLike) -> Codes:
        """Encodes real `[n, d]` as packed uint8 `[n, ceil(bits / 8)]`.

        What `hashnet_tf.retrieval` and `hashnet_tf.Index` take. Bit k stands at
        the same place as in `transform`, the first in the highest of a byte.
        """
        check_is_fitted(self, "hashnet_")
        given: typing.Any = X
        vectors = validate_data(self, given, dtype=np.float32, reset=False)
        return self.hashnet_.encode(vectors, batch_size=ROWS)

    def transform(self, X: npt.ArrayLike) -> npt.NDArray[np.uint8]:
        """Encodes real `[n, d]` as zeros and ones, uint8 `[n, bits]`.

        A feature a bit, as other estimators take features, such as
        `KNeighborsClassifier(metric="hamming")`; eight times what `encode`
        takes.
        """
        return np.unpackbits(self.encode(X), axis=1, count=self.hashnet_.bits)

    def score(self, X: npt.ArrayLike, y: npt.ArrayLike | None = None) -> float:
        """Returns MAP of the codes of X among each other.

        Each row of X asks, at most 1,000 that are drawn by `random_state`, and
        all other rows are ranked by Hamming distance; relevant are those of its
        label (`hashnet_tf.retrieval.mean_average_precision`, ties by their
        expected order). Rows without a label, or whose label no other row has,
        do not ask. What was trained on has a higher score than what was not:
        give rows that `fit` did not see, as `GridSearchCV` does.

        Args:
            X: Real `[n, d]`.
            y: As in `fit`.

        Returns:
            Float in [0, 1].

        Raises:
            ValueError: If there is no label, or no two rows share one.
        """
        codes = self.encode(X)
        labels = read_labels(y, len(codes), self.method)
        rng = check_random_state(self._seed())
        asking = rng.permutation(np.flatnonzero(~unlabelled(labels)))[:ASKING]
        if not len(asking):
            raise ValueError(
                "`y` must have a label. Received: none that is known"
            )
        found = histograms(
            codes[asking], codes, labels[asking], labels, self.hashnet_.bits
        )
        # Each has found itself, at distance 0.
        itself = np.zeros_like(found.counts)
        itself[:, 0] = 1
        others = dataclasses.replace(
            found,
            counts=found.counts - itself,
            relevant=found.relevant - itself,
        )
        precisions = others.average_precision()[others.answerable]
        if not len(precisions):
            raise ValueError(
                "`y` must have a label that two rows of `X` share."
                f" Received: {len(codes)} rows, none of whose labels another"
                " has"
            )
        return float(precisions.mean())

    def to_saved_model(
        self, directory: Path, version: int | None = None
    ) -> Path:
        """Writes the encoder as `hashnet_tf.export.to_saved_model` does."""
        from hashnet_tf.export import to_saved_model

        check_is_fitted(self, "hashnet_")
        return to_saved_model(self.hashnet_, directory, version)

    def to_litert(self, path: Path, quantize: str | None = None) -> typing.Any:
        """Writes the encoder as `hashnet_tf.export.to_litert` does."""
        from hashnet_tf.export import to_litert

        check_is_fitted(self, "hashnet_")
        return to_litert(self.hashnet_, path, quantize)

    def __sklearn_tags__(self) -> typing.Any:
        tags = super().__sklearn_tags__()
        method = METHODS.get(self.method)
        tags.target_tags.required = method is not None and not method.is_map
        tags.target_tags.multi_output = True
        tags.non_deterministic = self.random_state is None
        # Bits, whatever came.
        tags.transformer_tags.preserves_dtype = []
        return tags

    @property
    def _n_features_out(self) -> int:
        return self.hashnet_.bits

    def _seed(self) -> int:
        if isinstance(self.random_state, numbers.Integral):
            return int(self.random_state)
        return int(check_random_state(self.random_state).randint(2**31 - 1))

    def _config(self) -> "TrainingConfig":
        from hashnet_tf.runs.config import TrainingConfig

        fraction = self.validation_fraction
        if fraction is not None and not 0 <= fraction < 1:
            raise ValueError(
                "`validation_fraction` must be at least 0 and below 1, or None."
                f" Received: validation_fraction={fraction!r}"
            )
        names = ["bits", "method"]
        settings: dict[str, typing.Any] = {}
        if not METHODS[self.method].is_map:
            names += ["hidden", "dropout", "batch_size", "learning_rate"]
            names += ["epochs"] * (self.epochs is not None)
            settings = {"beta": 1.0, "head_multiplier": 1.0}
        for name in names:
            value = getattr(self, name)
            # A grid may have it of NumPy.
            of_numpy = isinstance(value, np.generic)
            settings[name] = value.item() if of_numpy else value
        # Of vectors, but none is read.
        return TrainingConfig("vectors:", seed=self._seed(), **settings)

    def _fit_map(self, config, vectors, pairs):
        from hashnet_tf.runs.map_fitting import fit_map

        if pairs is not None:
            raise ValueError(
                f"`method` {self.method} learns from no pairs; hashnet-r does."
                f" Received: pairs of shape {np.shape(pairs)}"
            )
        self.hashnet_ = fit_map(config, vectors)
        self.n_steps_, self.validation_losses_ = 0, np.zeros(0)

    def _fit_labels(self, config, vectors, y):
        from hashnet_tf._head_training import LabelledVectors
        from hashnet_tf.runs.networks import build_loss, build_training_model

        labels = read_labels(y, len(vectors), self.method)
        loss: typing.Any = build_loss(config, labels)
        if not loss.tells_apart(labels):
            raise ValueError(
                "`y` must tell at least two classes apart; negative numbers are"
                " no class. Received: one class"
            )
        self._train(
            config,
            LabelledVectors(vectors, labels),
            loss,
            lambda head: build_training_model(config, head, labels),
        )

    def _fit_pairs(self, config, vectors, y, pairs):
        from hashnet_tf._head_training import PairedVectors
        from hashnet_tf.models import PairModel
        from hashnet_tf.runs.networks import build_in_batch_loss

        if y is not None:
            raise ValueError("`pairs` must come without `y`. Received: both")
        pairs = read_pairs(pairs, len(vectors))
        loss = build_in_batch_loss(config, pairs)
        self._train(config, PairedVectors(vectors, pairs), loss, PairModel)

    def _train(self, config, items, loss, around):
        from hashnet_tf._head_training import seeded, train_head
        from hashnet_tf.runs.networks import (
            STANDARDIZED,
            build_head,
            standardize,
        )

        width = items.vectors.shape[1]
        with seeded(config.seed):
            head, kept = (build_head(config, width) for _ in range(2))
            model = around(head)
        standardize(head, items.vectors)
        layer = head.backbone.get_layer(STANDARDIZED)
        check_features(items.vectors, *layer.get_weights())
        trained = train_head(
            config,
            model,
            loss,
            items,
            None if self.epochs is None else config.epochs,
            self.validation_fraction,
            bool(self.verbose),
        )
        # That one has an optimizer, which its file would hold.
        kept.set_weights(trained.weights)
        self.hashnet_ = kept
        self.n_steps_ = trained.steps
        self.validation_losses_ = np.array(trained.losses)
