"""What the callbacks share that look into a HashNet."""

import typing

import keras

from hashnet_tf._types import ops
from hashnet_tf.layers.scaled_tanh import ScaledTanh


def steps_done(model: typing.Any) -> int:
    """Returns the optimizer's steps that are done, by whatever device.

    Args:
        model: `keras.Model`, compiled.

    Example:

    >>> import keras
    >>> from hashnet_tf.callbacks._hashnet_callback import steps_done
    >>> model = keras.Sequential([keras.layers.Dense(1)])
    >>> model.compile("sgd", "mse")
    >>> steps_done(model)
    0
    """
    return int(ops.convert_to_numpy(model.optimizer.iterations))


class HashNetCallback(keras.callbacks.Callback):
    """A callback that knows the step and beta, and when to be silent.

    Args:
        verbose: 0 for no line, 1 for the lines of the callback, or None for
            what `fit` was told.

    Raises:
        ValueError: If `verbose` is another.
    """

    # Keras knows it as None, which it is before training.
    model: typing.Any

    def __init__(self, verbose: int | None = None) -> None:
        super().__init__()
        if verbose not in (None, 0, 1, 2):
            raise ValueError(
                "`verbose` must be 0, 1, 2, or None for that of `fit`."
                f" Received: verbose={verbose!r}"
            )
        self.verbose = verbose

    def say(self, line: str) -> None:
        """Prints a line, unless the callback is to be silent."""
        told = self.verbose
        if told is None:
            # What `fit` was told; outside of it nothing was.
            told = (self.params or {}).get("verbose")
        if told != 0:
            print(line, flush=True)

    def step(self) -> int:
        """Returns the optimizer's steps that are done."""
        return steps_done(self.model)

    def scaled_tanhs(self) -> list[ScaledTanh]:
        """Returns the layers that hold beta, however deep they are."""
        # Through `self.model` each time: under JAX that is what brings the
        # state of the compiled step back into the variables, and assigning to
        # a layer held from before would be ignored.
        return [
            layer
            for layer in self.model._flatten_layers()
            if isinstance(layer, ScaledTanh)
        ]

    def beta(self) -> float:
        """Returns the model's beta, NaN where it has none."""
        for layer in self.scaled_tanhs():
            return float(ops.convert_to_numpy(layer.beta))
        return float("nan")
