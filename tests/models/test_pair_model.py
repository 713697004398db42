import keras
import numpy as np
import pytest
import tensorflow as tf

import hashnet_tf as hn

N, CLASSES = 90, 3


@pytest.fixture
def items():
    """Features `[n, 20]` whose first three tell the class, the rest nothing."""
    ids = np.arange(N) % CLASSES
    x = 0.8 * np.random.default_rng(3).normal(size=(N, 20))
    x[np.arange(N), ids] += 4.0
    return x.astype("float32"), ids


@pytest.fixture
def triples(items):
    """Pairs of items `x_i, x_j`, and whether they belong together."""
    x, ids = items
    i, j = np.random.default_rng(4).integers(0, N, (2, 400))
    return (x[i], x[j]), (ids[i] == ids[j]).astype("float32")


@pytest.fixture
def pair_model():
    keras.utils.set_random_seed(5)
    inputs = keras.Input((20,))
    x = keras.layers.Dense(16)(inputs)
    x = keras.layers.BatchNormalization()(x)
    x = keras.layers.ReLU()(x)
    model = hn.models.PairModel(hn.HashNet(keras.Model(inputs, x), bits=12))
    model.compile(keras.optimizers.Adam(0.02), hn.losses.GivenPairsLoss())
    return model


def mean_average_precision(hashnet, items):
    x, ids = items
    codes = hashnet.encode(x)
    return hn.retrieval.evaluate(codes[:30], codes[30:], ids[:30], ids[30:]).map


def test_gives_the_codes_of_both(pair_model, triples):
    (first, second), _ = triples
    g = pair_model((first, second))
    assert g.shape == (400, 2, 12)
    for k, x in enumerate((first, second)):
        np.testing.assert_allclose(
            g[:, k], pair_model.hashnet(x), rtol=1e-5, atol=1e-7
        )


def test_batch_normalisation_sees_both_together(pair_model, triples):
    (first, second), _ = triples
    dense, norm = pair_model.hashnet.backbone.layers[1:3]
    x = np.asarray(dense(np.concatenate([first + 5, second])), "float64")
    pair_model((first + 5, second), training=True)
    # The momentum is .99; means of the halves would lie far from this one.
    np.testing.assert_allclose(
        norm.moving_mean, 0.01 * x.mean(axis=0), rtol=1e-4, atol=1e-6
    )
    np.testing.assert_allclose(
        norm.moving_variance, 0.99 + 0.01 * x.var(axis=0), rtol=1e-4
    )


@pytest.mark.slow
def test_training_on_pairs_teaches_the_hashnet(pair_model, triples, items):
    hashnet = pair_model.hashnet
    before = mean_average_precision(hashnet, items)
    schedule = hn.schedules.SquareRootBeta(gamma=0.1, step_size=5)
    # Another test takes arrays.
    data = tf.data.Dataset.from_tensor_slices(triples).batch(50)
    history = pair_model.fit(
        data,
        shuffle=False,
        epochs=15,
        verbose=0,
        callbacks=[hn.callbacks.Continuation(schedule)],
    ).history
    # The HashNet inside has the beta of the last of 15 * 8 steps.
    assert history["beta"][-1] == schedule(119)
    assert hashnet.scaled_tanh.beta.numpy() == np.float32(schedule(119))
    assert history["loss"][-1] < 0.5 * history["loss"][0]
    after = mean_average_precision(hashnet, items)
    assert after > 0.95 > before + 0.15


@pytest.mark.slow
def test_round_trips(pair_model, triples, items, tmp_path):
    pair_model.fit(*triples, batch_size=50, verbose=0)
    twin = hn.models.PairModel.from_config(pair_model.get_config())
    assert twin.get_config() == pair_model.get_config()
    path = tmp_path / "pairs.keras"
    pair_model.save(path)
    loaded = keras.saving.load_model(path)
    np.testing.assert_array_equal(
        loaded.hashnet.encode(items[0]), pair_model.hashnet.encode(items[0])
    )
    np.testing.assert_array_equal(
        loaded.predict(triples[0], verbose=0),
        pair_model.predict(triples[0], verbose=0),
    )
    assert loaded.loss.get_config() == pair_model.loss.get_config()
    losses = [
        model.fit(*triples, batch_size=50, shuffle=False, verbose=0).history
        for model in (pair_model, loaded)
    ]
    assert losses[0] == losses[1]


def test_the_hashnet_is_saved_on_its_own(pair_model, triples, items, tmp_path):
    pair_model.run_eagerly = True
    pair_model.fit(*triples, batch_size=50, verbose=0)
    path = tmp_path / "model.keras"
    pair_model.hashnet.save(path)
    np.testing.assert_array_equal(
        keras.saving.load_model(path).encode(items[0]),
        pair_model.hashnet.encode(items[0]),
    )
