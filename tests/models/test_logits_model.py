import keras
import numpy as np
import pytest

import hashnet_tf as hn


@pytest.fixture
def hashnet():
    keras.utils.set_random_seed(0)
    inputs = keras.Input((20,))
    x = keras.layers.Dense(16, activation="relu")(inputs)
    return hn.HashNet(keras.Model(inputs, x), bits=12)


@pytest.fixture
def x():
    return np.random.default_rng(0).normal(size=(30, 20)).astype("float32")


def test_gives_z_whatever_beta_is(hashnet, x):
    model = hn.models.LogitsModel(hashnet)
    z = model.predict(x, verbose=0)
    kernel, bias = hashnet.hash_layer.get_weights()
    features = hashnet.backbone.predict(x, verbose=0)
    np.testing.assert_allclose(z, features @ kernel + bias, atol=1e-6)
    hashnet.scaled_tanh.beta.assign(50.0)
    np.testing.assert_array_equal(model.predict(x, verbose=0), z)


def test_training_it_trains_the_hashnet(hashnet, x, tmp_path):
    model = hn.models.LogitsModel(hashnet)
    before = [w.copy() for w in hashnet.get_weights()]
    model.compile(keras.optimizers.SGD(0.1), "mse")
    model.fit(x, np.ones((30, 12)), verbose=0)
    moved = [
        (a != b).any()
        for a, b in zip(before, hashnet.get_weights(), strict=True)
    ]
    # All but the kept state of the scaled tanh.
    assert moved[:4] == [True] * 4
    path = tmp_path / "model.keras"
    model.save(path)
    loaded = keras.saving.load_model(path)
    assert type(loaded) is hn.models.LogitsModel
    np.testing.assert_array_equal(
        loaded.predict(x, verbose=0), model.predict(x, verbose=0)
    )
    np.testing.assert_array_equal(loaded.hashnet.encode(x), hashnet.encode(x))
