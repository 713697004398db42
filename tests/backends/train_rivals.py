"""Trains with each method on the backend of KERAS_BACKEND.

Takes a folder and leaves there `rivals.npz`, for a test that runs under
TensorFlow: labels and outputs, and by method the loss on these, the losses of
a training, how far it moved the hash layer, and what rows of weight 0 do.
"""

import pathlib
import pkgutil
import sys

# First, for it keeps TensorFlow out.
import train_tiny  # noqa: F401, isort: skip

import jax
import keras
import numpy as np

import hashnet_tf as hn
from hashnet_tf.methods import DEEP_METHODS, LIKELIHOODS
from hashnet_tf.runs.config import TrainingConfig
from hashnet_tf.runs.networks import build_loss, build_training_model

BITS = 12
# HashNet by Eq. 3 is trained by the other script.
RIVALS = [
    name
    for name in DEEP_METHODS
    if name == "hashnet-r" or not name.startswith("hashnet")
]


def data():
    rng = np.random.default_rng(0)
    labels = (rng.random((24, 4)) < 0.4).astype("int64")
    labels[:4] |= np.eye(4, dtype="int64")
    labels[5] = [-1, 1, 0, 0]
    labels[6] = 0
    features = rng.normal(size=(24, 10)).astype("float32")
    features[:, :4] += 2 * labels.clip(0)
    outputs = rng.normal(size=(24, 4 + BITS)).astype("float32")
    return features, labels, outputs


def hashnet():
    keras.utils.set_random_seed(1)
    inputs = keras.Input((10,))
    hidden = keras.layers.Dense(16, activation="relu")(inputs)
    return hn.HashNet(keras.Model(inputs, hidden), bits=BITS)


def gradients_of_likelihoods():
    """Values and gradients of both over all distances, by name and dtype."""
    found = {}
    distances = np.linspace(0, BITS, 25)
    for name, choice in LIKELIHOODS.items():
        likelihood = pkgutil.resolve_name(choice.learner)()
        for dtype in ("float16", "bfloat16", "float32"):
            products = jax.numpy.asarray(BITS - 2 * distances, dtype)
            for similar in (False, True):

                def loss(x, likelihood=likelihood, similar=similar):
                    return likelihood.losses(x, np.array(similar), BITS)

                both = jax.vmap(jax.value_and_grad(loss))(products)
                found[f"{name} {dtype} {similar:d}"] = np.stack(
                    [np.asarray(part, "float32") for part in both]
                )
    return found


def main(folder):
    features, labels, outputs = data()
    found = {"labels": labels, "outputs": outputs}
    weight = np.float32(np.arange(24) % 3 > 0)
    loss = hn.losses.WeightedPairwiseLoss()
    # In the integers of the backend, which JAX has of 32 bits alone.
    ids = np.arange(24) % 5 + 2**33

    def refused(y):
        return loss(y, outputs)

    found["ids value"] = np.asarray(loss(ids, outputs))
    found["ids traced"] = np.asarray(
        jax.jit(refused)(np.int32(np.arange(24) % 5 + 2**30))
    )
    found["refused"] = np.asarray(
        [jax.jit(refused)(y) for y in (np.float32(ids), 2 * labels)]
    )
    for name in RIVALS:
        config = TrainingConfig(data="digits", method=name, bits=BITS)
        loss = build_loss(config, labels)
        rows = outputs if name == "greedyhash" else outputs[:, 4:]
        value = loss(labels, rows)
        of_weights = jax.value_and_grad(
            lambda x, loss=loss: loss(labels, x, weight)
        )
        value_there, gradient = of_weights(rows)
        found[f"{name} weighted"] = np.asarray(
            [value_there, loss(labels[weight > 0], rows[weight > 0])]
        )
        found[f"{name} gone"] = np.asarray(gradient)[weight == 0]
        net = hashnet()
        before = keras.ops.convert_to_numpy(net.hash_layer.kernel.value)
        model = build_training_model(config, net, labels)
        model.compile(keras.optimizers.Adam(0.01), loss)
        history = model.fit(
            features, labels, batch_size=12, epochs=3, verbose=0
        )
        after = keras.ops.convert_to_numpy(net.hash_layer.kernel.value)
        found[f"{name} value"] = np.asarray(value)
        found[f"{name} losses"] = history.history["loss"]
        found[f"{name} moved"] = np.abs(after - before).max()
    of_clicks = hn.losses.InBatchPairsLoss()
    pairs = outputs[:, : 2 * (BITS // 2)].reshape(24, 2, BITS // 2)
    clicks = np.stack([np.arange(24) // 2, np.arange(24) + 10], axis=1)

    def over_clicks(y):
        return of_clicks(y, pairs)

    found["clicks"] = clicks
    found["clicks value"] = np.asarray(
        [over_clicks(clicks), jax.jit(over_clicks)(clicks)]
    )
    found.update(gradients_of_likelihoods())
    found["tensorflow"] = [x for x in sys.modules if x == "tensorflow"]
    np.savez(folder / "rivals.npz", **found)


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
