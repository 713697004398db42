"""All settings of a training, in one place."""

import collections.abc
import dataclasses
import types
import typing

from hashnet_tf._framings import AUGMENTATIONS, CACHES, FRAMINGS
from hashnet_tf.methods import (
    LIKELIHOODS,
    MAP_METHODS,
    METHODS,
    SIMILARITIES,
    TRAINED_METHODS,
    USUAL,
)
from hashnet_tf.runs._setting import (
    Setting,
    sentences,
    setting,
    takers,
    unmet,
    unsettled,
    variants,
)
from hashnet_tf.runs._together import (
    VECTORS,
    check_together,
    settled_by_data,
)

# By "module:name", for the help of a command should not wait for Keras.
SCHEDULES = {
    "square_root": "hashnet_tf.schedules:SquareRootBeta",
    "staged": "hashnet_tf.schedules:StagedBeta",
}
OPTIMIZERS = {
    "adam": "hashnet_tf.optimizers:default_optimizer",
    "paper": "hashnet_tf.optimizers:paper_optimizer",
}
# Words of `data` whose training images are drawn; of the others `held_out` says
# nothing.
DRAWN, HELD_OUT = ("folder", "npz", "tfds", "vectors"), 0.2
# Where |S1| and |S0| of Eq. 2 are counted.
CLASS_WEIGHTS = {
    "batch": "in each batch",
    "dataset": "among all training images",
    "none": "nowhere: all pairs weigh alike",
}


@dataclasses.dataclass(frozen=True)
class TrainingConfig:
    """What a training is made of; each field is a flag of `hashnet train`.

    The defaults are for small images from scratch. For photographs take a
    network of `keras.applications` with its weights, and its image size.

    What `method` settles (`hashnet_tf.methods`) can be left out, or given as it
    has it.

    Raises:
        ValueError: If a value is of another type or out of range, or two do
            not go together.

    Example:

    >>> from hashnet_tf.runs.config import TrainingConfig
    >>> TrainingConfig(data="digits", bits=16).bits
    16
    """

    data: str = setting(
        None,
        "digits, folder:DIR, lists:DIR, npz:FILE, pairs:FILE, tfds:NAME,"
        " vectors:FILE or a protocol, alone or with :DIR (hashnet datasets"
        " list)",
    )
    seed: int = setting(0, "of the split, the weights and the order", least=0)
    query_per_class: int | None = setting(
        None,
        "queries to draw of each class; none: as the source has it",
        least=1,
    )
    train_per_class: int | None = setting(
        None,
        "training images to draw of each class; none: all but held_out",
        least=1,
    )
    held_out: float | None = setting(
        None,
        "share of each class that is found, but not trained on, of what is"
        " drawn without train_per_class; none: a fifth there",
        least=0,
        below=1,
    )
    validation: int | None = setting(
        None,
        "training images to ask with in place of the queries, and not to train"
        " on, for the choice of other settings",
        least=1,
    )
    unseen_classes: int | None = setting(
        None,
        "classes to ask and to find alone, drawn by the seed; the others alone"
        " are trained on",
        least=1,
    )
    imbalance: float | None = setting(
        None,
        "|S0|/|S1| that the training images shall have: labels are withheld or"
        " images left out; none: as they are",
        above=0,
    )
    pairs: str | None = setting(
        None,
        "file of two names of items a row that belong together (.csv, .tsv,"
        " Parquet), and perhaps 1 or 0: trained by in place of labels; none:"
        " labels, or what pairs:FILE gives",
    )
    backbone: str = setting(
        "small_cnn",
        "network by its name: small_cnn for small images, MobileNetV2 or"
        " another of keras.applications for photographs",
    )
    weights: str | None = setting(
        None,
        "file of the backbone's weights, or the name of weights to download"
        " (imagenet); none: random. With weights, batch normalisation stays"
        " as it was trained",
    )
    image_size: int = setting(
        32, "pixels a side that images are resized to", least=1
    )
    framing: str = setting(
        "whole",
        f"part of an image that is seen. {sentences(FRAMINGS)}. The last two"
        " mirror in training too",
        FRAMINGS,
    )
    freeze_backbone: bool = setting(
        False, "train only what comes after the backbone, on features"
    )
    standardize: bool | None = setting(
        None,
        "frozen backbone: give each feature mean 0 and variance 1, by those of"
        " the training images; none: for vectors, by a network",
    )
    hidden: int = setting(
        0,
        "units of a ReLU layer between features and hash layer; 0: none",
        least=0,
    )
    dropout: float = setting(
        0.0, "share of the features dropped in training", least=0, below=1
    )
    bits: int = setting(48, "length K of the codes", least=1)
    method: str = setting(
        "hashnet-r",
        f"what trains: HashNet, a variant of it, {variants()}, or a rival's"
        " loss, without HashNet's own flags, which follow; without labels"
        f" {', '.join(MAP_METHODS)} fit the hash layer to features",
        TRAINED_METHODS,
    )
    similarity: str = setting(
        None,
        f"which pairs are similar. {sentences(SIMILARITIES)}"
        f"; {unsettled('similarity')}",
        SIMILARITIES,
    )
    class_weights: str = setting(
        None,
        f"where |S1| and |S0| are counted. {sentences(CLASS_WEIGHTS)}"
        f"; {unsettled('class_weights')}",
        CLASS_WEIGHTS,
    )
    likelihood: str = setting(
        None,
        "how the odds of being similar fall with the distance of two codes."
        f" {sentences({k: v.text for k, v in LIKELIHOODS.items()})}"
        f"; {unsettled('likelihood')}",
        LIKELIHOODS,
    )
    alpha: float | None = setting(
        None, "logistic: slope of the sigmoid; none: 5 / bits", above=0
    )
    radius: float | None = setting(
        None, "radius: in bits, at most half of them counts; none: 8", above=0
    )
    power: float | None = setting(
        None, "radius: how steeply the odds fall there; none: 3", above=0
    )
    quantization: float | None = setting(
        None,
        f"{takers('quantization')}: weight of the distance to -1 and 1; none:"
        " the loss' own",
        least=0,
    )
    margin: float | None = setting(
        None,
        f"{takers('margin')}: that of the loss; none: its own",
        above=0,
    )
    gamma: float | None = setting(
        None,
        f"{takers('gamma')}: bits at even odds; none: the loss' own",
        above=0,
    )
    schedule: str = setting(
        "square_root",
        "how beta rises: smoothly, or in stages as in Algorithm 1",
        SCHEDULES,
    )
    beta: float = setting(
        None,
        "where beta ends; 1 keeps it at 1, which is HashNet-sgn"
        f"; {unsettled('beta')}",
        least=1,
    )
    patience: int | None = setting(
        None,
        "staged: epochs without a fall of the loss that end a stage; none:"
        " ten stages of equal length",
        least=1,
    )
    optimizer: str = setting(
        "adam",
        "adam with cosine decay, or the paper's SGD, halved in steps",
        OPTIMIZERS,
    )
    learning_rate: float = setting(
        1e-4, "first learning rate of the backbone", above=0
    )
    head_multiplier: float = setting(
        10.0, "multiple of it for the layers after the backbone", above=0
    )
    batch_size: int = setting(128, "images, or pairs of them, a step", least=2)
    classes_per_batch: int | None = setting(
        None,
        "classes that a batch is drawn of, equally many images of each, so"
        " that rare ones meet a partner; none: a plain shuffle",
        least=2,
    )
    epochs: int = setting(30, "passes over the training images", least=1)
    augmentation: str = setting(
        "none",
        f"random changes to training images, with framing=whole."
        f" {sentences(AUGMENTATIONS)}",
        AUGMENTATIONS,
    )
    views: int = setting(
        1,
        "frozen backbone: copies of each training image, all but the first"
        " with random changes",
        least=1,
    )
    cache_images: str = setting(
        "auto",
        f"keep the decoded training images in memory. {sentences(CACHES)}",
        CACHES,
    )
    skip_undecodable: bool = setting(
        False, "leave out files that are no images, and list them"
    )

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            kind, optional = setting_type(field.name)
            if value is None and (optional or field.name in USUAL):
                continue
            if wanted := unmet(field.metadata, kind, value):
                raise ValueError(
                    f"`{field.name}` must be {wanted}."
                    f" Received: {field.name}={value!r}"
                )
        for name, value in settled_by_data(self).items():
            # The way that dataclasses set fields of a frozen instance.
            object.__setattr__(self, name, value)
        self._settle_by_method()
        self._settle_held_out()
        check_together(self)

    @property
    def is_rival(self) -> bool:
        """Whether the method is neither HashNet nor a variant of it."""
        return not METHODS[self.method].is_hashnet

    @property
    def is_by_pairs(self) -> bool:
        """Whether pairs are trained by in place of labels."""
        return self.pairs is not None or self.data.startswith("pairs:")

    @property
    def is_of_vectors(self) -> bool:
        """Whether the data are vectors, which no backbone makes of images."""
        return self.data.partition(":")[0] == VECTORS

    def _settle_held_out(self) -> None:
        kind = self.data.partition(":")[0]
        is_drawn = self.train_per_class is None and kind in DRAWN
        if self.held_out is None:
            usual = HELD_OUT if is_drawn else 0.0
            object.__setattr__(self, "held_out", usual)
        elif self.held_out and not is_drawn:
            raise ValueError(
                "`held_out` is for training images that are drawn, of"
                f" {', '.join(DRAWN)}, without `train_per_class`."
                f" Received: held_out={self.held_out}, data={self.data!r},"
                f" train_per_class={self.train_per_class}"
            )

    def _settle_by_method(self) -> None:
        method = METHODS[self.method]
        defaults = {f.name: f.default for f in dataclasses.fields(self)}
        # The data have settled it, and to this where the method reads none.
        defaults["standardize"] = False
        settled = {name: (defaults | USUAL)[name] for name in method.unread}
        settled.update(method.settles)
        given = {
            name: getattr(self, name)
            for name, value in settled.items()
            if getattr(self, name) not in (value, defaults[name])
        }
        if given:
            has = [f"{name}={settled[name]!r}" for name in given]
            received = [f"{name}={value!r}" for name, value in given.items()]
            raise ValueError(
                f"`method` {self.method} leaves no choice of"
                f" {', '.join(given)}: it has {', '.join(has)}."
                f" Received: method={self.method!r}, {', '.join(received)}"
            )
        for name, value in (USUAL | settled).items():
            if name in settled or getattr(self, name) is None:
                object.__setattr__(self, name, value)

    def as_dict(self) -> dict[str, Setting]:
        """Returns the settings as plain values, ready for JSON."""
        return dataclasses.asdict(self)

    def data_source(self) -> dict[str, typing.Any]:
        """Returns the arguments of `hashnet_tf.datasets.load` as a dict."""
        names = "data seed query_per_class train_per_class validation"
        names += " unseen_classes imbalance held_out"
        names += " pairs" * (self.pairs is not None)
        return {name: getattr(self, name) for name in names.split()}

    @classmethod
    def from_dict(
        cls, settings: collections.abc.Mapping[str, typing.Any]
    ) -> "TrainingConfig":
        """Returns the config of a dict as `as_dict` gives it.

        Args:
            settings: Dict; what it lacks is as by default. Of earlier
                versions `cache_images` may be a bool.

        Raises:
            ValueError: If it is no dict or holds an unknown name, or as the
                constructor.

        Example:

        >>> from hashnet_tf.runs.config import TrainingConfig
        >>> config = TrainingConfig(data="digits")
        >>> TrainingConfig.from_dict(config.as_dict()) == config
        True
        """
        if not isinstance(settings, dict):
            raise ValueError(
                f"The settings of a run must be a dict. Received: {settings!r}"
            )
        known = {field.name for field in dataclasses.fields(cls)}
        if unknown := sorted(set(settings) - known):
            raise ValueError(
                "The settings of a run must be those of TrainingConfig."
                f" Received: {', '.join(unknown)}"
            )
        if isinstance(settings.get("cache_images"), bool):
            cache = "always" if settings["cache_images"] else "never"
            settings = {**settings, "cache_images": cache}
        return cls(**settings)


def setting_type(name: str) -> tuple[type, bool]:
    """Returns the type of a setting, and whether it may be None.

    Example:

    >>> from hashnet_tf.runs.config import setting_type
    >>> setting_type("alpha")
    (<class 'float'>, True)
    """
    kind = typing.get_type_hints(TrainingConfig)[name]
    if isinstance(kind, types.UnionType):
        kind, _ = typing.get_args(kind)
        return kind, True
    return kind, False
