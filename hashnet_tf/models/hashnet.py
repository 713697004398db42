"""A network that ends in features, made to end in hash codes."""

import collections.abc
import typing
import warnings

import keras
import numpy as np

from hashnet_tf._framings import check_framing
from hashnet_tf._network_inputs import InputsCheck, NetworkInputs
from hashnet_tf._types import Config, Tensor, layers, ops
from hashnet_tf.layers.pack_bits import PackBits
from hashnet_tf.layers.scaled_tanh import ScaledTanh
from hashnet_tf.models._built_model import BuiltModel, check_config
from hashnet_tf.models._state import NetworkState


@keras.saving.register_keras_serializable(package="hashnet_tf")
class HashNet(BuiltModel):
    """Backbone, hash layer and scaled tanh: images to g = tanh(beta z).

    The network of "Deep Learning to Hash by Continuation" (Cao et al., ICCV
    2017): a fully connected hash layer of `bits` units on top of any features,
    from N(0, 0.01) with bias 0, and the activation that continuation sharpens.

    Args:
        backbone: Built `keras.Model`, functional or Sequential, of one input or
            a list or dict of them, and one output, features `[n, d]`;
            preprocessing belongs inside it.
        bits: Positive int, K.
        framing: "whole", "paper" or "modern": which part of an image it is
            trained to see (`hashnet_tf.datasets.pixels.framing`). The model
            itself takes images that are framed; whatever makes codes of files
            looks here.
        hash_layer: `keras.layers.Dense(bits)` without activation, for an
            initializer, a regularizer or a constraint of one's own; or None.
            The multipliers of layer-wise optimizers know it by its name, so
            call it "hash"; of two HashNets in one another, one otherwise.
        **kwargs: Arguments of `keras.Model`.

    Attributes:
        bits: Int, K.
        framing: Str as given.
        backbone: The model given.
        hash_layer: The layer given, or one named "hash". A file keeps it as it
            is, frozen, quantised or with LoRA, whose matrices Keras merges into
            the kernel there: loaded, they are 0 and learn no more.
        scaled_tanh: `hashnet_tf.layers.ScaledTanh`.

    Call arguments:
        inputs: What `backbone` takes, for images `[n, height, width, 3]` in
            [0, 255]; for several inputs a list or dict of arrays.

    Returns:
        Float `[n, bits]` in [-1, 1].

    Raises:
        ValueError: If `bits` is not a positive integer, `backbone` does not
            end in features, `framing` is another or `hash_layer` no such layer.

    Warns:
        UserWarning: If `backbone` ends in a softmax, which leaves little of
            the features.

    Example:

    >>> import hashnet_tf as hn, numpy as np
    >>> backbone = hn.models.backbone("small_cnn", image_shape=(16, 16, 3))
    >>> model = hn.HashNet(backbone, bits=12)
    >>> model.encode(np.zeros((5, 16, 16, 3))).shape
    (5, 2)
    """

    def __init__(
        self,
        backbone: keras.Model,
        bits: int = 48,
        framing: str = "whole",
        hash_layer: typing.Any = None,
        **kwargs: typing.Any,
    ) -> None:
        super().__init__(**kwargs)
        if not isinstance(bits, (int, np.integer)) or bits < 1:
            raise ValueError(
                f"`bits` must be a positive integer. Received: bits={bits}"
            )
        if not isinstance(backbone, keras.Model) or not backbone.built:
            raise ValueError(
                "`backbone` must be a built keras.Model."
                f" Received: backbone={backbone!r}"
            )
        if not getattr(backbone, "inputs", None):
            raise ValueError(
                "`backbone` must be a functional or Sequential model; any other"
                " can be called on a keras.Input in one."
                f" Received: backbone={backbone.name!r} with 0 inputs"
            )
        taken = NetworkInputs.of(backbone)
        shape = getattr(backbone, "output_shape", None)
        if not isinstance(shape, tuple) or len(shape) != 2:
            raise ValueError(
                "`backbone` must end in one output of features [n, d], for"
                " images by pooling over height and width."
                f" Received: backbone.output_shape={shape}"
            )
        _warn_of_softmax(backbone)
        self.bits = int(bits)
        self.framing = check_framing(framing)
        self.backbone = backbone
        if hash_layer is None:
            hash_layer = layers.Dense(
                self.bits,
                kernel_initializer=keras.initializers.RandomNormal(stddev=0.01),
                dtype=self.dtype_policy,
                name="hash",
            )
        _check_hash_layer(hash_layer, self.bits, shape[1])
        self.hash_layer = hash_layer
        self.scaled_tanh = ScaledTanh(
            dtype=self.dtype_policy, name="scaled_tanh"
        )
        # The backbone says all that is to know about the shapes, so that the
        # weights are there before the first batch, for loading among others.
        if not self.hash_layer.built:
            self.hash_layer.build(shape)
        self.scaled_tanh.build((None, self.bits))
        self.build_on(taken.packed(backbone.inputs))

    def logits(self, inputs: Tensor, training: bool | None = None) -> Tensor:
        """Returns z, float `[n, bits]`, before the activation."""
        return self.hash_layer(self.backbone(inputs, training=training))

    def call(self, inputs: Tensor, training: bool | None = None) -> Tensor:
        return self.scaled_tanh(self.logits(inputs, training=training))

    def compute_output_shape(
        self, input_shape: typing.Any
    ) -> tuple[int | None, int]:
        # Of several inputs the first of the first.
        return (keras.tree.flatten(input_shape)[0], self.bits)

    def encode(
        self,
        inputs: typing.Any,
        batch_size: int = 128,
    ) -> np.ndarray:
        """Returns the packed codes of a set of inputs.

        Bit k is 1 iff z_k >= 0, the most significant bit first.

        Args:
            inputs: Array `[n, ...]` as the backbone takes it, RGB images of
                uint8 or of floats in [0, 255]; of several inputs a dict of
                arrays where it takes a dict, else a list or tuple of as many;
                or an iterable of such batches (a `tf.data.Dataset` among
                others).
            batch_size: Positive int, items a forward pass, for arrays.

        Returns:
            uint8 array `[n, ceil(bits / 8)]`.

        Raises:
            ValueError: If `batch_size` is not positive, a batch holds more
                than the inputs, or they are of another shape or dtype than
                `backbone` takes, fractions for integers among them; if RGB
                images were scaled to [0, 1] or [-1, 1], as `on_top_of` a
                `keras.layers.Rescaling` takes them; if an input or a z is NaN,
                of which no bit can be told.

        Example:

        >>> import hashnet_tf as hn, numpy as np
        >>> backbone = hn.models.backbone("small_cnn", (16, 16, 3))
        >>> hn.HashNet(backbone, bits=48).encode(np.zeros((2, 16, 16, 3))).dtype
        dtype('uint8')
        """
        if batch_size < 1:
            raise ValueError(
                "`batch_size` must be positive."
                f" Received: batch_size={batch_size}"
            )
        check = InputsCheck(NetworkInputs.of(self.backbone))
        codes = [np.zeros((0, -(-self.bits // 8)), dtype="uint8")]
        size, encode_batch = 0, None
        for batch in check.batches(inputs, batch_size):
            n = len(batch[0])
            size = max(size, n)
            if 0 < n < size:
                # A last, smaller batch would compile the network again.
                batch = [
                    np.concatenate([x, np.repeat(x[:1], size - n, axis=0)])
                    for x in batch
                ]
            if n:
                encode_batch = encode_batch or self._encode_batch
                # Not as a list: Keras then warns of inputs that are no list.
                packed, lost = encode_batch(
                    batch if len(batch) > 1 else batch[0]
                )
                if (bad := np.flatnonzero(np.asarray(lost)[:n])).size:
                    raise ValueError(
                        "Each z must be a number, or it has no sign; are the"
                        " inputs or the weights NaN?"
                        f" Received: NaN for {bad.size} of {n} inputs"
                    )
                codes.append(np.asarray(packed)[:n])
        return np.concatenate(codes)

    @property
    def _encode_batch(
        self,
    ) -> collections.abc.Callable[[Tensor], tuple[Tensor, Tensor]]:
        # A traced function keeps the layers as they were: after LoRA,
        # quantisation or another layer it would give the codes of a network
        # that is no longer there.
        network = NetworkState(self.backbone, self.hash_layer)
        there = self.__dict__.get("_encoder")
        if there is None or not network.same_as(there[0]):
            z = self.hash_layer(self.backbone.outputs[0])
            lost = ops.any(ops.isnan(z), axis=-1)
            # In a list, or the one itself, whatever the form of the backbone.
            inputs = self.backbone.inputs
            encoder = keras.Model(
                inputs if len(inputs) > 1 else inputs[0], (PackBits()(z), lost)
            )
            there = network, encoder.predict_on_batch
            # Not as an attribute: Keras would save a tracked model a second
            # time within this one.
            self.__dict__["_encoder"] = there
        return there[1]

    def on_top_of(self, backbone: keras.Model) -> "HashNet":
        """Returns this HashNet with `backbone` set before its own.

        For a head trained on the features of a frozen network: the result
        takes what `backbone` takes and shares the layers of both backbones;
        hash layer, beta and what a subclass adds are copies. Of a subclass
        comes one of that subclass, made from its configuration.

        Args:
            backbone: `keras.Model` whose output is this model's input; of
                several inputs in the same form.

        Raises:
            ValueError: If the configuration of a subclass does not hold what
                its constructor takes.

        Example:

        >>> import keras, hashnet_tf as hn
        >>> network = hn.models.backbone("small_cnn", (16, 16, 3))
        >>> features = keras.Input((128,))
        >>> head = hn.HashNet(keras.Model(features, features), bits=16)
        >>> head.on_top_of(network).backbone.input_shape
        (None, 16, 16, 3)
        """
        outputs = backbone.outputs
        # Not as a list: Keras then warns of inputs that are no list.
        given = outputs[0] if len(outputs) == 1 else backbone.output
        inputs = NetworkInputs.of(backbone).packed(backbone.inputs)
        whole = keras.Model(inputs, self.backbone(given), name=backbone.name)
        return on_backbone(self, whole)

    def get_config(self) -> Config:
        _check_hash_layer(
            self.hash_layer, self.bits, self.backbone.output_shape[1]
        )
        return {
            **super().get_config(),
            "backbone": keras.saving.serialize_keras_object(self.backbone),
            "bits": self.bits,
            "framing": self.framing,
            "hash_layer": keras.saving.serialize_keras_object(self.hash_layer),
            "scaled_tanh": keras.saving.serialize_keras_object(
                self.scaled_tanh
            ),
        }

    @classmethod
    def from_config(
        cls, config: Config, custom_objects: Config | None = None
    ) -> typing.Self:
        # Version 0.1 wrote no layers.
        config = {"hash_layer": None, "scaled_tanh": None, **config}
        given = {}
        for name in ("backbone", "hash_layer", "scaled_tanh"):
            given[name] = config.pop(name)
            if isinstance(given[name], dict):
                alpha = given[name]["config"].get("lora_alpha")
                given[name] = keras.saving.deserialize_keras_object(
                    given[name], custom_objects=custom_objects
                )
                # Which Keras loses when it builds the layer.
                if alpha is not None:
                    given[name].lora_alpha = alpha
        scaled_tanh = given.pop("scaled_tanh")
        model = cls(**given, **config)
        if scaled_tanh is not None:
            model.scaled_tanh = scaled_tanh
        return model


def on_backbone(model: HashNet, backbone: keras.Model) -> HashNet:
    """Returns a HashNet like another, on a backbone of as many features.

    Args:
        model: `HashNet`, or of a subclass, whose own weights are copied.
        backbone: As `HashNet` takes it; it is not copied.

    Raises:
        ValueError: If the configuration of a subclass does not hold what its
            constructor takes.

    Example:

    >>> import keras, hashnet_tf as hn
    >>> from hashnet_tf.models.hashnet import on_backbone
    >>> one, other = keras.Input((8,)), keras.Input((8,))
    >>> model = hn.HashNet(keras.Model(one, one), bits=16)
    >>> on_backbone(model, keras.Model(other, other)).bits
    16
    """
    check_config(model)
    config = {**model.get_config(), "backbone": backbone}
    # Two models of one name do not go into a third.
    del config["name"]
    twin = type(model).from_config(config)
    # By name: layers are quantised in another order than built so.
    weights = {weight.name: weight for weight in model.hash_layer.weights}
    for weight in twin.hash_layer.weights:
        weight.assign(weights[weight.name])
    for weight, value in zip(_others(twin), _others(model), strict=True):
        weight.assign(value)
    return twin


def _others(model: HashNet) -> list[typing.Any]:
    """Returns the weights of neither backbone nor hash layer."""
    these = [*model.backbone.weights, *model.hash_layer.weights]
    ids = {id(weight) for weight in these}
    return [weight for weight in model.weights if id(weight) not in ids]


def _warn_of_softmax(backbone: keras.Model) -> None:
    last: typing.Any = backbone
    while isinstance(last, keras.Model) and last.layers:
        last = last.layers[-1]
    if isinstance(last, keras.layers.Softmax) or (
        getattr(last, "activation", None) is keras.activations.softmax
    ):
        warnings.warn(
            f"The backbone {backbone.name!r} ends in a softmax: its classifier"
            " is hashed, not the features before it. Leave it out, as by"
            " include_top=False.",
            # Where the HashNet is made.
            stacklevel=3,
        )


def _check_hash_layer(layer: typing.Any, bits: int, features: int) -> None:
    if (
        not isinstance(layer, keras.layers.Dense)
        or layer.units != bits
        or layer.activation is not keras.activations.linear
    ):
        raise ValueError(
            "`hash_layer` must be a keras.layers.Dense of `bits` units without"
            " activation."
            f" Received: hash_layer={getattr(layer, 'name', layer)!r} of"
            f" {type(layer).__name__} with"
            f" units={getattr(layer, 'units', None)} and"
            f" activation={getattr(layer, 'activation', None)}, bits={bits}"
        )
    kernel: typing.Any = layer.kernel if layer.built else None
    if kernel is not None and kernel.shape[0] != features:
        raise ValueError(
            "`hash_layer` must be built on as many features as the backbone"
            f" gives. Received: {kernel.shape[0]} in place of {features}"
        )
