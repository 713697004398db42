"""What a method is, and the names of the settings that some methods read.

It imports no Keras, so that the help of a command need not wait for it.
"""

import collections.abc
import dataclasses
import pkgutil
import typing

# What the labels say of a pair, for `WeightedPairwiseLoss`.
SIMILARITIES = {
    "shared": "similar where a label is shared, all pairs alike",
    "jaccard": "the same, similar pairs weighted by the overlap of the labels",
}


class LikelihoodChoice(typing.NamedTuple):
    """A likelihood of `WeightedPairwiseLoss`.

    Attributes:
        text: Str, where P(s_ij = 1) is 1/2.
        takes: Names of its arguments, which are settings too.
        learner: Str, "module:name" of the class.
    """

    text: str
    takes: tuple[str, ...]
    learner: str


LIKELIHOODS = {
    "logistic": LikelihoodChoice(
        "Eq. 3 of the paper, even odds at half of the bits",
        ("alpha",),
        "hashnet_tf.losses:LogisticLikelihood",
    ),
    "radius": LikelihoodChoice(
        "even odds at a radius, so that like items come to lie within it",
        ("radius", "power"),
        "hashnet_tf.losses:RadiusLikelihood",
    ),
}

# The settings of a training that only HashNet and its variants read.
HASHNET_SETTINGS = (
    "similarity",
    "class_weights",
    "likelihood",
    "alpha",
    "radius",
    "power",
    "schedule",
    "patience",
)

# What methods may settle. Where neither they nor the user do: these.
USUAL: dict[str, typing.Any] = {
    "similarity": "shared",
    "class_weights": "batch",
    "likelihood": "logistic",
    "beta": 10.0,
}

# The arguments of the rivals' losses that can be set.
RIVAL_SETTINGS = ("quantization", "margin", "gamma")

# Where a map is fitted at once, all that is of steps and of images that change
# says nothing.
_OF_STEPS = (
    "standardize",
    "hidden",
    "dropout",
    "optimizer",
    "learning_rate",
    "head_multiplier",
    "batch_size",
    "classes_per_batch",
    "epochs",
    "augmentation",
    "views",
    "cache_images",
)
_FITTED = {"freeze_backbone": True, "beta": 1.0}

Tried = collections.abc.Mapping[str, typing.Any]

Kind = typing.Literal[
    "hashnet", "deep", "supervised", "unsupervised", "vectors"
]


@dataclasses.dataclass(frozen=True)
class Method:
    """A way to learn codes, or to rank without them.

    Attributes:
        name: Str, by which it is chosen.
        title: Str, as tables print it.
        reference: Str, the paper.
        kind: "hashnet" for HashNet and its variants, "deep" for another loss
            that trains a network, "supervised" or "unsupervised" for an
            estimator on given features that learns with or without labels,
            "vectors" for one that has no codes of K bits or ranks by distances
            of its own.
        learner: Str, "module:name" of the `keras.losses.Loss` or of the
            estimator of `hashnet_tf.shallow`.
        network: Str, "module:name" of the `hashnet_tf.models.TrainingModel`
            that is trained in place of the HashNet, or None for the HashNet
            itself. An estimator has none.
        fixes: Mapping from a setting of `TrainingConfig` to the one value that
            it has with this method.
        layers: Tuple of str, layers that are trained beside the HashNet's, as
            fast as its hash layer.
        takes: Tuple of str, arguments of a rival's loss that are settings of
            `TrainingConfig`.
        tries: Tuple of mappings from a setting to a value: what
            `hashnet_tf.reproduction.choose` chooses from, by each learning
            rate. As many for each deep method.
        is_map: Bool, whether what it learns, without labels, is one linear map
            of the features, which becomes a hash layer: its estimator has
            `dense_weights`, and `hashnet train` takes it.

    Example:

    >>> from hashnet_tf.methods import METHODS
    >>> METHODS["csq"].title, METHODS["csq"].resolve().__name__
    ('CSQ', 'CSQLoss')
    """

    name: str
    title: str
    reference: str
    kind: Kind
    learner: str
    network: str | None = None
    fixes: collections.abc.Mapping[str, typing.Any] = dataclasses.field(
        default_factory=dict, hash=False
    )
    layers: tuple[str, ...] = ()
    takes: tuple[str, ...] = ()
    tries: tuple[Tried, ...] = dataclasses.field(default=({},), hash=False)
    is_map: bool = False

    @property
    def is_deep(self) -> bool:
        """Whether it trains a network, in place of a fit on features."""
        return self.kind in ("hashnet", "deep")

    @property
    def is_hashnet(self) -> bool:
        """Whether it is HashNet or a variant of it."""
        return self.kind == "hashnet"

    @property
    def unread(self) -> tuple[str, ...]:
        """The settings of a training that say nothing to it."""
        if self.is_map:
            return (*HASHNET_SETTINGS, *RIVAL_SETTINGS, *_OF_STEPS)
        if not self.is_hashnet:
            others = [name for name in RIVAL_SETTINGS if name not in self.takes]
            return (*HASHNET_SETTINGS, *others)
        fixed = self.fixes.get("likelihood")
        others = [
            setting
            for name, choice in LIKELIHOODS.items()
            if fixed not in (None, name)
            for setting in choice.takes
        ]
        if self.fixes.get("beta") == 1:
            others += ["schedule", "patience"]
        return (*others, *RIVAL_SETTINGS)

    @property
    def settles(self) -> collections.abc.Mapping[str, typing.Any]:
        """The settings that a training by it has, whatever else is set.

        `fixes`, and of a linear map what goes with its being fitted.
        """
        return {**self.fixes, **(_FITTED if self.is_map else {})}

    def estimator(self, bits: int, seed: int) -> typing.Any:
        """Returns the estimator of `hashnet_tf.shallow`, not fitted.

        Args:
            bits: Int; what ranks by all dimensions takes none.
            seed: Int; likewise.

        Example:

        >>> from hashnet_tf.methods import METHODS
        >>> METHODS["lsh"].estimator(bits=16, seed=1)
        LSH(bits=16, seed=1)
        """
        estimator = self.resolve()()
        settings = {"bits": bits, "seed": seed}
        taken = settings.keys() & estimator.get_params()
        return estimator.set_params(**{name: settings[name] for name in taken})

    def resolve(self) -> typing.Any:
        """Imports and returns the class of the loss or of the estimator."""
        return pkgutil.resolve_name(self.learner)
