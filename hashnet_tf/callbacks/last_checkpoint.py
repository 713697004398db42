"""The state a killed training goes on from."""

import contextlib
import os
import pathlib
import typing

import keras

from hashnet_tf._files import read_back, sealed
from hashnet_tf.callbacks._hashnet_callback import steps_done


class LastCheckpoint(keras.callbacks.Callback):
    """Keeps the weights and the optimizer's state of the last whole epoch.

    One file, written beside and renamed, so that a kill at any moment leaves
    the state of an epoch's end; which epoch follows from
    `optimizer.iterations`. `keras.callbacks.BackupAndRestore` keeps the epoch
    in a second file, and a kill between the two replays an epoch.

    Args:
        path: Path ending in `.weights.h5`.

    Raises:
        ValueError: If `path` ends otherwise.

    Example:

    >>> import hashnet_tf as hn
    >>> checkpoint = hn.callbacks.LastCheckpoint("run/last.weights.h5")
    """

    # Keras knows it as None, which it is before training.
    model: typing.Any

    def __init__(self, path: str | os.PathLike[str]) -> None:
        super().__init__()
        self.path = pathlib.Path(path)
        if not self.path.name.endswith(".weights.h5"):
            raise ValueError(
                f"`path` must end in .weights.h5. Received: path={path}"
            )

    def restore(self, model: keras.Model) -> int:
        """Loads the file into a compiled `model`.

        Returns:
            Int, the optimizer steps that are done; 0 where there is no file.

        Raises:
            ValueError: If the file is damaged, or of another model.
        """
        if not self.path.exists():
            return 0
        # TensorFlow's, which makes variables in its own scope alone.
        strategy = getattr(model, "distribute_strategy", None)
        scope = strategy.scope() if strategy else contextlib.nullcontext()
        with scope, read_back(self.path, "delete it to begin anew"):
            # Without its variables an optimizer loads nothing, with a warning.
            model.optimizer.build(model.trainable_variables)
            model.load_weights(self.path)
        return steps_done(model)

    def on_epoch_end(self, epoch: int, logs: typing.Any = None) -> None:
        with sealed(self.path) as beside:
            self.model.save_weights(beside)
