"""Which settings of a training do not go together."""

import typing

from hashnet_tf.methods import LIKELIHOODS, METHODS

# Backbones that have none to load or to train.
WITHOUT_WEIGHTS = ("pixels",)

if typing.TYPE_CHECKING:
    from hashnet_tf.runs.config import TrainingConfig


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
