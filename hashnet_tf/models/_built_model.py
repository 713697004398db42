"""What Keras asks of a model that knows its inputs from the first."""

import inspect
import typing
import warnings

import keras

from hashnet_tf._types import Tensor, ops
from hashnet_tf.losses._row_loss import ALL_SIMILAR, RowLoss
from hashnet_tf.models._state import NetworkState
from hashnet_tf.optimizers import LayerwiseModel

# Of a stream, so many are looked at.
BATCHES = 8


class BuiltModel(LayerwiseModel):
    """Keras model whose constructor builds it on the inputs of a network.

    Abstract. Keras learns the inputs of a subclass of `keras.Model` from its
    first call; what is here has a backbone that tells them before. So
    `export`, `tf.saved_model.save` and `TFLiteConverter.from_keras_model`
    take it as it is: freshly made, fitted or loaded.
    """

    def build_on(self, inputs: Tensor) -> None:
        """Marks the model as built; the constructor's last word.

        Args:
            inputs: `keras.KerasTensor` of what it takes, or a list of them.
        """
        self.built = True
        # Not as an attribute: TensorFlow would track it.
        self.__dict__["_inputs_given"] = inputs
        # As Keras' own `build` and call would, of which the one also locks the
        # layers: a subclass could add none, and none could be exchanged.
        self._build_shapes_dict = {"input_shape": self.input_shape}
        self._called = True

    def fit(
        self,
        x: typing.Any = None,
        y: typing.Any = None,
        *args: typing.Any,
        **kwargs: typing.Any,
    ) -> typing.Any:
        """Fits as `keras.Model.fit`, whose arguments it takes.

        Labels are looked at, for a compiled step can raise no error: `y` that
        comes as one array before, the first batches of a `tf.data.Dataset`
        afterwards, for which it is begun once more. It warns where no two of
        them are dissimilar.
        """
        loss = getattr(self, "loss", None)
        looked_at = isinstance(loss, RowLoss)
        if looked_at and hasattr(y, "shape"):
            if not loss.tells_apart(ops.convert_to_numpy(y)):
                warnings.warn(
                    f"`y` holds no dissimilar pair. {ALL_SIMILAR}", stacklevel=2
                )
        history = super().fit(x, y, *args, **kwargs)
        # Not before: of a stream that comes once the batches would be lost.
        if looked_at and hasattr(x, "element_spec") and hasattr(x, "take"):
            _look_at_batches(x, loss)
        return history

    def build(self, input_shape: typing.Any = None) -> None:
        self.built = True

    def __setattr__(self, name: str, value: typing.Any) -> None:
        there = getattr(self, name, None)
        super().__setattr__(name, value)
        if isinstance(there, keras.layers.Layer) and there is not value:
            # Keras goes on counting the weights of a layer that was exchanged,
            # and those of the new one last.
            place = [id(layer) for layer in self._layers].index(id(there))
            self._tracker.untrack(there)
            self._layers.insert(place, self._layers.pop())

    def make_predict_function(self, force: bool = False) -> typing.Any:
        """Makes what `predict` runs, anew if the network has changed."""
        # Keras keeps the function that it traced until the next `compile`, so
        # that after LoRA, quantisation or another layer `predict` would give
        # what a network gave that is no longer there.
        network = NetworkState(self)
        if not network.same_as(self.__dict__.get("_predicted")):
            force = True
            self.__dict__["_predicted"] = network
        return super().make_predict_function(force)

    def save(
        self, filepath: typing.Any, *args: typing.Any, **kwargs: typing.Any
    ) -> None:
        """Saves as `keras.Model.save`, whose arguments it takes.

        Raises:
            ValueError: If the file is of another format than .keras, or the
                configuration of a subclass would lose what was given to its
                constructor, or a quantised layer has LoRA.
        """
        if str(filepath).endswith((".h5", ".hdf5")):
            raise ValueError(
                "`filepath` must end in .keras: Keras' older format holds no"
                " models of one's own. For the weights alone there is"
                f" `save_weights`. Received: filepath={filepath}"
            )
        for layer in self._flatten_layers():
            if isinstance(layer, BuiltModel):
                check_config(layer)
            _check_low_rank(layer)
        super().save(filepath, *args, **kwargs)

    def get_build_config(self) -> None:
        # The constructor has built it; Keras would do so, and lock, again.
        return None

    @property
    def input(self) -> Tensor:
        """`keras.KerasTensor` of what it takes, or a list of them."""
        return self.__dict__["_inputs_given"]

    @property
    def inputs(self) -> list[Tensor]:
        """List of `keras.KerasTensor`, what it takes."""
        return keras.tree.flatten(self.input)

    @property
    def input_shape(self) -> typing.Any:
        """Shape of what it takes, `(None, ...)`, or a list of them."""
        return keras.tree.map_structure(lambda x: x.shape, self.input)


def _look_at_batches(stream: typing.Any, loss: RowLoss) -> None:
    """Warns where none of the first batches holds a dissimilar pair."""
    seen = False
    for _, labels, *_ in stream.take(BATCHES):
        if not hasattr(labels, "shape"):
            return
        seen = True
        try:
            if loss.tells_apart(ops.convert_to_numpy(labels)):
                return
        except ValueError as error:
            # What was trained is not thrown away.
            warnings.warn(str(error), stacklevel=3)
            return
    if seen:
        warnings.warn(
            f"The first batches of `x` hold no dissimilar pair. {ALL_SIMILAR}",
            stacklevel=3,
        )


def check_config(model: keras.Model) -> None:
    """Checks that a model's configuration holds what its constructor takes.

    Raises:
        ValueError: If not, as of a subclass that adds an argument alone.

    Example:

    >>> import hashnet_tf as hn
    >>> from hashnet_tf.models._built_model import check_config
    >>> net = hn.models.backbone("small_cnn", (16, 16, 3))
    >>> check_config(hn.HashNet(net, bits=12))
    """
    config = model.get_config()
    variable = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    taken = inspect.signature(type(model)).parameters.values()
    lost = [
        parameter.name
        for parameter in taken
        if parameter.kind not in variable and parameter.name not in config
    ]
    if lost:
        raise ValueError(
            f"`get_config` of {type(model).__name__} must return each argument"
            " of its constructor, or its file would not hold it."
            f" Received: a configuration without {', '.join(lost)}"
        )


def _check_low_rank(layer: typing.Any) -> None:
    mode = getattr(layer, "quantization_mode", None)
    if mode is not None and getattr(layer, "lora_enabled", False):
        raise ValueError(
            "A layer to be saved must not be quantised and have LoRA: Keras"
            " quantises their sum anew, and other codes come out. Save the"
            f" layer with LoRA, load it and quantise then. Received: layer"
            f" {layer.name!r} with lora_rank={layer.lora_rank} and"
            f" quantization_mode={mode!r}"
        )
