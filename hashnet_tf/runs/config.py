"""All settings of a training, in one place."""

import dataclasses
import math
import types
import typing

from hashnet_tf._framings import FRAMINGS

# Written down here, for the module that has them loads TensorFlow, which the
# help of a command should not wait for.
AUGMENTATIONS = ("none", "shift", "shift_flip")
CACHES = ("auto", "always", "never")
SCHEDULES = ("square_root", "staged")
OPTIMIZERS = ("adam", "paper")
CLASS_WEIGHTS = ("batch", "dataset", "none")
SIMILARITIES = ("shared", "jaccard")
METHODS = (
    "hashnet",
    "hashnet+c",
    "hashnet-w",
    "hashnet-sgn",
    "dhn",
    "dnnh",
    "cnnh",
    "dpsh",
    "greedyhash",
    "csq",
    "orthohash",
)

# What each variant of HashNet settles; all else are flags to it too.
VARIANTS = {
    "hashnet": {},
    "hashnet+c": {"similarity": "jaccard"},
    "hashnet-w": {"class_weights": "none"},
    "hashnet-sgn": {"beta": 1.0},
}

# What says nothing to a rival, so stays at its default.
HASHNETS_OWN = ("similarity", "class_weights", "alpha", "schedule", "patience")


def setting(default, text, choices=None, least=None, above=None):
    """Returns a field of a dataclass of settings.

    Args:
        default: The value where none is given.
        text: Str, the help of the flag.
        choices: Tuple of the values that it may have, or None for all.
        least: Number, the smallest value, or None for no bound.
        above: Number that the value must exceed, or None for no bound.

    Example:

    >>> import dataclasses
    >>> from hashnet_tf.runs.config import setting
    >>> @dataclasses.dataclass
    ... class Settings:
    ...     bits: int = setting(48, "length of the codes", least=1)
    >>> Settings()
    Settings(bits=48)
    """
    return dataclasses.field(
        default=default,
        metadata={
            "help": text,
            "choices": choices,
            "least": least,
            "above": above,
        },
    )


def check_setting(field, kind, value):
    """Checks a value of a field as `setting` makes it.

    Args:
        field: `dataclasses.Field`.
        kind: Type that the value must be of; a float may be an int.
        value: What was given for it.

    Raises:
        ValueError: If it is of another type, not finite, out of bounds, or
            not among the choices.

    Example:

    >>> import dataclasses
    >>> from hashnet_tf.runs.config import check_setting
    >>> from hashnet_tf.runs.config import TrainingConfig
    >>> fields = {f.name: f for f in dataclasses.fields(TrainingConfig)}
    >>> check_setting(fields["bits"], int, 16)
    >>> check_setting(fields["bits"], int, 0)
    Traceback (most recent call last):
        ...
    ValueError: `bits` must be at least 1. Received: bits=0
    """
    if wanted := _unmet(field.metadata, kind, value):
        raise ValueError(
            f"`{field.name}` must be {wanted}. Received: {field.name}={value!r}"
        )


def _unmet(metadata, kind, value):
    """Returns what the value must be and is not, or None."""
    taken = (int, float) if kind is float else kind
    # To Python, True is an int.
    is_bool = isinstance(value, bool)
    if not isinstance(value, taken) or is_bool and kind is not bool:
        return f"of type {kind.__name__}"
    if kind is float and not math.isfinite(value):
        return "finite"
    least, above = metadata["least"], metadata["above"]
    if least is not None and value < least:
        return f"at least {least}"
    if above is not None and value <= above:
        return f"above {above}"
    choices = metadata["choices"]
    if choices and value not in choices:
        return f"one of {', '.join(choices)}"
    return None


@dataclasses.dataclass(frozen=True)
class TrainingConfig:
    """What a training is made of; each field is a flag of `hashnet train`.

    The defaults are for small images from scratch. For photographs take a
    network of `keras.applications` with its weights, and its image size.

    What `method` settles is put in place of the default: "hashnet+c" has
    similarity="jaccard", "hashnet-w" class_weights="none", and "hashnet-sgn"
    and the rivals beta=1.

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
        "digits, folder:DIR, lists:DIR, npz:FILE, tfds:NAME or a protocol,"
        " alone or with :DIR (hashnet datasets list)",
    )
    seed: int = setting(0, "of the split, the weights and the order", least=0)
    query_per_class: int | None = setting(
        None,
        "queries to draw of each class; none: as the source has it",
        least=1,
    )
    train_per_class: int | None = setting(
        None,
        "training images to draw of each class; none: all",
        least=1,
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
    backbone: str = setting(
        "small_cnn",
        "small_cnn, alexnet, or a network of keras.applications by its name",
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
        "part of an image that is seen: all, warped; as the paper, warped to"
        " 8/7 and cropped; or modern, the short side at 8/7 and cropped, in"
        " training random parts. The last two mirror in training too",
        FRAMINGS,
    )
    freeze_backbone: bool = setting(
        False, "train only what comes after the backbone, on features"
    )
    hidden: int = setting(
        0,
        "units of a ReLU layer between features and hash layer; 0: none",
        least=0,
    )
    dropout: float = setting(
        0.0,
        "share of the features dropped in training, 0 to below 1",
        least=0,
    )
    bits: int = setting(48, "length K of the codes", least=1)
    method: str = setting(
        "hashnet",
        "what trains: HashNet; its variants +c (similarity=jaccard), -w"
        " (class_weights=none) and -sgn (beta=1); or a rival's loss, without"
        " HashNet's own flags, which follow",
        METHODS,
    )
    similarity: str = setting(
        "shared", "jaccard weights pairs by their overlap", SIMILARITIES
    )
    class_weights: str = setting(
        "batch",
        "where |S1| and |S0| are counted; none is HashNet-W",
        CLASS_WEIGHTS,
    )
    alpha: float | None = setting(
        None, "slope of the sigmoid of Eq. 3; none: 5 / bits", above=0
    )
    schedule: str = setting(
        "square_root",
        "how beta rises: smoothly, or in stages as in Algorithm 1",
        SCHEDULES,
    )
    beta: float = setting(
        10.0,
        "where beta ends; 1 keeps it at 1, which is HashNet-sgn",
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
    batch_size: int = setting(128, "images a step", least=2)
    classes_per_batch: int | None = setting(
        None,
        "classes that a batch is drawn of, equally many images of each, so"
        " that rare ones meet a partner; none: a plain shuffle",
        least=2,
    )
    epochs: int = setting(30, "passes over the training images", least=1)
    augmentation: str = setting(
        "none",
        "random changes to training images, with framing=whole",
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
        "keep the decoded training images in memory; auto: if they fit into"
        " half of what is available",
        CACHES,
    )
    skip_undecodable: bool = setting(
        False, "leave out files that are no images, and list them"
    )

    def __post_init__(self):
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            kind, optional = setting_type(field.name)
            if not (optional and value is None):
                check_setting(field, kind, value)
        if not self.dropout < 1:
            raise ValueError(
                "`dropout` must leave some features, so be below 1."
                f" Received: dropout={self.dropout}"
            )
        self._settle_by_method()
        self._check_together()

    @property
    def is_rival(self):
        """Whether the method is neither HashNet nor a variant of it."""
        return self.method not in VARIANTS

    def _settle_by_method(self):
        defaults = {f.name: f.default for f in dataclasses.fields(self)}
        if self.is_rival:
            settled = {name: defaults[name] for name in HASHNETS_OWN}
            settled["beta"] = 1.0
        else:
            settled = VARIANTS[self.method]
        given = [
            name
            for name, value in settled.items()
            if getattr(self, name) not in (value, defaults[name])
        ]
        if given:
            received = [f"{name}={getattr(self, name)!r}" for name in given]
            raise ValueError(
                f"`method` {self.method} leaves no choice of"
                f" {', '.join(given)}."
                f" Received: method={self.method!r}, {', '.join(received)}"
            )
        for name, value in settled.items():
            # The way that dataclasses set fields of a frozen instance.
            object.__setattr__(self, name, value)

    def _check_together(self):
        if self.patience is not None and self.schedule != "staged":
            raise ValueError(
                "`patience` is for schedule=staged."
                f" Received: schedule={self.schedule!r}"
            )
        if self.patience is not None and self.beta == 1:
            raise ValueError(
                "`patience` is for a beta that rises, so above 1."
                f" Received: beta={self.beta}, patience={self.patience}"
            )
        if self.framing != "whole" and self.augmentation != "none":
            raise ValueError(
                "`augmentation` is for framing=whole; the others crop and"
                f" mirror. Received: framing={self.framing!r},"
                f" augmentation={self.augmentation!r}"
            )
        per_class, rest = divmod(self.batch_size, self.classes_per_batch or 1)
        if rest or per_class < 2:
            raise ValueError(
                "`batch_size` must be a multiple of `classes_per_batch`, at"
                " least twice it. Received:"
                f" batch_size={self.batch_size},"
                f" classes_per_batch={self.classes_per_batch}"
            )
        if self.freeze_backbone and self.weights is None:
            raise ValueError(
                "A frozen backbone needs `weights`; random ones would never"
                f" be trained. Received: weights={self.weights!r}"
            )
        if self.freeze_backbone:
            augmented = self.augmentation != "none"
            changing = augmented or self.framing != "whole"
            if self.views > 1 and not changing or self.views == 1 and augmented:
                raise ValueError(
                    "With a frozen backbone an augmentation needs `views` above"
                    " 1, and these an augmentation or a framing that changes."
                    f" Received: augmentation={self.augmentation!r},"
                    f" framing={self.framing!r}, views={self.views}"
                )
        elif self.views > 1:
            raise ValueError(
                "`views` are for a frozen backbone."
                f" Received: freeze_backbone=False, views={self.views}"
            )

    def as_dict(self):
        """Returns the settings as plain values, ready for JSON."""
        return dataclasses.asdict(self)

    def data_source(self):
        """Returns the arguments of `hashnet_tf.datasets.load` as a dict."""
        names = (
            "data",
            "seed",
            "query_per_class",
            "train_per_class",
            "validation",
            "unseen_classes",
            "imbalance",
        )
        return {name: getattr(self, name) for name in names}

    @classmethod
    def from_dict(cls, settings):
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


def setting_type(name):
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
