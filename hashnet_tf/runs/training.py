"""Trains a run, or goes on with one, once it is known that it can."""

import dataclasses
import os
import typing

from hashnet_tf._files import only_writer
from hashnet_tf._output import say
from hashnet_tf.datasets.sources.reading import check_place, placed
from hashnet_tf.methods import METHODS
from hashnet_tf.runs.config import TrainingConfig
from hashnet_tf.runs.run import Path, Run

# What takes Keras is imported once the settings and the place of the data are
# known to be good.
if typing.TYPE_CHECKING:
    from hashnet_tf.runs.data import RunData


def train(
    config: TrainingConfig,
    directory: Path,
    features: Path | None = None,
    data: "RunData | None" = None,
) -> Run:
    """Trains a HashNet into a run directory, or goes on with one.

    Whichever method trains it, what is saved and watched is the HashNet alone:
    a rival's loss and classifier are left behind, and J and L among the
    records are those of HashNet's loss for every method, by the likelihood
    of the settings. A method that learns a map without labels fits the hash
    layer at once, and has no records.

    A run that was killed goes on from the end of its last whole epoch, with
    the same beta; one that is done is left as it is.

    Args:
        config: `TrainingConfig`.
        directory: Str or path of the run directory.
        features: Str or path of a folder for the features of a frozen
            backbone, which several runs may share; None for the run's own.
        data: `RunData` of another run on the same data, or None to load them.

    Returns:
        `Run`.

    Raises:
        ValueError: If the folder holds a run of other settings or of data that
            have changed, or the data, the weights or the batch size are not
            as they must be. A folder that is new is not left then.
        OSError: If another process trains the run.

    Example:

    ```python
    config = hn.runs.TrainingConfig(data="digits", image_size=16)
    run = hn.runs.train(config, "runs/digits")
    run.evaluate(at=1000).map
    ```
    """
    # Whoever reads the run may stand in another folder.
    config = dataclasses.replace(
        config,
        data=placed(config.data),
        pairs=config.pairs and os.path.abspath(config.pairs),
    )
    run = Run(directory, data)
    if _is_trained(run, config):
        return run
    check_place(config.data)
    if METHODS[config.method].is_map:
        from hashnet_tf.runs.map_fitting import fit_map_run as fit
    else:
        from hashnet_tf.runs.fitting import fit_run as fit

    with only_writer(run.path):
        # Another process may have begun or trained it in between.
        if not _is_trained(run, config):
            fit(run, config, features)
    return run


def _is_trained(run: Run, config: TrainingConfig) -> bool:
    _check_settings(run, config)
    if not run.model_path.exists():
        return False
    say(f"{run.path} is trained already")
    return True


def _check_settings(run: Run, config: TrainingConfig) -> None:
    """Checks that the folder holds no run of other settings."""
    if not run.config_path.exists():
        return
    there, wanted = run.config.as_dict(), config.as_dict()
    there["data"] = placed(str(there["data"]))
    differing = [
        f"{name}={wanted[name]!r} instead of {there[name]!r}"
        for name in wanted
        if wanted[name] != there[name]
    ]
    if differing:
        raise ValueError(
            f"{run.path} holds a run with other settings; go on with"
            " those, or name another folder."
            f" Received: {', '.join(differing)}"
        )
