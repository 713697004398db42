"""A network that ends in features, made to end in hash codes."""

import collections.abc
import hashlib
import typing

import keras
import numpy as np

from hashnet_tf._framings import check_framing
from hashnet_tf._types import Config, Tensor, layers, ops
from hashnet_tf.layers.pack_bits import PackBits
from hashnet_tf.layers.scaled_tanh import ScaledTanh
from hashnet_tf.optimizers import LayerwiseModel

# A second weight that `ScaledTanh` had in version 0.1, as it came.
_PLATEAU = np.array([np.inf, 0.0], np.float32)


@keras.saving.register_keras_serializable(package="hashnet_tf")
class HashNet(LayerwiseModel):
    """Backbone, hash layer and scaled tanh: images to g = tanh(beta z).

    The network of "Deep Learning to Hash by Continuation" (Cao et al., ICCV
    2017): a fully connected hash layer of `bits` units on top of any features,
    from N(0, 0.01) with bias 0, and the activation that continuation sharpens.

    Args:
        backbone: Built `keras.Model` of one input and one output, features
            `[n, d]`; preprocessing belongs inside it.
        bits: Positive int, K.
        framing: "whole", "paper" or "modern": which part of an image it is
            trained to see (`hashnet_tf.datasets.pixels.framing`). The model
            itself takes images that are framed; whatever makes codes of files
            looks here.
        **kwargs: Arguments of `keras.Model`.

    Attributes:
        bits: Int, K.
        framing: Str as given.
        backbone: The model given.
        hash_layer: `keras.layers.Dense`, named "hash".
        scaled_tanh: `hashnet_tf.layers.ScaledTanh`.

    Call arguments:
        inputs: What `backbone` takes, for images `[n, height, width, 3]` in
            [0, 255].

    Returns:
        Float `[n, bits]` in [-1, 1].

    Raises:
        ValueError: If `bits` is not a positive integer, `backbone` does not
            end in features or `framing` is another.

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
        inputs = getattr(backbone, "inputs", None)
        if inputs is None or len(inputs) != 1:
            raise ValueError(
                "`backbone` must be a functional or Sequential model of one"
                " input; any other can be called on a keras.Input in one."
                f" Received: backbone={backbone.name!r} with"
                f" {len(inputs or [])} inputs"
            )
        shape = getattr(backbone, "output_shape", None)
        if not isinstance(shape, tuple) or len(shape) != 2:
            raise ValueError(
                "`backbone` must end in one output of features [n, d], for"
                " images by pooling over height and width."
                f" Received: backbone.output_shape={shape}"
            )
        self.bits = int(bits)
        self.framing = check_framing(framing)
        self.backbone = backbone
        self.hash_layer = layers.Dense(
            self.bits,
            kernel_initializer=keras.initializers.RandomNormal(stddev=0.01),
            dtype=self.dtype_policy,
            name="hash",
        )
        self.scaled_tanh = ScaledTanh(
            dtype=self.dtype_policy, name="scaled_tanh"
        )
        # The backbone says all that is to know about the shapes, so that the
        # weights are there before the first batch, for loading among others.
        self.hash_layer.build(shape)
        self.scaled_tanh.build((None, self.bits))
        self.built = True

    def build(self, input_shape: typing.Any = None) -> None:
        self.built = True

    def logits(self, inputs: Tensor, training: bool | None = None) -> Tensor:
        """Returns z, float `[n, bits]`, before the activation."""
        return self.hash_layer(self.backbone(inputs, training=training))

    def call(self, inputs: Tensor, training: bool | None = None) -> Tensor:
        return self.scaled_tanh(self.logits(inputs, training=training))

    def compute_output_shape(
        self, input_shape: tuple[int | None, ...]
    ) -> tuple[int | None, int]:
        return (input_shape[0], self.bits)

    def encode(
        self,
        inputs: Tensor,
        batch_size: int = 128,
    ) -> np.ndarray:
        """Returns the packed codes of a set of inputs.

        Bit k is 1 iff z_k >= 0, the most significant bit first.

        Args:
            inputs: Array `[n, ...]` as the backbone takes it, or an iterable
                of such batches (a `tf.data.Dataset` among others).
            batch_size: Positive int, items a forward pass, for an array.

        Returns:
            uint8 array `[n, ceil(bits / 8)]`.

        Raises:
            ValueError: If `batch_size` is not positive, a batch holds more
                than the inputs, or they are of another shape than `backbone`
                takes; if a z is NaN, of which no bit can be told.

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
        batches = inputs
        if hasattr(inputs, "shape"):
            batches = (
                inputs[start : start + batch_size]
                for start in range(0, len(inputs), batch_size)
            )
        codes = [np.zeros((0, -(-self.bits // 8)), dtype="uint8")]
        size, encode_batch = 0, None
        for batch in batches:
            if isinstance(batch, (tuple, dict)):
                raise ValueError(
                    "Each batch must be one array of inputs, without labels."
                    f" Received: a {type(batch).__name__} of {len(batch)}"
                )
            batch = self._check_inputs(np.asarray(batch))
            n, size = len(batch), max(size, len(batch))
            if 0 < n < size:
                # A last, smaller batch would compile the network again.
                filling = np.repeat(batch[:1], size - n, axis=0)
                batch = np.concatenate([batch, filling])
            if n:
                encode_batch = encode_batch or self._encode_batch
                packed, lost = encode_batch(batch)
                if (bad := np.flatnonzero(np.asarray(lost)[:n])).size:
                    raise ValueError(
                        "Each z must be a number, or it has no sign; are the"
                        " inputs or the weights NaN?"
                        f" Received: NaN for {bad.size} of {n} inputs"
                    )
                codes.append(np.asarray(packed)[:n])
        return np.concatenate(codes)

    def _check_inputs(self, batch: np.ndarray) -> np.ndarray:
        # Keras checks no shape once it has seen a second one.
        wanted = self.backbone.input_shape
        if batch.ndim != len(wanted) or any(
            w is not None and w != size
            for w, size in zip(wanted[1:], batch.shape[1:], strict=True)
        ):
            sizes = ["n", *("any" if w is None else str(w) for w in wanted[1:])]
            raise ValueError(
                f"`inputs` must be of shape [{', '.join(sizes)}], as the"
                " backbone takes them."
                f" Received: inputs.shape={batch.shape}"
            )
        return batch

    @property
    def _encode_batch(
        self,
    ) -> collections.abc.Callable[[Tensor], tuple[Tensor, Tensor]]:
        # A traced function keeps the layers as they were: after LoRA,
        # quantisation or another layer it would give the codes of a network
        # that is no longer there.
        network = _network(self.backbone, self.hash_layer)
        there = self.__dict__.get("_encoder")
        if there is None or not _same(there[0], network):
            # Not as a list: Keras then warns of inputs that are no list.
            (inputs,), (outputs,) = self.backbone.inputs, self.backbone.outputs
            z = self.hash_layer(outputs)
            lost = ops.any(ops.isnan(z), axis=-1)
            encoder = keras.Model(inputs, (PackBits()(z), lost))
            there = network, encoder.predict_on_batch
            # Not as an attribute: Keras would save a tracked model a second
            # time within this one.
            self.__dict__["_encoder"] = there
        return there[1]

    def on_top_of(self, backbone: keras.Model) -> "HashNet":
        """Returns this HashNet with `backbone` set before its own.

        For a head trained on the features of a frozen network: the result
        takes what `backbone` takes and shares the layers of both backbones;
        hash layer and beta are copies.

        Args:
            backbone: `keras.Model` whose output is this model's input.

        Example:

        >>> import keras, hashnet_tf as hn
        >>> network = hn.models.backbone("small_cnn", (16, 16, 3))
        >>> features = keras.Input((128,))
        >>> head = hn.HashNet(keras.Model(features, features), bits=16)
        >>> head.on_top_of(network).backbone.input_shape
        (None, 16, 16, 3)
        """
        # Not as a list: Keras then warns of inputs that are no list.
        (inputs,), (outputs,) = backbone.inputs, backbone.outputs
        whole = keras.Model(inputs, self.backbone(outputs), name=backbone.name)
        model = HashNet(whole, self.bits, self.framing, dtype=self.dtype_policy)
        model.hash_layer.set_weights(self.hash_layer.get_weights())
        model.scaled_tanh.set_weights(self.scaled_tanh.get_weights())
        return model

    def get_config(self) -> Config:
        return {
            **super().get_config(),
            "backbone": keras.saving.serialize_keras_object(self.backbone),
            "bits": self.bits,
            "framing": self.framing,
        }

    @classmethod
    def from_config(
        cls, config: Config, custom_objects: Config | None = None
    ) -> typing.Self:
        config = dict(config)
        backbone = keras.saving.deserialize_keras_object(
            config.pop("backbone"), custom_objects=custom_objects
        )
        return cls(backbone, **config)


def _network(*models: keras.layers.Layer) -> list[typing.Any]:
    """Returns what a traced function of some layers depends on."""
    found = []
    for model in models:
        for layer in model._flatten_layers():
            policy = getattr(layer, "dtype_policy", None)
            found += [layer, getattr(policy, "name", None)]
            found += [getattr(layer, "lora_enabled", None), *layer.variables]
    return found


def _same(ones: list[typing.Any], others: list[typing.Any]) -> bool:
    # Variables compare by value, element by element.
    return len(ones) == len(others) and all(
        a == b if isinstance(a, str | bool) else a is b
        for a, b in zip(ones, others, strict=True)
    )


def weights_digest(model: keras.Model) -> str:
    """Returns a hex digest of the values of a model's weights, in order.

    The framing of a `HashNet` counts as learnt too, if it is not the default:
    with another one the same image has other bits.

    Example:

    >>> import hashnet_tf as hn
    >>> net = hn.models.backbone("small_cnn", (16, 16, 3))
    >>> len(hn.models.weights_digest(net))
    64
    """
    digest = hashlib.sha256()
    betas = {
        id(layer.beta)
        for layer in model._flatten_layers()
        if isinstance(layer, ScaledTanh)
    }
    for weight in model.weights:
        values = [ops.convert_to_numpy(weight.value)]
        if id(weight) in betas:
            # So that codes made by version 0.1 are still those of their model.
            values.append(_PLATEAU)
        for value in values:
            digest.update(f"{value.shape} {value.dtype}\n".encode())
            digest.update(np.ascontiguousarray(value).data)
    framing = getattr(model, "framing", "whole")
    if framing != "whole":
        digest.update(framing.encode())
    return digest.hexdigest()
