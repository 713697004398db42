"""Trains a tiny HashNet on the backend of KERAS_BACKEND, without TensorFlow.

Takes a folder and leaves there `model.keras`, `found.npz` and `found.json`,
for a test that runs under TensorFlow.
"""

import json
import pathlib
import sys


class WithoutTensorFlow:
    """Lets nobody import it, Keras as little as this package."""

    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] == "tensorflow":
            raise ModuleNotFoundError(name)


sys.meta_path.insert(0, WithoutTensorFlow())

import keras  # noqa: E402
import numpy as np  # noqa: E402

import hashnet_tf as hn  # noqa: E402

BATCH, STEPS = 8, 6


class Killed(Exception):
    pass


class Recorder(keras.callbacks.Callback):
    """Notes what the compiled step made of beta, and stops where asked to."""

    def __init__(self, kill_after=None):
        super().__init__()
        self.losses, self.betas, self.kill_after = [], [], kill_after
        self.of_epochs = []

    def on_train_batch_end(self, batch, logs=None):
        self.losses.append(float(logs["loss"]))
        self.betas.append(float(logs["beta"]))
        if len(self.losses) == self.kill_after:
            raise Killed

    def on_epoch_end(self, epoch, logs=None):
        self.of_epochs.append(float(logs["loss"]))


def losses_of_one_weight(**arguments):
    """The mean loss after each execution, where z stays 0.5 and loss is g."""
    model = keras.Sequential(
        [
            keras.Input((1,)),
            keras.layers.Dense(1, kernel_initializer="ones"),
            hn.layers.ScaledTanh(),
        ]
    )
    model.compile(keras.optimizers.SGD(0.0), lambda y, g: g, **arguments)
    recorder = Recorder()
    schedule = hn.schedules.SquareRootBeta(gamma=0.5, power=1.0, step_size=1)
    model.fit(
        np.full((STEPS, 1), 0.5),
        np.zeros((STEPS, 1)),
        batch_size=1,
        verbose=0,
        callbacks=[hn.callbacks.Continuation(schedule), recorder],
    )
    return recorder.losses


def data():
    rng = np.random.default_rng(0)
    ids = np.arange(BATCH * STEPS) % 3
    images = rng.integers(0, 64, (len(ids), 8, 8, 3))
    images[np.arange(len(ids)), :, :, ids] += 128
    return images.astype("uint8"), ids


def hashnet(multiplier=10.0, learning_rate=0.01, dropout=0.1):
    keras.utils.set_random_seed(1)
    inputs = keras.Input((8, 8, 3))
    x = keras.layers.Rescaling(1 / 127.5, offset=-1.0)(inputs)
    x = keras.layers.Conv2D(8, 3, strides=2)(x)
    x = keras.layers.BatchNormalization(momentum=0.5)(x)
    x = keras.layers.Dropout(dropout, seed=2)(keras.layers.ReLU()(x))
    x = keras.layers.GlobalAveragePooling2D()(x)
    model = hn.HashNet(keras.Model(inputs, x), bits=12)
    model.compile(
        hn.optimizers.LayerwiseSGD(
            learning_rate,
            momentum=0.9,
            multipliers={"hash": multiplier},
            l2=5e-4,
        ),
        # So steep that the loss can fall far below that of chance.
        hn.losses.WeightedPairwiseLoss(alpha=10 / 12),
    )
    return model


def fit(model, epochs, callbacks):
    return model.fit(
        *data(),
        batch_size=BATCH,
        shuffle=False,
        epochs=epochs,
        verbose=0,
        callbacks=callbacks,
    ).history


def moves(multiplier):
    """How far one step moves the hash layer and the first convolution."""
    model = hashnet(multiplier)
    images, ids = data()
    weights = model.hash_layer.kernel, model.backbone.trainable_weights[0]
    before = [keras.ops.convert_to_numpy(weight.value) for weight in weights]
    model.train_on_batch(images, ids)
    after = [keras.ops.convert_to_numpy(weight.value) for weight in weights]
    return [b - a for a, b in zip(before, after, strict=True)]


def resumed_betas(folder):
    """Betas of an unbroken run with patience, and of one that was killed."""
    schedule = hn.schedules.StagedBeta([1.1, 2.2, 3.3], patience=2)

    def callbacks(folder, recorder, losses):
        return [
            hn.callbacks.Continuation(schedule, losses),
            keras.callbacks.BackupAndRestore(folder),
            recorder,
        ]

    def train(name, recorder, losses=()):
        # Without learning no loss ever falls, and each stage lasts 3 epochs.
        model = hashnet(learning_rate=0.0, dropout=0.0)
        fit(model, 7, callbacks(folder / name, recorder, losses))

    whole, first, rest = Recorder(), Recorder(5 * STEPS - 2), Recorder()
    train("whole", whole)
    try:
        train("killed", first)
    except Killed:
        train("killed", rest, first.of_epochs)
    return whole.betas, first.betas[: 4 * STEPS] + rest.betas


def main(folder):
    losses = {
        "compiled": losses_of_one_weight(jit_compile=True),
        "compiled, 2 steps at once": losses_of_one_weight(
            jit_compile=True, steps_per_execution=2
        ),
        "not compiled": losses_of_one_weight(jit_compile=False),
    }
    images, ids = data()
    model = hashnet()
    monitor = hn.callbacks.ContinuationMonitor(images, ids)
    last = hn.callbacks.LastCheckpoint(folder / "last.weights.h5")
    schedule = hn.schedules.SquareRootBeta(gamma=0.2, step_size=2)
    before = model.encode(images)
    history = fit(
        model, 4, [hn.callbacks.Continuation(schedule), monitor, last]
    )
    restored = hashnet()
    steps = last.restore(restored)
    model.save(folder / "model.keras")
    whole, resumed = resumed_betas(folder)
    np.savez(
        folder / "found.npz",
        images=images,
        ids=ids,
        before=before,
        codes=model.encode(images),
        restored=restored.encode(images),
        z=keras.ops.convert_to_numpy(model.logits(images, training=False)),
        moves_10=np.concatenate([x.ravel() for x in moves(10.0)]),
        moves_1=np.concatenate([x.ravel() for x in moves(1.0)]),
    )
    found = {
        "backend": keras.backend.backend(),
        "tensorflow": [x for x in sys.modules if x.startswith("tensorflow")],
        "losses": losses,
        "history": history,
        "expected_betas": [schedule(6 * epoch + 5) for epoch in range(4)],
        "records": monitor.records,
        "steps": steps,
        "whole": whole,
        "resumed": resumed,
    }
    (folder / "found.json").write_text(json.dumps(found))


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
