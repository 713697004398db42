"""Which settings of a training do not go together."""

import dataclasses
import typing

from hashnet_tf.methods import LIKELIHOODS, METHODS

VECTORS = "vectors"
# Backbones that have none to load or to train.
WITHOUT_WEIGHTS = ("pixels", VECTORS)
# What says nothing of vectors.
OF_IMAGES = (
    "backbone",
    "weights",
    "image_size",
    "framing",
    "augmentation",
    "views",
    "cache_images",
    "skip_undecodable",
)
# What says nothing of pairs, and what it is then.
OF_LABELS = {
    "similarity": "shared",
    "classes_per_batch": None,
    "validation": None,
    "unseen_classes": None,
    "imbalance": None,
}

if typing.TYPE_CHECKING:
    from hashnet_tf.runs.config import TrainingConfig


def settled_by_data(config: "TrainingConfig") -> dict[str, typing.Any]:
    """Returns the settings that the kind of the data decides.

    Vectors are the features of a frozen backbone, which is not there. A network
    has them standardised, for an offset or a large column would drown the rest;
    a map learned without labels keeps their angles.

    Args:
        config: `TrainingConfig`.

    Returns:
        Dict from name to value.

    Raises:
        ValueError: If a setting of images is given for vectors, or the backbone
            of vectors for images.
    """
    of_vectors = config.data.partition(":")[0] == VECTORS
    settled: dict[str, typing.Any] = {}
    if config.standardize is None:
        is_map = METHODS[config.method].is_map
        settled["standardize"] = of_vectors and not is_map
    if not of_vectors:
        if config.backbone == VECTORS:
            raise ValueError(
                f"`backbone` {VECTORS} is for data=vectors:FILE."
                f" Received: data={config.data!r}"
            )
        return settled
    defaults = {f.name: f.default for f in dataclasses.fields(config)}
    given = [
        f"{name}={getattr(config, name)!r}"
        for name in OF_IMAGES
        if getattr(config, name) not in (defaults[name], VECTORS)
    ]
    if given:
        raise ValueError(
            f"{', '.join(OF_IMAGES)} are for images."
            f" Received: data={config.data!r}, {', '.join(given)}"
        )
    return {**settled, "backbone": VECTORS, "freeze_backbone": True}


def check_together(config: "TrainingConfig") -> None:
    """Checks settings against each other, of which each is allowed alone.

    Args:
        config: `TrainingConfig`, settled by its method.

    Raises:
        ValueError: If two do not go together.
    """
    for name, choice in LIKELIHOODS.items():
        given = [n for n in choice.takes if getattr(config, n) is not None]
        if name != config.likelihood and given:
            raise ValueError(
                f"`{given[0]}` is for likelihood={name}. Received:"
                f" likelihood={config.likelihood!r},"
                f" {given[0]}={getattr(config, given[0])}"
            )
    if config.patience is not None and config.schedule != "staged":
        raise ValueError(
            "`patience` is for schedule=staged."
            f" Received: schedule={config.schedule!r}"
        )
    if config.patience is not None and config.beta == 1:
        raise ValueError(
            "`patience` is for a beta that rises, so above 1."
            f" Received: beta={config.beta}, patience={config.patience}"
        )
    if config.framing != "whole" and config.augmentation != "none":
        raise ValueError(
            "`augmentation` is for framing=whole; the others crop and"
            f" mirror. Received: framing={config.framing!r},"
            f" augmentation={config.augmentation!r}"
        )
    if config.is_by_pairs:
        _check_by_pairs(config)
    per_class, rest = divmod(config.batch_size, config.classes_per_batch or 1)
    if rest or per_class < 2:
        raise ValueError(
            "`batch_size` must be a multiple of `classes_per_batch`, at"
            " least twice it. Received:"
            f" batch_size={config.batch_size},"
            f" classes_per_batch={config.classes_per_batch}"
        )
    at_random = config.weights is None
    if config.backbone in WITHOUT_WEIGHTS or METHODS[config.method].is_map:
        at_random = False
    if config.freeze_backbone and at_random:
        raise ValueError(
            "A frozen backbone needs `weights`; random ones would never"
            f" be trained. Received: weights={config.weights!r}"
        )
    if config.freeze_backbone:
        augmented = config.augmentation != "none"
        changing = augmented or config.framing != "whole"
        if config.views > 1 and not changing or config.views == 1 and augmented:
            raise ValueError(
                "With a frozen backbone an augmentation needs `views` above"
                " 1, and these an augmentation or a framing that changes."
                f" Received: augmentation={config.augmentation!r},"
                f" framing={config.framing!r}, views={config.views}"
            )
    for name, usual in {"standardize": False, "views": 1}.items():
        value = getattr(config, name)
        if value != usual and not config.freeze_backbone:
            raise ValueError(
                f"`{name}` is for a frozen backbone."
                f" Received: freeze_backbone=False, {name}={value}"
            )


def _check_by_pairs(config: "TrainingConfig") -> None:
    # A map learns from neither.
    method = METHODS[config.method]
    if not method.is_hashnet and not method.is_map:
        raise ValueError(
            "`method` must be hashnet-r or another HashNet to learn from"
            f" pairs. Received: method={config.method!r}"
        )
    of_labels = {
        name: getattr(config, name)
        for name, usual in OF_LABELS.items()
        if getattr(config, name) != usual
    }
    if config.class_weights == "dataset":
        of_labels["class_weights"] = config.class_weights
    if of_labels:
        name, value = of_labels.popitem()
        raise ValueError(
            f"`{name}` is of labels, and pairs are trained by."
            f" Received: {name}={value!r}"
        )
