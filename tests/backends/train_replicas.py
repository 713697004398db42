"""Trains on virtual devices of this machine's processor.

Takes a folder and leaves there `replicas.npz`: by training, what the weights
are on one device without `tf.distribute`, and on some replicas; it prints how
far they are apart. 4 replicas need as many threads that wait for each other.
"""

import pathlib
import subprocess
import sys

import keras
import numpy as np
import tensorflow as tf

import hashnet_tf as hn
from hashnet_tf.methods import DEEP_METHODS
from hashnet_tf.runs.config import TrainingConfig
from hashnet_tf.runs.networks import build_loss, build_training_model

BITS, WIDTH, ITEMS, BATCH, EPOCHS, DEVICES = 12, 10, 160, 32, 10, 4
# Of each method one training, of the first two some more.
REPLICAS = {name: [2] for name in DEEP_METHODS}
REPLICAS |= {"hashnet": [1, 2, 4], "hashnet-r": [1, 2, 4]}
REPLICAS |= {"weights and a ragged end": [2, 4], "clicks": [2], "pairs": [2]}


def data():
    rng = np.random.default_rng(0)
    labels = (rng.random((ITEMS, 4)) < 0.4).astype("int64")
    labels[:4] |= np.eye(4, dtype="int64")
    labels[5] = [-1, 1, 0, 0]
    labels[6] = 0
    features = rng.normal(size=(ITEMS, WIDTH)).astype("float32")
    features[:, :4] += 2 * labels.clip(0)
    return features, labels


def hashnet():
    inputs = keras.Input((WIDTH,))
    hidden = keras.layers.Dense(16, activation="relu")(inputs)
    return hn.HashNet(keras.Model(inputs, hidden), bits=BITS)


def training(name):
    """Returns the model to be made, its loss and what it is trained on."""
    features, labels = data()
    if name in ("clicks", "pairs"):
        first, second = features[0::2], features[1::2]
        count = len(first)
        # Above what float32 counts in ones, as ids are read.
        ids = np.stack([np.arange(count) // 2, np.arange(count) + 100], 1)
        if name == "clicks":
            loss, told = hn.losses.InBatchPairsLoss(), ids + 2**26
        else:
            loss = hn.losses.GivenPairsLoss()
            told = (np.arange(count) % 3 == 0).astype("int64")
        return hn.models.PairModel, loss, ((first, second), told)
    if name == "weights and a ragged end":
        weights = np.float32(np.arange(ITEMS) % 4)
        # The last batch has 6: of four replicas one gets none.
        some = slice(ITEMS - BATCH + 6)
        given = features[some], labels[some], weights[some]
        return None, hn.losses.WeightedPairwiseLoss(), given
    config = TrainingConfig(data="digits", method=name, bits=BITS)

    def model(net):
        return build_training_model(config, net, labels)

    return model, build_loss(config, labels), (features, labels)


def flat_weights(net):
    return np.concatenate([np.ravel(weight) for weight in net.get_weights()])


def fitted(name, strategy, folder):
    """Returns the weights after a training, and the losses of its epochs."""
    make, loss, given = training(name)
    keras.utils.set_random_seed(1)
    with strategy.scope():
        net = hashnet()
        model = net if make is None else make(net)
        model.compile(hn.optimizers.default_optimizer(1e-3, 50), loss)
    stream = tf.data.Dataset.from_tensor_slices(given).batch(BATCH)
    callbacks = []
    if name in ("hashnet", "hashnet-r"):
        features, labels = data()
        callbacks = [
            hn.callbacks.ContinuationMonitor(features, labels),
            hn.callbacks.Continuation(
                hn.schedules.SquareRootBeta.reaching(5.0, 50)
            ),
            hn.callbacks.LastCheckpoint(folder / "last.weights.h5"),
        ]
    history = model.fit(
        stream, epochs=EPOCHS, verbose=0, shuffle=False, callbacks=callbacks
    )
    found = {"weights": flat_weights(net)}
    found["loss"] = np.asarray(history.history["loss"])
    if callbacks:
        found["beta"] = np.asarray(history.history["beta"])
        found["J"] = np.asarray(history.history["J"])
        with strategy.scope():
            again = hashnet()
            again.compile(hn.optimizers.default_optimizer(1e-3, 50), loss)
        found["step"] = callbacks[-1].restore(again)
        found["restored"] = flat_weights(again)
    return found


def train(folder, replicas):
    """Leaves what all trainings of some replicas give, 0 without a strategy."""
    tf.config.threading.set_inter_op_parallelism_threads(4 * DEVICES)
    (processor,) = tf.config.list_physical_devices("CPU")
    tf.config.set_logical_device_configuration(
        processor, [tf.config.LogicalDeviceConfiguration()] * DEVICES
    )
    strategy = tf.distribute.get_strategy()
    if replicas:
        # One for all, for each begins to number what is gathered anew.
        devices = [f"CPU:{number}" for number in range(replicas)]
        strategy = tf.distribute.MirroredStrategy(devices)
    kept = {
        f"{name} {replicas} {key}": value
        for name, counts in REPLICAS.items()
        if replicas in (0, *counts)
        for key, value in fitted(name, strategy, folder).items()
    }
    np.savez(folder / f"{replicas}.npz", **kept)


def main(folder):
    kept = {}
    # TensorFlow takes no groups of several sizes in one process.
    for replicas in (0, 1, 2, 4):
        command = [sys.executable, __file__, str(folder), str(replicas)]
        subprocess.run(command, check=True)
        kept.update(np.load(folder / f"{replicas}.npz"))
    np.savez(folder / "replicas.npz", **kept)
    for name, counts in REPLICAS.items():
        for count in counts:
            one, some = (kept[f"{name} {n} weights"] for n in (0, count))
            apart = np.abs(some - one).max()
            print(f"| {name} | {count} | {apart:.1e} |", flush=True)


if __name__ == "__main__":
    if len(sys.argv) == 2:
        main(pathlib.Path(sys.argv[1]))
    else:
        train(pathlib.Path(sys.argv[1]), int(sys.argv[2]))
