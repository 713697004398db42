"""What may be done to a HashNet between two calls of `encode`.

As a script it does each on the backend of KERAS_BACKEND, and leaves in the file
given how many bits were wrong, by operation and batch size.
"""

import copy
import json
import pathlib
import sys
import tempfile

import keras
import numpy as np

import hashnet_tf as hn

BITS = 12
BATCH_SIZES = (64, 63, 1)
X = np.random.default_rng(0).normal(size=(64, 8)).astype("float32")
IDS = np.arange(64) % 4


def backbone(seed=0):
    inputs = keras.Input((8,))
    x = keras.layers.Dense(
        16, kernel_initializer=keras.initializers.GlorotNormal(seed)
    )(inputs)
    x = keras.layers.BatchNormalization()(x)
    x = keras.layers.Dropout(0.3)(x)
    return keras.Model(inputs, keras.layers.ReLU()(x))


def hash_layer(seed=1, name="hash", **arguments):
    layer = keras.layers.Dense(
        BITS,
        kernel_initializer=keras.initializers.GlorotNormal(seed),
        bias_initializer=keras.initializers.RandomNormal(stddev=0.5, seed=2),
        name=name,
        **arguments,
    )
    layer.build((None, 16))
    return layer


def made():
    return hn.HashNet(backbone(), BITS, hash_layer=hash_layer())


def wrong_bits(model, x, batch_size):
    """Counts the bits of `encode` that are not the signs of `predict`."""
    # Of eight batches, where all would be one image at a time.
    x = x[: 8 * batch_size]
    g = model.predict(x, batch_size=batch_size, verbose=0)
    expected = np.packbits(np.asarray(g, "float32") >= 0, axis=1)
    codes = model.encode(x, batch_size=batch_size)
    return int(np.unpackbits(codes ^ expected).sum())


def compiled(model, **arguments):
    model.compile(
        keras.optimizers.Adam(0.05),
        hn.losses.WeightedPairwiseLoss(),
        **arguments,
    )


def fitted(model, callbacks=()):
    compiled(model)
    model.fit(X, IDS, batch_size=32, verbose=0, callbacks=list(callbacks))


def low_rank(model):
    model.hash_layer.enable_lora(2)
    b = model.hash_layer.lora_kernel_b
    b.assign(np.random.default_rng(3).normal(size=b.shape))


def low_rank_in_the_backbone(model):
    layer = model.backbone.layers[1]
    layer.enable_lora(2)
    shape = layer.lora_kernel_b.shape
    layer.lora_kernel_b.assign(np.random.default_rng(3).normal(size=shape))


def quantized(model):
    model.quantize("int8")


def quantized_hash_layer(model):
    model.hash_layer.quantize("int8")


def low_rank_and_quantized(model):
    low_rank(model)
    model.hash_layer.quantize("int8")


def another_hash_layer(model):
    model.hash_layer = hash_layer(seed=7, name="codes")


def another_hash_layer_without_bias(model):
    model.hash_layer = hash_layer(seed=7, use_bias=False)


def another_backbone(model):
    model.backbone = backbone(seed=7)


def other_weights(model):
    rng = np.random.default_rng(4)
    values = [rng.normal(size=weight.shape) for weight in model.weights]
    for k, weight in enumerate(model.weights):
        if weight.name in ("moving_variance", "beta"):
            values[k] = np.abs(values[k])
    model.set_weights(values)


def half_precision_hash_layer(model):
    model.hash_layer.dtype_policy = "mixed_bfloat16"


def half_precision_backbone(model):
    model.backbone.layers[1].dtype_policy = "mixed_bfloat16"


def half_precision(model):
    model.dtype_policy = "mixed_bfloat16"


def frozen_and_fitted(model):
    model.backbone.trainable = False
    fitted(model)


def frozen_hash_layer_and_fitted(model):
    model.hash_layer.trainable = False
    fitted(model)


def compiled_again(model):
    fitted(model)
    compiled(model, jit_compile=False)


def run_eagerly(model):
    compiled(model, run_eagerly=True)


def weights_loaded(model):
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder, "model.weights.h5")
        other = made()
        other_weights(other)
        other.save_weights(path)
        model.load_weights(path)


def fitted_in_a_model(model):
    whole = hn.models.LogitsModel(model)
    whole.compile(keras.optimizers.Adam(0.05), hn.losses.DPSHLoss())
    whole.fit(X, IDS, batch_size=32, verbose=0)


def loaded(model):
    quantized_hash_layer(model)
    model.encode(X)
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder, "model.keras")
        model.save(path)
        return keras.saving.load_model(path)


def cloned(model):
    fitted(model)
    twin = keras.models.clone_model(model)
    twin.set_weights(model.get_weights())
    return twin


def copied(model):
    fitted(model)
    model.encode(X)
    return copy.deepcopy(model)


def on_top_of(model):
    return model.on_top_of(keras.Sequential([keras.Input((8,)), hash8()]))


def hash8():
    return keras.layers.Dense(
        8, kernel_initializer=keras.initializers.GlorotNormal(5)
    )


class Watch(keras.callbacks.Callback):
    """Encodes while the model is trained and changed."""

    def __init__(self):
        super().__init__()
        self.wrong = 0

    def on_train_batch_end(self, batch, logs=None):
        self.wrong += wrong_bits(self.model, X, 63)

    def on_epoch_end(self, epoch, logs=None):
        self.wrong += wrong_bits(self.model, X, 64)


def a_callback_during_fit(model):
    watch = Watch()
    fitted(model, [watch])
    return model, watch.wrong


OPERATIONS = [
    low_rank,
    low_rank_in_the_backbone,
    quantized,
    quantized_hash_layer,
    low_rank_and_quantized,
    another_hash_layer,
    another_hash_layer_without_bias,
    another_backbone,
    other_weights,
    half_precision_hash_layer,
    half_precision_backbone,
    half_precision,
    frozen_and_fitted,
    frozen_hash_layer_and_fitted,
    fitted,
    fitted_in_a_model,
    compiled,
    compiled_again,
    run_eagerly,
    weights_loaded,
    loaded,
    cloned,
    copied,
    on_top_of,
    a_callback_during_fit,
]


def after(operation):
    """Returns the wrong bits by batch size after an operation."""
    keras.utils.set_random_seed(0)
    model = made()
    for batch_size in BATCH_SIZES:
        # So that the network of before is known to each size.
        if wrong := wrong_bits(model, X, batch_size):
            return {f"before, {batch_size}": wrong}
    result, during = operation(model), 0
    if isinstance(result, tuple):
        result, during = result
    found = {
        str(batch_size): wrong_bits(result or model, X, batch_size)
        for batch_size in BATCH_SIZES
    }
    return {**found, "during": during}


def main(path):
    found = {operation.__name__: after(operation) for operation in OPERATIONS}
    content = {"backend": keras.backend.backend(), "wrong": found}
    pathlib.Path(path).write_text(json.dumps(content))


if __name__ == "__main__":
    main(sys.argv[1])
