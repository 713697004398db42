import warnings

import keras
import numpy as np
import pytest
import tensorflow as tf

import hashnet_tf as hn
from hashnet_tf.losses import DPSHLoss

MEASURES = ("J", "L", "gap", "bit_balance", "bit_correlation")


def eq4(codes, ids):
    """Eq. 4 as a mean over the pairs i != j, alpha = 5 / K."""
    n, bits = codes.shape
    pairs = [(i, j) for i in range(n) for j in range(n) if i != j]
    similar = sum(ids[i] == ids[j] for i, j in pairs)
    total = 0.0
    for i, j in pairs:
        s = float(ids[i] == ids[j])
        count = similar if s else len(pairs) - similar
        p = 5.0 / bits * np.dot(codes[i], codes[j])
        total += len(pairs) / count * (np.log1p(np.exp(p)) - s * p)
    return total / len(pairs)


def pearson(a, b):
    a, b = a - a.mean(), b - b.mean()
    return np.sum(a * b) / np.sqrt(np.sum(a * a) * np.sum(b * b))


def by_hand(z, beta, ids):
    g = np.tanh(beta * z.astype("float64"))
    h = np.where(z >= 0, 1.0, -1.0)
    varying = [k for k in range(h.shape[1]) if len(set(h[:, k])) == 2]
    correlations = [
        abs(pearson(h[:, k], h[:, m]))
        for k in varying
        for m in varying
        if k != m
    ]
    return {
        "J": eq4(g, ids),
        "L": eq4(h, ids),
        "gap": np.mean(1 - np.abs(g)),
        "bit_balance": np.mean([abs(column.mean()) for column in h.T]),
        "bit_correlation": np.mean(correlations),
        "bit_means": [column.mean() for column in h.T],
    }


def logits(model, x):
    return keras.ops.convert_to_numpy(model.logits(x, training=False))


def check(record, expected):
    for name, value in expected.items():
        np.testing.assert_allclose(record[name], value, rtol=1e-5, atol=1e-7)


def fit(model, features, epochs, callbacks):
    return model.fit(
        *features,
        batch_size=6,
        shuffle=False,
        epochs=epochs,
        verbose=0,
        callbacks=callbacks,
    ).history


@pytest.fixture
def schedule():
    return hn.schedules.SquareRootBeta(gamma=0.5, power=1.0, step_size=1)


def test_measures_before_training_and_after_each_epoch(
    head, features, schedule
):
    model = head()
    monitor = hn.callbacks.ContinuationMonitor(*features, batch_size=5)
    before = logits(model, features[0])
    history = fit(
        model, features, 1, [hn.callbacks.Continuation(schedule), monitor]
    )
    after = logits(model, features[0])
    first, last = monitor.records
    assert (first["step"], first["beta"]) == (0, 1.0)
    # Steps 0 to 3 are done, the last with beta = 1 + 3 / 2.
    assert (last["step"], last["beta"]) == (4, 2.5)
    check(first, by_hand(before, 1.0, features[1]))
    check(last, by_hand(after, 2.5, features[1]))
    assert abs(first["J"] - last["J"]) > 0.1
    assert {name: history[name] for name in MEASURES} == {
        name: [last[name]] for name in MEASURES
    }


def identity_hashnet(kernel, bias):
    """A HashNet whose z is `x @ kernel + bias`."""
    kernel = np.array(kernel, "float32")
    inputs = keras.Input((len(kernel),))
    model = hn.HashNet(keras.Model(inputs, inputs), bits=kernel.shape[1])
    model.hash_layer.set_weights([kernel, np.array(bias, "float32")])
    model.compile("sgd", hn.losses.WeightedPairwiseLoss(), run_eagerly=True)
    return model


def measure(monitor, model):
    monitor.set_model(model)
    monitor.on_train_begin()
    monitor.on_epoch_begin(0)
    return monitor.records[-1]


def test_bits_worked_by_hand():
    x = np.array([[1, 1], [1, -1], [-1, 1], [-1, -1]], "float32")
    # The first bit and its opposite, one that is independent, one that is +1
    # throughout, of which no correlation can be told.
    model = identity_hashnet([[2, -1, 0, 0], [0, 0, 3, 0]], [0, 0, 0, 5])
    monitor = hn.callbacks.ContinuationMonitor(x, [0, 1, 0, 1])
    record = measure(monitor, model)
    assert record["bit_means"] == [0.0, 0.0, 0.0, 1.0]
    assert record["bit_balance"] == 0.25
    assert record["bit_correlation"] == pytest.approx(1 / 3, abs=1e-7)
    gap = 1 - np.mean(np.tanh([2, 1, 3, 5]))
    assert record["gap"] == pytest.approx(gap, abs=1e-6)


@pytest.mark.parametrize("bits", [1, 3])
def test_bits_that_never_vary_repeat_nothing(bits):
    model = identity_hashnet(np.zeros((2, bits)), np.zeros(bits))
    monitor = hn.callbacks.ContinuationMonitor(np.zeros((4, 2)), [0, 1, 0, 1])
    record = measure(monitor, model)
    # z = 0 everywhere: g = 0, but sgn(0) = +1.
    assert record["bit_correlation"] == 0.0
    assert record["bit_means"] == [1.0] * bits
    assert record["bit_balance"] == record["gap"] == 1.0
    assert record["J"] == pytest.approx(2 * np.log(2), rel=1e-6)
    check(record, {"L": eq4(np.ones((4, bits)), [0, 1, 0, 1])})


def test_theorem_1_only_beta_changes_and_L_does_not(head, features):
    model = head()
    monitor = hn.callbacks.ContinuationMonitor(*features)
    records = []
    for beta in (1.0, 1.5, 7.071, 100.0, 1e6):
        model.scaled_tanh.beta.assign(beta)
        records.append(measure(monitor, model))
    assert len({record["L"] for record in records}) == 1
    gaps = [record["gap"] for record in records]
    assert all(a > b for a, b in zip(gaps, gaps[1:], strict=False))
    distances = [abs(record["J"] - record["L"]) for record in records]
    assert distances[0] > 0.1
    assert distances[-1] < 1e-5


@pytest.mark.slow
def test_it_changes_nothing_in_training(head, features, schedule):
    alone, watched = head(), head()
    monitor = hn.callbacks.ContinuationMonitor(*features)
    fit(alone, features, 2, [hn.callbacks.Continuation(schedule)])
    fit(watched, features, 2, [hn.callbacks.Continuation(schedule), monitor])
    for one, other in zip(alone.weights, watched.weights, strict=True):
        np.testing.assert_array_equal(one.numpy(), other.numpy())


def test_with_patience_J_is_that_of_the_beta_trained_with(head, features):
    model = head()
    model.optimizer.learning_rate = 0.0
    schedule = hn.schedules.StagedBeta([1.0, 2.0], patience=1)
    monitor = hn.callbacks.ContinuationMonitor(*features)
    history = fit(
        model, features, 3, [monitor, hn.callbacks.Continuation(schedule)]
    )
    assert history["beta"] == [1.0, 1.0, 2.0]
    assert [record["beta"] for record in monitor.records[1:]] == [1.0, 1.0, 2.0]
    z = logits(model, features[0])
    check(monitor.records[2], by_hand(z, 1.0, features[1]))
    check(monitor.records[3], by_hand(z, 2.0, features[1]))


@pytest.mark.slow
def test_a_resumed_run_begins_with_what_was_restored(
    head, features, schedule, kill, killed, tmp_path
):
    def callbacks(monitor):
        return [
            hn.callbacks.Continuation(schedule),
            monitor,
            keras.callbacks.BackupAndRestore(tmp_path),
        ]

    first = hn.callbacks.ContinuationMonitor(*features)
    second = hn.callbacks.ContinuationMonitor(*features)
    with pytest.raises(killed):
        fit(head(), features, 2, [*callbacks(first), kill(5)])
    fit(head(), features, 2, callbacks(second))
    assert [record["step"] for record in first.records] == [0, 4]
    assert [record["step"] for record in second.records] == [4, 8]
    assert second.records[0] == first.records[1]


def test_a_run_that_has_nothing_left_to_do_is_measured(
    head, features, schedule, capsys
):
    monitor = hn.callbacks.ContinuationMonitor(*features, verbose=1)
    model = head()
    fit(model, features, 0, [hn.callbacks.Continuation(schedule), monitor])
    (record,) = monitor.records
    printed = capsys.readouterr().out
    assert f"beta 1 leaves a quantisation gap of {record['gap']:.4f}" in printed
    assert f"J {record['J']:.4f}, L {record['L']:.4f}" in printed


def test_a_loss_of_its_own(head, features):
    model = head()
    model.compile("sgd", "mse", run_eagerly=True)
    monitor = hn.callbacks.ContinuationMonitor(
        *features, loss=hn.losses.WeightedPairwiseLoss()
    )
    record = measure(monitor, model)
    check(record, by_hand(logits(model, features[0]), 1.0, features[1]))


@pytest.mark.slow
def test_writes_to_tensorboard(head, features, schedule, tmp_path):
    pytest.importorskip("tensorboard")
    history = fit(
        head(),
        features,
        2,
        [
            hn.callbacks.Continuation(schedule),
            hn.callbacks.ContinuationMonitor(*features),
            keras.callbacks.TensorBoard(tmp_path, write_graph=False),
        ],
    )
    found = {}
    for path in tmp_path.rglob("events.*"):
        for record in tf.data.TFRecordDataset(str(path)):
            event = tf.compat.v1.Event.FromString(record.numpy())
            for value in event.summary.value:
                number = float(tf.make_ndarray(value.tensor))
                found.setdefault(value.tag, {})[event.step] = number
    for name in (*MEASURES, "beta", "loss"):
        expected = dict(enumerate(np.float32(history[name]).tolist()))
        assert len(expected) == 2
        assert found[f"epoch_{name}"] == expected


@pytest.mark.parametrize(
    "images, labels",
    [(np.zeros((3, 5)), [0, 1]), (np.zeros((1, 5)), [0]), ([], [])],
)
def test_refuses_a_sample_without_pairs(images, labels):
    received = f"Received: {len(images)} images and {len(labels)} labels"
    with pytest.raises(ValueError, match=received):
        hn.callbacks.ContinuationMonitor(images, labels)


@pytest.mark.parametrize("loss", ["mse", None])
def test_refuses_a_model_without_a_loss_object(loss, head, features):
    model = hn.HashNet.from_config(head().get_config())
    model.compile("sgd", loss)
    monitor = hn.callbacks.ContinuationMonitor(*features)
    monitor.set_model(model)
    with pytest.raises(ValueError, match=f"Received: loss={loss!r}"):
        monitor.on_train_begin()


def test_watches_the_hashnet_within_a_model(head, features):
    hashnet = head()
    model = hn.models.LogitsModel(hashnet)
    model.compile("sgd", DPSHLoss(), run_eagerly=True)
    monitor = hn.callbacks.ContinuationMonitor(
        *features, hn.losses.WeightedPairwiseLoss(), hashnet=hashnet
    )
    fit(model, features, 1, [monitor])
    assert [record["beta"] for record in monitor.records] == [1.0, 1.0]
    z = logits(hashnet, features[0])
    np.testing.assert_allclose(monitor.codes(), np.tanh(z), rtol=1e-5)
    check(monitor.records[-1], by_hand(z, 1.0, features[1]))


@pytest.mark.slow
@pytest.mark.parametrize(
    "fits, own, lines", [(0, None, 0), (0, 1, 1), (2, None, 1), (2, 0, 0)]
)
def test_obeys_verbose(fits, own, lines, head, features, capsys):
    monitor = hn.callbacks.ContinuationMonitor(*features, verbose=own)
    head().fit(*features, verbose=fits, callbacks=[monitor])
    assert capsys.readouterr().out.count("quantisation gap") == lines


@pytest.mark.slow
def test_warns_where_all_codes_become_one(head, features):
    x, ids = features
    order = np.argsort(ids, kind="stable")
    monitor = hn.callbacks.ContinuationMonitor(x, ids)
    model = head(run_eagerly=False)
    model.optimizer.learning_rate = 1.0
    # Each batch holds one class; what is measured after an epoch takes longer.
    with pytest.warns(UserWarning, match="are one after training.*PairSampler"):
        model.fit(
            np.tile(x[order], (12, 1)),
            np.tile(ids[order], 12),
            batch_size=8,
            shuffle=False,
            verbose=0,
            callbacks=[monitor],
        )


@pytest.mark.parametrize("labels", ["ids", "matrix", "clicks"])
def test_warns_of_a_sample_without_a_dissimilar_pair(labels, head, features):
    x, model = features[0], head()
    loss = model.loss
    given = np.full(24, 3)
    if labels == "matrix":
        given = np.ones((24, 24))
        loss = hn.losses.WeightedPairwiseLoss(similarity="given")
    elif labels == "clicks":
        given, loss = np.ones(24), hn.losses.GivenPairsLoss()
    monitor = hn.callbacks.ContinuationMonitor(x, given, loss)
    monitor.set_model(model)
    with pytest.warns(UserWarning, match="sample holds no dissimilar pair"):
        monitor.on_train_begin()


def test_warns_where_training_hardly_begins(features):
    keras.utils.set_random_seed(0)
    inputs = keras.Input((5,))
    hidden = keras.layers.Dense(64, activation="relu")(inputs)
    model = hn.HashNet(keras.Model(inputs, hidden), 16)
    model.compile(
        keras.optimizers.Adam(1e-3),
        hn.losses.WeightedPairwiseLoss(),
        jit_compile=False,
    )
    before, ids = model.get_weights(), features[1]
    # What decides is how long the vectors are.
    for scale, warned in ((0.02, True), (1.0, False)):
        x = scale * features[0]
        model.set_weights(before)
        monitor = hn.callbacks.ContinuationMonitor(x, ids)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            model.fit(
                x, ids, batch_size=2, epochs=2, verbose=0, callbacks=[monitor]
            )
        found = [
            str(w.message) for w in caught if "hardly begins" in str(w.message)
        ]
        # Once, though there are 24 steps in all.
        assert len(found) == warned, scale
        assert all("Normalization" in message for message in found)
