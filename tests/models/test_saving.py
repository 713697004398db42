"""A .keras file holds the whole of a HashNet, or is not written."""

import json

import keras
import numpy as np
import pytest

import hashnet_tf as hn

# Keras tells of each layer that it leaves as it is.
pytestmark = pytest.mark.filterwarnings(
    "ignore:Layer .* does not have a `quantize` method"
)

X = np.random.default_rng(0).normal(size=(21, 8)).astype("float32")


def vectors():
    inputs = keras.Input((8,))
    return keras.Model(
        inputs, keras.layers.Dense(16, activation="relu")(inputs)
    )


@pytest.fixture
def model():
    keras.utils.set_random_seed(0)
    return hn.HashNet(vectors(), bits=12)


@pytest.fixture
def again(tmp_path):
    """Saves a model and loads it."""

    def save_and_load(model):
        path = tmp_path / "model.keras"
        model.save(path)
        return keras.saving.load_model(path)

    return save_and_load


def low_rank(model):
    model.hash_layer.enable_lora(2, lora_alpha=8)
    b = model.hash_layer.lora_kernel_b
    b.assign(np.random.default_rng(0).normal(size=b.shape))


def quantized(model):
    model.quantize("int8")


def quantized_to_4_bits(model):
    model.quantize("int4")


def quantized_layer(model):
    model.hash_layer.quantize("int8")


def low_rank_and_quantized(model):
    low_rank(model)
    quantized_layer(model)


def frozen(model):
    model.hash_layer.trainable = False


def all_frozen(model):
    model.trainable = False


def with_a_regularizer(model):
    model.hash_layer.kernel_regularizer = keras.regularizers.L2(0.5)


def half_precision(model):
    model.hash_layer.dtype_policy = "mixed_float16"


def half_precision_tanh(model):
    model.scaled_tanh.dtype_policy = "mixed_bfloat16"


def another_layer(model):
    layer = keras.layers.Dense(
        12, kernel_constraint=keras.constraints.MaxNorm(2.0), name="codes"
    )
    layer.build((None, 16))
    model.hash_layer = layer


def config(layer):
    # JSON knows no tuples.
    return json.loads(json.dumps(layer.get_config()))


CHANGES = [
    low_rank,
    quantized,
    quantized_to_4_bits,
    quantized_layer,
    frozen,
    all_frozen,
    with_a_regularizer,
    half_precision,
    half_precision_tanh,
    another_layer,
]


@pytest.mark.parametrize("change", CHANGES)
def test_what_was_changed_is_in_the_file(change, model, again):
    change(model)
    loaded = again(model)
    np.testing.assert_array_equal(loaded.encode(X), model.encode(X))
    assert config(loaded.hash_layer) == config(model.hash_layer)
    for name in ("trainable_weights", "non_trainable_weights"):
        paths = [weight.path for weight in getattr(model, name)]
        assert [weight.path for weight in getattr(loaded, name)] == paths
    assert loaded.scaled_tanh.dtype_policy == model.scaled_tanh.dtype_policy
    if change is not low_rank:
        # Which Keras merges into the kernel.
        digest = hn.models.weights_digest(model)
        assert hn.models.weights_digest(loaded) == digest


@pytest.mark.parametrize(
    "change",
    [
        another_layer,
        low_rank,
        quantized,
        *(
            pytest.param(change, marks=pytest.mark.slow)
            for change in CHANGES
            if change not in (another_layer, low_rank, quantized)
        ),
    ],
)
def test_what_was_changed_is_kept_on_top_of_a_network(change, model):
    change(model)
    inputs = keras.Input((4,))
    network = keras.Model(inputs, keras.layers.Dense(8)(inputs))
    whole = model.on_top_of(network)
    np.testing.assert_array_equal(
        whole.encode(X[:, :4]), model.encode(network.predict_on_batch(X[:, :4]))
    )
    assert whole.hash_layer is not model.hash_layer
    assert config(whole.hash_layer) == config(model.hash_layer)


def test_an_exchanged_layer_is_not_counted_any_more(model):
    names = [layer.name for layer in model.layers]
    another_layer(model)
    assert [layer.name for layer in model.layers] == [
        "codes" if name == "hash" else name for name in names
    ]
    assert len(model.trainable_weights) == 4
    assert model.trainable_weights[2] is model.hash_layer.kernel


def test_a_hash_layer_of_ones_own(again):
    layer = keras.layers.Dense(
        12,
        kernel_initializer=keras.initializers.Orthogonal(seed=1),
        kernel_regularizer=keras.regularizers.L2(0.5),
        use_bias=False,
        name="hash",
    )
    model = hn.HashNet(vectors(), bits=12, hash_layer=layer)
    assert model.hash_layer is layer
    kernel = layer.kernel.numpy()
    np.testing.assert_allclose(kernel.T @ kernel, np.eye(12), atol=1e-5)
    loaded = again(model)
    assert config(loaded.hash_layer) == config(layer)
    np.testing.assert_allclose(loaded.losses, model.losses, rtol=1e-6)
    assert len(model.losses) == 1
    assert loaded.hash_layer.bias is None
    np.testing.assert_array_equal(loaded.encode(X), model.encode(X))


def built_on_others():
    layer = keras.layers.Dense(12)
    layer.build((None, 9))
    return layer


@pytest.mark.parametrize(
    "layer, message",
    [
        (lambda: keras.layers.Dense(11), "with units=11 and .* bits=12"),
        (lambda: keras.layers.Dense(12, activation="tanh"), "function tanh"),
        (lambda: keras.layers.Flatten(), "'flatten.*' of Flatten"),
        (lambda: 12, "hash_layer=12 of int"),
        (built_on_others, "Received: 9 in place of 16"),
    ],
)
def test_another_hash_layer_is_refused(layer, message, model, tmp_path):
    with pytest.raises(ValueError, match=f"`hash_layer` must be .*{message}"):
        hn.HashNet(vectors(), bits=12, hash_layer=layer())
    # Where it was put in later, the file is refused.
    model.hash_layer = layer()
    with pytest.raises(ValueError, match=f"`hash_layer` must be .*{message}"):
        model.save(tmp_path / "model.keras")
    assert not list(tmp_path.iterdir())


@keras.saving.register_keras_serializable("tests")
class Shifted(hn.HashNet):
    """A HashNet with a layer and an argument of its own."""

    def __init__(self, backbone, bits, shift=0.0, **kwargs):
        super().__init__(backbone, bits, **kwargs)
        self.shift = shift
        self.scale = keras.layers.BatchNormalization()
        self.scale.build((None, bits))

    def logits(self, inputs, training=None):
        return self.scale(super().logits(inputs, training)) + self.shift

    def get_config(self):
        return {**super().get_config(), "shift": self.shift}


@keras.saving.register_keras_serializable("tests")
class Forgetful(Shifted):
    def get_config(self):
        config = super().get_config()
        del config["shift"]
        return config


def test_a_subclass_comes_back(again):
    model = Shifted(vectors(), 12, shift=0.5)
    model.scale.gamma.assign(np.arange(12.0))
    inputs = keras.Input((8,))
    whole = model.on_top_of(keras.Model(inputs, inputs))
    for other in (again(model), whole):
        assert type(other) is Shifted and other.shift == 0.5
        np.testing.assert_allclose(other(X), model(X), rtol=1e-5)


def test_a_subclass_whose_file_would_lose_something_is_refused(tmp_path):
    model = Forgetful(vectors(), 12, shift=0.5)
    message = "`get_config` of Forgetful must .* without shift"
    for whole in (model, hn.models.LogitsModel(model)):
        with pytest.raises(ValueError, match=message):
            whole.save(tmp_path / "model.keras")
    assert not list(tmp_path.iterdir())
    inputs = keras.Input((8,))
    with pytest.raises(ValueError, match=message):
        model.on_top_of(keras.Model(inputs, inputs))


def test_the_classifier_is_in_the_file(model, again):
    whole = hn.models.ClassifiedModel(model, classes=3)
    whole.classifier.quantize("int8")
    whole.classifier.trainable = False
    loaded = again(whole)
    assert config(loaded.classifier) == config(whole.classifier)
    np.testing.assert_array_equal(
        loaded.predict_on_batch(X), whole.predict_on_batch(X)
    )
    assert [w.path for w in loaded.weights] == [w.path for w in whole.weights]


def test_low_rank_over_quantized_is_refused(model, tmp_path):
    low_rank_and_quantized(model)
    message = "layer 'hash' with lora_rank=2 .*'int8'"
    with pytest.raises(ValueError, match=message):
        hn.models.LogitsModel(model).save(tmp_path / "model.keras")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("ending", ["h5", "hdf5"])
def test_the_older_format_is_refused(ending, model, tmp_path):
    path = tmp_path / f"model.{ending}"
    with pytest.raises(ValueError, match=f"must end in .keras.*{path}"):
        model.save(path)
    assert not path.exists()


@pytest.mark.slow
@pytest.mark.parametrize(
    "imports",
    [
        "import keras, hashnet_tf",
        "import hashnet_tf, keras",
        "import hashnet_tf as hn; hn.optimizers.LayerwiseSGD; import keras",
        "import hashnet_tf as hn; hn.layers.Sign; import keras",
        "import hashnet_tf as hn; hn.losses.DHNLoss; import keras",
    ],
)
def test_the_package_alone_lets_keras_load_a_rival(
    imports, model, loaded_apart, tmp_path
):
    path = tmp_path / "model.keras"
    whole = hn.models.LogitsModel(model)
    optimizer = hn.optimizers.LayerwiseSGD(0.1, multipliers={"hash": 2.0})
    whole.compile(optimizer, hn.losses.DPSHLoss())
    whole.fit(X, np.arange(21) % 3, verbose=0)
    whole.save(path)
    told = "type(model).__name__, type(model.loss).__name__"
    told += ", type(model.optimizer).__name__"
    printed = loaded_apart(imports, path, told)
    assert printed == ["LogitsModel", "DPSHLoss", "LayerwiseSGD"]
