"""The files that start TensorFlow Serving on an encoder."""

import os
import pathlib
import re

from hashnet_tf.atomic import written_beside
from hashnet_tf.export.serving.batching_parameters import BATCHING_PARAMETERS
from hashnet_tf.export.serving.bundle_readme import bundle_readme
from hashnet_tf.export.serving.compose import compose
from hashnet_tf.export.serving.models_config import models_config

# They stand in URLs, where a slash or a colon would end them, and in paths.
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")


def write_serving_bundle(directory, models, name=None, labels=None):
    """Writes what TensorFlow Serving needs to serve an encoder's versions.

    That is `models.config` (which versions, and their labels),
    `batching_parameters.txt`, `compose.yaml` (a container of the server; it
    finds the versions relative to itself, so move both together) and
    `README.md` (how to start and ask it).

    A running server reads `models.config` again: call this once more to serve
    other versions or to move a label.

    Args:
        directory: Folder to write to. Each file that is there already is
            replaced, whole or not at all; other files stay.
        models: Folder of the versions, `<models>/<version>/`, as
            `to_saved_model` writes them.
        name: Str, what clients call the model; the name of `models` if None.
            Letters, digits, `_`, `.` and `-`.
        labels: Dict from label, such as "stable" or "canary", to version. The
            versions named are served, and no other. The newest one as
            "stable" if None.

    Returns:
        `pathlib.Path` of `directory`.

    Raises:
        ValueError: If there are no versions or no labels, a label's version is
            not there, or a name or label has other characters.

    Example:

    >>> import pathlib, tempfile, hashnet_tf as hn
    >>> model = hn.HashNet(hn.models.backbone("small_cnn", (16, 16, 3)), 12)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     cats = pathlib.Path(folder, "cats")
    ...     _ = hn.export.to_saved_model(model, cats, version=1)
    ...     path = pathlib.Path(folder, "serving")
    ...     _ = hn.export.write_serving_bundle(path, cats)
    ...     sorted(file.name for file in path.iterdir())
    ['README.md', 'batching_parameters.txt', 'compose.yaml', 'models.config']
    """
    directory, models = pathlib.Path(directory), pathlib.Path(models).resolve()
    versions = _versions(models)
    if name is None:
        name = models.name
    _check_name("name", name)
    if labels is None:
        labels = {"stable": max(versions)}
    _check_labels(labels, versions)
    files = {
        "batching_parameters.txt": BATCHING_PARAMETERS,
        "compose.yaml": compose(name, _relative(models, directory)),
        "README.md": bundle_readme(name, labels),
        # Last, for a running server follows it.
        "models.config": models_config(name, labels),
    }
    for file, text in files.items():
        with written_beside(directory / file) as beside:
            beside.write_text(text, encoding="utf-8")
    return directory


def _relative(models, directory):
    path = os.path.relpath(models, directory.resolve())
    # With the dot in front, which tells a path from the name of a volume.
    return f"./{pathlib.Path(path).as_posix()}"


def _versions(models):
    found = {
        int(path.parent.name)
        for path in models.glob("*/saved_model.pb")
        # Written as the server writes it, so that no two names are one number.
        if re.fullmatch("[1-9][0-9]*", path.parent.name)
    }
    if not found:
        raise ValueError(
            "`models` must hold versions, <models>/<version>/saved_model.pb."
            f" Received: models={models}"
        )
    return found


def _check_name(argument, name):
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise ValueError(
            f"`{argument}` must be of letters, digits, '_', '.' and '-' and"
            " start with a letter or a digit."
            f" Received: {argument}={name!r}"
        )


def _check_labels(labels, versions):
    for label, version in labels.items():
        _check_name("label", label)
        if type(version) is not int or version not in versions:
            raise ValueError(
                f"`labels` must name versions that are there,"
                f" {sorted(versions)}. Received: labels={labels!r}"
            )
    if not labels:
        raise ValueError(
            "`labels` must name at least one version, for only those are"
            f" served. Received: labels={labels!r}"
        )
