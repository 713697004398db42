import keras
import numpy as np
import pytest

import hashnet_tf as hn
from hashnet_tf.retrieval import evaluate, pack


def head(bits=6):
    keras.utils.set_random_seed(0)
    x = keras.Input((5,))
    return hn.HashNet(keras.Model(x, keras.layers.Dense(8)(x)), bits=bits)


def held_out(multi_hot):
    rng = np.random.default_rng(1)
    x = rng.normal(size=(20, 5)).astype("float32")
    if multi_hot:
        labels = (rng.random((20, 4)) < 0.3).astype(int)
        labels[3] = 0
    else:
        labels = rng.integers(0, 3, 20)
        labels[3] = -1
    return x, labels


@pytest.mark.parametrize("multi_hot", [False, True])
@pytest.mark.parametrize("at", [4, 1000])
def test_each_image_asks_for_the_others(multi_hot, at):
    x, labels = held_out(multi_hot)
    model = head()
    callback = hn.callbacks.RetrievalEvaluation(x, labels, at=at)
    callback.set_model(model)
    codes = pack(model.predict(x, verbose=0))
    expected = []
    for i in range(20):
        others = np.delete(np.arange(20), i)
        report = evaluate(
            codes[[i]], codes[others], labels[[i]], labels[others], 6, at
        )
        expected.append(report.map)
    assert callback.measure() == pytest.approx(np.mean(expected), abs=1e-12)
    assert 0 < np.mean(expected) < 1


def test_a_column_of_ids_is_ids():
    x, labels = held_out(False)
    model = head()
    values = []
    for given in (labels, labels[:, None]):
        callback = hn.callbacks.RetrievalEvaluation(x, given)
        callback.set_model(model)
        values.append(callback.measure())
    assert values[0] == values[1]


def fit(callbacks, epochs=5):
    x, labels = held_out(False)
    model = head()
    model.compile(
        optimizer=keras.optimizers.Adam(0.05),
        loss=hn.losses.WeightedPairwiseLoss(),
    )
    history = model.fit(
        x, labels, batch_size=20, epochs=epochs, verbose=0, callbacks=callbacks
    )
    return model, history.history


def test_the_hashnet_within_is_what_is_measured():
    x, labels = held_out(False)
    inputs = keras.Input(x.shape[1:])
    net = hn.HashNet(keras.Model(inputs, keras.layers.Dense(6)(inputs)), 8)
    codes = net.encode(x)
    alone = hn.callbacks.RetrievalEvaluation(x, labels)
    alone.set_model(net)
    expected = alone.measure()
    # Each asks for the others, not for itself.
    found = [
        hn.retrieval.evaluate(
            codes[i : i + 1],
            np.delete(codes, i, axis=0),
            labels[i : i + 1],
            np.delete(labels, i, axis=0),
            8,
            at=1000,
        ).map
        for i in range(len(x))
    ]
    assert expected == pytest.approx(np.mean(found))
    for model in (
        hn.models.ClassifiedModel(net, classes=4),
        hn.models.LogitsModel(net),
        hn.models.PairModel(net),
    ):
        callback = hn.callbacks.RetrievalEvaluation(x, labels)
        callback.set_model(model)
        assert callback.measure() == expected


def test_two_heads_without_a_hashnet_are_refused():
    x, labels = held_out(False)
    inputs = keras.Input(x.shape[1:])
    heads = [keras.layers.Dense(4)(inputs) for _ in range(2)]
    callback = hn.callbacks.RetrievalEvaluation(x, labels)
    callback.set_model(keras.Model(inputs, heads))
    with pytest.raises(ValueError, match="must give one array.* a list"):
        callback.measure()


def test_logs_every_few_epochs_and_repeats_the_last():
    x, labels = held_out(False)
    callback = hn.callbacks.RetrievalEvaluation(x, labels, every=2)
    measured = []
    measure = callback.measure
    callback.measure = lambda: measured.append(measure()) or measured[-1]
    model, history = fit([callback])
    assert len(measured) == 2
    # Nothing is known at the end of the first epoch.
    first, second = measured
    assert history["val_map"] == [first, first, second, second]


def test_model_checkpoint_and_early_stopping_use_it(tmp_path):
    x, labels = held_out(False)
    values = iter([0.2, 0.6, 0.5, 0.4, 0.9])
    callback = hn.callbacks.RetrievalEvaluation(x, labels)
    callback.measure = lambda: next(values)
    path = tmp_path / "best-{epoch}.keras"
    _, history = fit(
        [
            callback,
            keras.callbacks.ModelCheckpoint(
                str(path), monitor="val_map", mode="max", save_best_only=True
            ),
            keras.callbacks.EarlyStopping(
                monitor="val_map", mode="max", patience=2
            ),
        ]
    )
    assert history["val_map"] == [0.2, 0.6, 0.5, 0.4]
    saved = sorted(path.name for path in tmp_path.iterdir())
    assert saved == ["best-1.keras", "best-2.keras"]


@pytest.mark.slow
def test_training_on_clusters_brings_it_to_one():
    rng = np.random.default_rng(0)
    labels = np.arange(30) % 3
    x = 3 * np.eye(5)[labels] + rng.normal(scale=0.1, size=(30, 5))
    model = head()
    model.compile(
        optimizer=keras.optimizers.Adam(0.05),
        loss=hn.losses.WeightedPairwiseLoss(),
    )
    callback = hn.callbacks.RetrievalEvaluation(x, labels)
    history = model.fit(
        x, labels, batch_size=30, epochs=20, verbose=0, callbacks=[callback]
    )
    assert history.history["val_map"][-1] == 1.0


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"at": 0}, "Received: at=0"),
        ({"every": 0}, "Received: every=0"),
        ({"batch_size": -1}, "Received: batch_size=-1"),
        ({"labels": np.arange(20)}, "Received: 20 images of which no two do"),
        ({"labels": np.arange(3)}, r"Received: query_labels.shape=\(3,\)"),
        ({"images": np.zeros((1, 5)), "labels": [0]}, "Received: 1 images"),
    ],
)
def test_refuses(arguments, message):
    x, labels = held_out(False)
    with pytest.raises(ValueError, match=message):
        hn.callbacks.RetrievalEvaluation(
            **{"images": x, "labels": labels, **arguments}
        )
