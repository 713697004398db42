"""The settings that a folder of photographs is trained with by default."""

import os
import pathlib
import typing

from hashnet_tf.index.pictures import find_pictures, usual_size

# Of the frozen network's features something is learned in a minute; a hidden
# layer and much dropout do best on few images.
SETTINGS: dict[str, typing.Any] = {
    "backbone": "MobileNetV2",
    "weights": "imagenet",
    "freeze_backbone": True,
    "standardize": True,
    "hidden": 512,
    "dropout": 0.5,
    "epochs": 60,
    "beta": 1.0,
}
# Of a batch, at most; a quarter of few images.
MOST, LEAST = 128, 2


def photograph_settings(
    folder: os.PathLike[str] | str,
    train_per_class: int | None = None,
) -> dict[str, typing.Any]:
    """Returns settings that do well on photographs, of a folder of them.

    A hash layer above a hidden one, on the standardised features of a frozen
    network that was trained on ImageNet. It sees the pictures at a size that
    goes by theirs, and a batch is a quarter of what may be trained on, at most
    128.

    Args:
        folder: Str or path.
        train_per_class: As in `TrainingConfig`.

    Returns:
        Dict of fields of `hashnet_tf.runs.TrainingConfig`.

    Raises:
        FileNotFoundError: If there is no such folder.

    Example:

    ```python
    settings = hn.runs.photograph_settings("photos")
    config = hn.runs.TrainingConfig("folder:photos", **settings)
    run = hn.runs.train(config, "runs/photos")
    ```
    """
    parts = [pathlib.Path(folder, name) for name in ("train", "test")]
    # Of a folder with both parts the first alone is trained on.
    place = parts[0] if all(part.is_dir() for part in parts) else folder
    found = find_pictures([place])
    count = len(found.paths)
    if train_per_class is not None:
        count = min(count, train_per_class * len(set(found.labels)))
    return {
        **SETTINGS,
        "image_size": usual_size(found.paths),
        "batch_size": max(LEAST, min(MOST, count // 4)),
    }
