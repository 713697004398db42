import keras
import numpy as np
import pytest
import tensorflow as tf

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
        # To compile takes longer than these few steps.
        run_eagerly=True,
    )
    history = model.fit(
        x, labels, batch_size=20, epochs=epochs, verbose=0, callbacks=callbacks
    )
    return model, history.history


def around(net, *layers, two=False):
    """A functional model that calls other layers, and then the HashNet."""
    inputs = x = keras.Input((5,))
    for layer in layers:
        x = layer(x)
    outputs = net(x)
    if two:
        outputs = [outputs, keras.layers.Dense(3)(x)]
    return keras.Model(inputs, outputs)


SCALED = keras.layers.Rescaling(-2.0, offset=0.5)
# The model that is trained, and what its HashNet sees of the images.
KINDS = {
    "itself": (lambda net: net, lambda x: x),
    "logits": (hn.models.LogitsModel, lambda x: x),
    "classes": (lambda net: hn.models.ClassifiedModel(net, 3), lambda x: x),
    "pairs": (hn.models.PairModel, lambda x: x),
    "functional": (around, lambda x: x),
    "two heads": (lambda net: around(net, two=True), lambda x: x),
    "behind a layer": (lambda net: around(net, SCALED), SCALED),
    "two heads behind one": (lambda net: around(net, SCALED, two=True), SCALED),
    "Sequential": (
        lambda net: keras.Sequential([keras.Input((5,)), SCALED, net]),
        SCALED,
    ),
}


@pytest.mark.parametrize(
    "kind, multi_hot",
    # What labels are told apart by has nothing to do with the model.
    [(kind, k % 2 == 1) for k, kind in enumerate(KINDS)],
)
def test_the_hashnet_within_is_what_is_measured(kind, multi_hot):
    x, labels = held_out(multi_hot)
    wrap, seen = KINDS[kind]
    net = head()
    # Some bits of each sign.
    net.hash_layer.bias.assign(np.linspace(-0.02, 0.02, 6))
    codes = net.encode(np.asarray(seen(x)))
    # Each asks for the others, not for itself.
    expected = [
        evaluate(
            codes[[i]],
            np.delete(codes, i, axis=0),
            labels[[i]],
            np.delete(labels, i, axis=0),
            6,
            at=1000,
        ).map
        for i in range(len(x))
    ]
    batches = tf.data.Dataset.from_tensor_slices((x, labels)).batch(6)
    shuffled = batches.unbatch().shuffle(20).batch(7)
    model = wrap(net)
    for given in ((x, labels), (batches,), (shuffled,), (list(batches),)):
        callback = hn.callbacks.RetrievalEvaluation(*given)
        callback.set_model(model)
        assert callback.measure() == pytest.approx(np.mean(expected))


def test_of_a_hashnet_in_another_the_outer_one_is_measured():
    x, labels = held_out(False)
    outer = hn.HashNet(around(head()), bits=4)
    values = []
    for model in (outer, hn.models.LogitsModel(outer)):
        callback = hn.callbacks.RetrievalEvaluation(x, labels)
        callback.set_model(model)
        values.append(callback.measure())
    others = hn.callbacks.RetrievalEvaluation(x, labels)._others(
        outer.encode(x), bits=4
    )
    assert values == [float(others.average_precision(1000).mean())] * 2


def test_two_hashnets_side_by_side_are_refused():
    inputs = keras.Input((5,))
    nets = [head(), hn.HashNet(keras.Model(inputs, inputs), 3, name="other")]
    callback = hn.callbacks.RetrievalEvaluation(*held_out(False))
    callback.set_model(keras.Model(inputs, [net(inputs) for net in nets]))
    with pytest.raises(ValueError, match="must hold one HashNet. Received: .*"):
        callback.measure()


def test_a_hashnet_whose_inputs_cannot_be_told_is_refused():
    net, inputs = head(), keras.Input((5,))
    twice = keras.Model(inputs, [net(inputs), net(SCALED(inputs))])
    callback = hn.callbacks.RetrievalEvaluation(*held_out(False))
    callback.set_model(twice)
    with pytest.raises(ValueError, match="must call its HashNet once"):
        callback.measure()
    callback.set_model(net)
    assert 0 < callback.measure() < 1


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
        ({"labels": np.arange(3)}, r"`labels` .* Received: labels.shape=\(3,"),
        ({"labels": np.arange(20) % 3 / 2}, "`labels` .*labels.dtype=float64"),
        ({"labels": np.full((20, 2), 7)}, r"`labels` .* labels\[0, 0\]=7"),
        ({"labels": None}, "batches .* Received: images=ndarray"),
        ({"images": [1, 2], "labels": None}, "a batch of type int"),
        ({"images": iter(()), "labels": None}, "must hold batches"),
        ({"verbose": 7}, "Received: verbose=7"),
        ({"images": np.zeros((1, 5)), "labels": [0]}, "Received: 1 images"),
    ],
)
def test_refuses(arguments, message):
    x, labels = held_out(False)
    with pytest.raises(ValueError, match=message):
        hn.callbacks.RetrievalEvaluation(
            **{"images": x, "labels": labels, **arguments}
        )


def test_refuses_batches_without_end():
    pairs = tf.data.Dataset.from_tensor_slices(held_out(False))
    with pytest.raises(ValueError, match="that end. Received: images=_Batch"):
        hn.callbacks.RetrievalEvaluation(pairs.repeat().batch(4))


@pytest.mark.parametrize("verbose, lines", [(0, 0), (1, 2)])
def test_verbose(verbose, lines, capsys):
    callback = hn.callbacks.RetrievalEvaluation(
        *held_out(False), verbose=verbose
    )
    _, history = fit([callback], epochs=2)
    printed = capsys.readouterr().out
    assert printed.count("val_map") == lines
    if lines:
        last = history["val_map"][-1]
        assert f"val_map {last:.4f} after epoch 2" in printed
