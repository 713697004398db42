import doctest
import json
import re
import typing
import zipfile

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import ops

import hashnet_tf as hn
from hashnet_tf import optimizers
from hashnet_tf.layers import ScaledTanh
from hashnet_tf.losses import WeightedPairwiseLoss
from hashnet_tf.optimizers import (
    LayerwiseAdam,
    LayerwiseMixin,
    LayerwiseSGD,
    default_optimizer,
    paper_optimizer,
)

SHAPES = {
    "body/kernel": (4, 3),
    "body/bias": (3,),
    "conv/kernel": (2, 2, 3, 2),
    "hash/kernel": (3, 2),
    "hash/bias": (2,),
}
# Powers of two, so that a rate times a multiplier is exact in any precision.
RATE = 2.0**-6
MULTIPLIERS = {"hash": 8.0, "conv": 0.5}
FACTORS = {
    "body/kernel": 1.0,
    "body/bias": 1.0,
    "conv/kernel": 0.5,
    "hash/kernel": 8.0,
    "hash/bias": 8.0,
}


def layerwise(base):
    """The one line that makes another optimizer layer-wise."""
    return type(f"Layerwise{base.__name__}", (LayerwiseMixin, base), {})


@keras.saving.register_keras_serializable(package="test")
class LayerwiseLion(LayerwiseMixin, keras.optimizers.Lion):
    pass


# Class with layer-wise rates, Keras' own, and arguments of both.
KINDS = {
    "sgd": (LayerwiseSGD, keras.optimizers.SGD, {}),
    "momentum": (LayerwiseSGD, keras.optimizers.SGD, {"momentum": 0.9}),
    "nesterov": (
        LayerwiseSGD,
        keras.optimizers.SGD,
        {"momentum": 0.9, "nesterov": True},
    ),
    "adam": (LayerwiseAdam, keras.optimizers.Adam, {}),
    "amsgrad": (LayerwiseAdam, keras.optimizers.Adam, {"amsgrad": True}),
    "lion": (LayerwiseLion, keras.optimizers.Lion, {}),
    **{
        name.lower(): (layerwise(base), base, {})
        for name in ("RMSprop", "Adagrad", "Nadam", "Adafactor")
        for base in [getattr(keras.optimizers, name)]
    },
}


def variables():
    rng = np.random.default_rng(0)
    made = []
    for path, shape in SHAPES.items():
        scope, name = path.split("/")
        with keras.name_scope(scope):
            value = rng.normal(size=shape).astype("float32")
            made.append(keras.Variable(value, name=name))
    assert [variable.path for variable in made] == list(SHAPES)
    return made


def gradients(steps):
    rng = np.random.default_rng(1)
    return [
        [rng.normal(size=s).astype("float32") for s in SHAPES.values()]
        for _ in range(steps)
    ]


def apply(optimizer, steps, weights):
    for step in steps:
        optimizer.apply([ops.convert_to_tensor(g) for g in step], weights)


def constant(factor):
    return RATE * factor


def apart(name, steps, l2=0.0, rate=constant, **arguments):
    """Each variable with a plain optimizer of its own, at its own rate."""
    _, base, own = KINDS[name]
    weights = variables()
    for index, variable in enumerate(weights):
        optimizer = base(rate(FACTORS[variable.path]), **own, **arguments)
        decay = l2 if len(variable.shape) > 1 else 0.0
        for step in steps:
            penalty = decay * ops.convert_to_tensor(variable)
            optimizer.apply([step[index] + penalty], [variable])
    return weights


def together(name, steps, l2=0.0, rate=constant, **arguments):
    kind, _, own = KINDS[name]
    weights = variables()
    optimizer = kind(
        rate(1.0), multipliers=MULTIPLIERS, l2=l2, **own, **arguments
    )
    apply(optimizer, steps, weights)
    return optimizer, weights


def assert_same(found, expected, **tolerance):
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(
            one.numpy(),
            other.numpy(),
            err_msg=one.path,
            **{"rtol": 1e-6, "atol": 1e-7, **tolerance},
        )


def assert_moved(weights):
    for new, old in zip(weights, variables(), strict=True):
        assert (new.numpy() != old.numpy()).any(), new.path


@pytest.mark.parametrize(
    "name, l2", [*((name, 0.25) for name in KINDS), ("sgd", 0.0), ("adam", 0.0)]
)
def test_is_keras_optimizer_at_the_multiplied_rate(name, l2):
    steps = gradients(3)
    optimizer, weights = together(name, steps, l2)
    assert_same(weights, apart(name, steps, l2))
    assert_moved(weights)
    assert int(optimizer.iterations) == 3
    assert isinstance(optimizer, KINDS[name][1])


def test_adam_by_hand():
    steps = gradients(4)
    _, weights = together("adam", steps, 0.25)
    for k, (weight, old) in enumerate(zip(weights, variables(), strict=True)):
        w = old.numpy().astype("float64")
        mean = square = np.zeros_like(w)
        for t, step in enumerate(steps, start=1):
            g = step[k] + (0.25 * w if w.ndim > 1 else 0.0)
            mean = 0.9 * mean + 0.1 * g
            square = 0.999 * square + 0.001 * g * g
            # Section 2 of Adam's paper: the corrections as one rate.
            rate = RATE * np.sqrt(1 - 0.999**t) / (1 - 0.9**t)
            w -= FACTORS[weight.path] * rate * mean / (np.sqrt(square) + 1e-7)
        np.testing.assert_allclose(weight.numpy(), w, rtol=1e-5, atol=1e-6)


def test_l2_by_hand():
    weights = variables()
    old = [w.numpy() for w in weights]
    optimizer = LayerwiseSGD(RATE, multipliers=MULTIPLIERS, l2=0.125)
    nothing = [np.zeros_like(w) for w in old]
    apply(optimizer, [nothing], weights)
    for weight, before in zip(weights, old, strict=True):
        share = RATE * FACTORS[weight.path] * 0.125
        kept = 1 - share if before.ndim > 1 else 1.0
        np.testing.assert_allclose(weight.numpy(), kept * before, rtol=1e-6)


@pytest.mark.parametrize(
    "kept",
    [
        {},
        {"var_names": ["bias"]},
        {"var_list": ["body/kernel", "hash/bias"]},
    ],
)
def test_decoupled_decay_goes_at_the_rate_without_multiplier(kept):
    weights = variables()
    old = [w.numpy() for w in weights]
    optimizer = LayerwiseSGD(RATE, weight_decay=0.125, multipliers=MULTIPLIERS)
    paths = kept.get("var_list", [])
    optimizer.exclude_from_weight_decay(
        var_list=[w for w in weights if w.path in paths],
        var_names=kept.get("var_names"),
    )
    apply(optimizer, [[np.zeros_like(w) for w in old]], weights)
    for weight, before in zip(weights, old, strict=True):
        excluded = weight.path in paths or weight.name in kept.get(
            "var_names", []
        )
        expected = before if excluded else (1 - RATE * 0.125) * before
        np.testing.assert_allclose(weight.numpy(), expected, rtol=1e-6)


@pytest.mark.parametrize("l2", [0.0, 0.25])
def test_global_norm_is_clipped_over_all_variables_before_l2(l2):
    steps = gradients(4)

    def clipped(step):
        norm = np.sqrt(sum(np.sum(np.square(g, dtype="f8")) for g in step))
        assert norm > 0.5
        return [(g * (0.5 / norm)).astype("float32") for g in step]

    _, weights = together("momentum", steps, l2, global_clipnorm=0.5)
    expected = apart("momentum", [clipped(s) for s in steps], l2)
    assert_same(weights, expected)


@pytest.mark.parametrize("l2", [0.0, 0.25])
@pytest.mark.parametrize("arguments", [{"clipnorm": 0.5}, {"clipvalue": 0.1}])
def test_each_gradient_is_clipped_before_l2(arguments, l2):
    def clipped(gradient):
        if "clipvalue" in arguments:
            return np.clip(gradient, -0.1, 0.1)
        norm = np.sqrt(np.sum(np.square(gradient, dtype="f8")))
        return (gradient * min(1.0, 0.5 / norm)).astype("float32")

    steps = gradients(4)
    found = together("momentum", steps, l2, **arguments)[1]
    expected = [[clipped(g) for g in step] for step in steps]
    assert_same(found, apart("momentum", expected, l2))
    assert (found[0].numpy() != together("momentum", steps, l2)[1][0]).any()


@pytest.mark.parametrize("name", ["momentum", "adam"])
@pytest.mark.parametrize("l2", [0.0, 0.25])
def test_gradient_accumulation(name, l2):
    steps = gradients(7)
    optimizer, weights = together(
        name, steps, l2, gradient_accumulation_steps=2
    )
    means = [
        [(a + b) / 2 for a, b in zip(steps[i], steps[i + 1], strict=True)]
        for i in (0, 2, 4)
    ]
    assert_same(weights, apart(name, means, l2))
    assert int(optimizer.iterations) == 3


def test_moving_average_that_replaces_the_weights():
    arguments = dict(use_ema=True, ema_momentum=0.75, ema_overwrite_frequency=2)
    steps = gradients(5)
    _, weights = together("sgd", steps, **arguments)
    assert_same(weights, apart("sgd", steps, **arguments))
    without = together("sgd", steps)[1]
    assert (weights[0].numpy() != without[0].numpy()).any()


def test_moving_average_that_is_taken_at_the_end():
    weights = variables()
    optimizer = LayerwiseSGD(
        RATE, use_ema=True, ema_momentum=0.75, multipliers=MULTIPLIERS
    )
    average = None
    for step in gradients(5):
        apply(optimizer, [step], weights)
        now = [weight.numpy() for weight in weights]
        average = average or now
        average = [
            0.75 * mean + 0.25 * new
            for mean, new in zip(average, now, strict=True)
        ]
    optimizer.finalize_variable_values(weights)
    for weight, mean in zip(weights, average, strict=True):
        np.testing.assert_allclose(weight.numpy(), mean, rtol=1e-5, atol=1e-6)


def test_learning_rate_schedule():
    def rate(factor):
        return keras.optimizers.schedules.ExponentialDecay(
            RATE * factor, decay_steps=2, decay_rate=0.5, staircase=True
        )

    steps = gradients(5)
    optimizer, weights = together("momentum", steps, 0.25, rate)
    assert_same(weights, apart("momentum", steps, 0.25, rate))
    # After 5 steps: halved twice.
    assert float(optimizer.learning_rate) == RATE / 4


def test_assigned_learning_rate():
    weights = variables()
    optimizer = LayerwiseSGD(RATE, multipliers=MULTIPLIERS)
    steps = gradients(2)
    apply(optimizer, steps[:1], weights)
    optimizer.learning_rate = RATE / 2
    assert float(optimizer.learning_rate) == RATE / 2
    apply(optimizer, steps[1:], weights)
    for k, (new, old) in enumerate(zip(weights, variables(), strict=True)):
        rate = RATE * FACTORS[new.path]
        expected = old.numpy() - rate * (steps[0][k] + steps[1][k] / 2)
        np.testing.assert_allclose(new.numpy(), expected, rtol=1e-5, atol=1e-6)


def test_only_some_variables_have_gradients():
    steps = [[*step[:2], None, *step[3:]] for step in gradients(3)]
    weights = variables()
    optimizer = LayerwiseAdam(RATE, multipliers=MULTIPLIERS, l2=0.25)
    optimizer.build(weights)
    for step in steps:
        with pytest.warns(UserWarning, match="Gradients do not exist"):
            optimizer.apply(
                [None if g is None else ops.convert_to_tensor(g) for g in step]
            )
    expected = apart("adam", gradients(3), 0.25)
    expected[2].assign(variables()[2])
    assert_same(weights, expected)


def test_sparse_gradients_of_an_embedding():
    with keras.name_scope("table"):
        table = keras.Variable(np.ones((4, 2)), name="embeddings")
    optimizer = LayerwiseSGD(0.5, multipliers={"table": 2.0}, l2=0.25)
    optimizer.build([table])
    rows = tf.IndexedSlices(
        tf.constant([[1.0, 2.0]]), tf.constant([2]), tf.constant([4, 2])
    )
    optimizer.apply([rows])
    expected = np.full((4, 2), 0.75)
    expected[2] -= [1.0, 2.0]
    np.testing.assert_allclose(table.numpy(), expected, rtol=1e-6)


@pytest.mark.parametrize(
    "multipliers, expected",
    [
        ({}, [1, 1, 1, 1, 1]),
        ({"hash/bias": 20.0, "hash": 10.0}, [1, 1, 1, 10, 20]),
        ({"hash": 10.0, "hash/bias": 20.0}, [1, 1, 1, 10, 20]),
        ({"bias": 2.0, "hash/bias": 20.0}, [1, 2, 1, 1, 20]),
        ({"body/kernel": 3.0, "kernel": 2.0}, [3, 1, 2, 2, 1]),
        ({"conv/kernel": 0.1, "body": 3.0}, [3, 3, 0.1, 1, 1]),
        # Further in counts, before the longer name and in any order.
        ({"hash": 2.0, "bias": 3.0}, [1, 3, 1, 2, 3]),
        ({"bias": 3.0, "hash": 2.0}, [1, 3, 1, 2, 3]),
    ],
)
def test_the_innermost_and_longest_name_counts(multipliers, expected):
    weights = variables()
    optimizer = LayerwiseSGD(1.0, multipliers=multipliers)
    apply(
        optimizer, [[np.ones(s, "float32") for s in SHAPES.values()]], weights
    )
    for new, old, factor in zip(weights, variables(), expected, strict=True):
        np.testing.assert_allclose(
            old.numpy() - new.numpy(), np.full(old.shape, factor), rtol=1e-5
        )


@pytest.mark.parametrize("name", ["has", "ash", "hash/kern", "kernel/hash"])
def test_refuses_a_name_that_is_in_no_path(name):
    optimizer = LayerwiseSGD(0.1, multipliers={name: 2.0})
    # Again with the second try: it is not built.
    for _ in "ab":
        with pytest.raises(
            ValueError,
            match=re.escape(f"Received: {name!r} among the variables"),
        ):
            optimizer.build(variables())


@pytest.fixture
def mixed_float16():
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_float16")
    yield
    keras.config.set_dtype_policy(before)


def network():
    keras.utils.set_random_seed(0)
    return keras.Sequential(
        [
            keras.Input((6,)),
            keras.layers.Dense(5, "tanh", name="body"),
            keras.layers.Dense(8, name="hash"),
            ScaledTanh(2.0),
        ]
    )


def trained(model):
    return [weight.numpy() for weight in model.trainable_weights]


def batch(n=16):
    x = np.random.default_rng(0).normal(size=(n, 6)).astype("float32")
    return x, np.arange(n) % 3


def fit(model, epochs, callbacks=()):
    x, y = batch()
    return model.fit(
        x,
        y,
        batch_size=8,
        epochs=epochs,
        shuffle=False,
        verbose=0,
        callbacks=list(callbacks),
    )


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["jit", "graph", "eager"])
def test_a_step_of_fit(mode):
    """One step of each layer is that of a model trained at its rate alone."""
    x, y = batch(8)

    def moved(optimizer):
        model = network()
        before = trained(model)
        model.compile(
            optimizer,
            WeightedPairwiseLoss(),
            jit_compile=mode == "jit",
            run_eagerly=mode == "eager",
        )
        model.fit(x, y, batch_size=8, verbose=0)
        return [
            new - old for new, old in zip(trained(model), before, strict=True)
        ]

    found = moved(LayerwiseSGD(RATE, multipliers={"hash": 8.0}))
    slow, fast = (moved(keras.optimizers.SGD(r)) for r in (RATE, 8 * RATE))
    for k, expected in enumerate([*slow[:2], *fast[2:]]):
        np.testing.assert_allclose(found[k], expected, rtol=1e-5, atol=1e-6)
    assert (found[2] != slow[2]).any()


def exponential(rate):
    return keras.optimizers.schedules.ExponentialDecay(
        rate, decay_steps=3, decay_rate=0.5
    )


RESUMED = {
    "momentum": lambda **k: LayerwiseSGD(0.05, momentum=0.9, **k),
    "adam": lambda **k: LayerwiseAdam(0.01, **k),
    "schedule": lambda **k: LayerwiseAdam(exponential(0.01), **k),
    "clipped": lambda **k: LayerwiseAdam(0.01, global_clipnorm=0.1, **k),
    "accumulated": lambda **k: LayerwiseAdam(
        0.01, gradient_accumulation_steps=3, **k
    ),
    "averaged": lambda **k: LayerwiseAdam(
        0.01, use_ema=True, ema_momentum=0.5, ema_overwrite_frequency=3, **k
    ),
    "scaled": lambda **k: LayerwiseAdam(0.01, loss_scale_factor=64.0, **k),
    "lion": lambda **k: LayerwiseLion(0.01, **k),
}


def as_version_0_1_wrote_it(path):
    """Makes of a file one that has the wrapper which there was then."""

    def wrapped(optimizer):
        config = dict(optimizer["config"])
        if optimizer["class_name"] == "LossScaleOptimizer":
            inner = wrapped(config["inner_optimizer"])
            return {**optimizer, "config": {**config, "inner_optimizer": inner}}
        outer = {key: config.pop(key) for key in ("multipliers", "l2")}
        name = optimizer["class_name"].removeprefix("Layerwise")
        inner = {
            "module": "keras.optimizers",
            "class_name": name,
            "config": config,
            "registered_name": None,
        }
        return {
            "module": "hashnet_tf.optimizers.layerwise_optimizer",
            "class_name": "LayerwiseOptimizer",
            "config": {"inner_optimizer": inner, **outer, "name": "layerwise"},
            "registered_name": "hashnet_tf>LayerwiseOptimizer",
        }

    with zipfile.ZipFile(path) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    config = json.loads(files["config.json"])
    compiled = config["compile_config"]
    compiled["optimizer"] = wrapped(compiled["optimizer"])
    files["config.json"] = json.dumps(config).encode()
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)


def state(model):
    return [v.numpy() for v in [*model.weights, *model.optimizer.variables]]


def loaded_halfway(make, path, train):
    """Models loaded from the new file and the old, when trained on."""
    model = network()
    optimizer = make(multipliers={"hash": 10.0}, l2=0.01)
    model.compile(optimizer, WeightedPairwiseLoss(), jit_compile=False)
    train(model)
    model.save(path)
    new = keras.saving.load_model(path)
    as_version_0_1_wrote_it(path)
    old = keras.saving.load_model(path)
    halfway = state(model)
    for loaded in (new, old):
        np.testing.assert_equal(state(loaded), halfway)
    for each in (model, new, old):
        train(each)
        for now, before in zip(trained(each), halfway, strict=False):
            assert (now != before).any()
    for loaded in (new, old):
        np.testing.assert_equal(state(loaded), state(model))
    return new, old


def five_steps(model):
    weights = model.trainable_weights
    rng = np.random.default_rng(int(model.optimizer.iterations))
    steps = [
        [rng.normal(size=w.shape).astype("float32") for w in weights]
        for _ in range(5)
    ]
    apply(model.optimizer, steps, weights)


@pytest.mark.slow
@pytest.mark.parametrize("name", RESUMED)
def test_goes_on_from_a_file_new_or_of_version_0_1(tmp_path, name):
    for model in loaded_halfway(
        RESUMED[name], tmp_path / "model.keras", five_steps
    ):
        optimizer = model.optimizer
        assert type(optimizer) is type(RESUMED[name]())
        assert optimizer.multipliers == {"hash": 10.0}
        assert optimizer.l2 == 0.01


@pytest.mark.slow
def test_fit_goes_on_in_half_precision(tmp_path, mixed_float16):
    for model in loaded_halfway(
        RESUMED["schedule"],
        tmp_path / "model.keras",
        lambda model: fit(model, 2),
    ):
        optimizer = model.optimizer
        assert type(optimizer) is keras.optimizers.LossScaleOptimizer
        assert type(optimizer.inner_optimizer) is LayerwiseAdam
        assert int(optimizer.iterations) == 8


def test_weights_file_carries_the_state(tmp_path):
    def compiled():
        model = network()
        model.compile(
            LayerwiseAdam(0.01, multipliers={"hash": 10.0}),
            WeightedPairwiseLoss(),
            run_eagerly=True,
        )
        return model

    unbroken = compiled()
    fit(unbroken, 2)
    unbroken.save_weights(tmp_path / "model.weights.h5")
    fit(unbroken, 1)
    resumed = compiled()
    resumed.optimizer.build(resumed.trainable_variables)
    resumed.load_weights(tmp_path / "model.weights.h5")
    assert int(resumed.optimizer.iterations) == 4
    fit(resumed, 1)
    np.testing.assert_equal(trained(resumed), trained(unbroken))


def test_reduce_on_plateau():
    def compiled():
        model = network()
        model.compile(
            LayerwiseSGD(RATE, multipliers={"hash": 8.0}),
            WeightedPairwiseLoss(),
            run_eagerly=True,
        )
        return model

    # No fall is large enough, so each epoch after the first halves the rate.
    plateau = keras.callbacks.ReduceLROnPlateau(
        "loss", factor=0.5, patience=1, min_delta=1e9
    )
    model = compiled()
    history = fit(model, 3, [plateau]).history
    assert history["learning_rate"] == [RATE, RATE, RATE / 2]
    assert float(model.optimizer.learning_rate) == RATE / 4
    by_hand = compiled()
    for rate in (RATE, RATE, RATE / 2):
        by_hand.optimizer.learning_rate = rate
        fit(by_hand, 1)
    np.testing.assert_equal(trained(model), trained(by_hand))


@pytest.mark.parametrize("l2", [0.0, 0.25])
@pytest.mark.parametrize("factor", [None, 4.0])
def test_within_a_loss_scale_optimizer(l2, factor):
    # `factor` is the fixed scale, which the dynamic one must replace.
    scale = 2.0**10
    steps = gradients(4)
    weights = variables()
    optimizer = keras.optimizers.LossScaleOptimizer(
        LayerwiseSGD(
            RATE,
            momentum=0.9,
            loss_scale_factor=factor,
            multipliers=MULTIPLIERS,
            l2=l2,
        ),
        initial_scale=scale,
    )
    assert float(optimizer.scale_loss(1.0)) == scale
    apply(optimizer, [[scale * g for g in step] for step in steps], weights)
    assert_same(weights, apart("momentum", steps, l2))
    # An overflow is skipped and counted by none.
    before = [w.numpy() for w in weights]
    wrong = [g * np.inf for g in steps[0]]
    apply(optimizer, [wrong], weights)
    assert int(optimizer.iterations) == 4
    for weight, old in zip(weights, before, strict=True):
        np.testing.assert_array_equal(weight.numpy(), old)


def test_fixed_loss_scale():
    steps = gradients(3)
    weights = variables()
    optimizer = LayerwiseSGD(
        RATE,
        momentum=0.9,
        loss_scale_factor=16.0,
        multipliers=MULTIPLIERS,
        l2=0.25,
    )
    assert optimizer.loss_scale_factor == 16.0
    assert float(optimizer.scale_loss(ops.convert_to_tensor(1.0))) == 16.0
    apply(optimizer, [[16 * g for g in step] for step in steps], weights)
    assert_same(weights, apart("momentum", steps, 0.25))


@pytest.mark.slow
def test_fit_under_mixed_float16(request):
    def compiled():
        model = network()
        model.compile(
            LayerwiseSGD(
                RATE, momentum=0.9, multipliers={"hash": 8.0}, l2=0.01
            ),
            WeightedPairwiseLoss(),
        )
        return model

    whole = compiled()
    request.getfixturevalue("mixed_float16")
    half = compiled()
    assert type(half.optimizer) is keras.optimizers.LossScaleOptimizer
    start = trained(whole)
    np.testing.assert_equal(trained(half), start)
    fit(whole, 2)
    fit(half, 2)
    assert int(half.optimizer.iterations) == 4
    for one, other, old in zip(
        trained(half), trained(whole), start, strict=True
    ):
        moved = np.abs(other - old).max()
        np.testing.assert_allclose(one, other, rtol=0, atol=0.02 * moved)


@pytest.mark.parametrize("kind", [LayerwiseSGD, LayerwiseAdam])
def test_is_restored(kind):
    optimizer = kind(
        exponential(0.25),
        global_clipnorm=2.0,
        multipliers={"hash": 10.0, "body/bias": 2.0},
        l2=5e-4,
        name="mine",
    )
    stored = json.loads(
        json.dumps(keras.saving.serialize_keras_object(optimizer))
    )
    assert stored["registered_name"] == f"hashnet_tf>{kind.__name__}"
    restored = keras.saving.deserialize_keras_object(stored)
    assert type(restored) is kind
    assert restored.get_config() == optimizer.get_config()
    assert restored.multipliers == {"hash": 10.0, "body/bias": 2.0}
    assert (restored.l2, restored.name) == (5e-4, "mine")
    assert restored.global_clipnorm == 2.0
    assert float(restored.learning_rate) == 0.25


def test_without_multipliers_it_is_keras_own():
    steps = gradients(2)
    weights, expected = variables(), variables()
    apply(LayerwiseAdam(RATE), steps, weights)
    apply(keras.optimizers.Adam(RATE), steps, expected)
    for one, other in zip(weights, expected, strict=True):
        np.testing.assert_array_equal(one.numpy(), other.numpy())


def test_the_caller_s_dict_is_neither_kept_nor_changed():
    multipliers = {"hash": 2.0}
    optimizer = LayerwiseSGD(0.1, multipliers=multipliers)
    multipliers["hash"] = 3.0
    assert optimizer.multipliers == {"hash": 2.0}
    optimizer.get_config()["multipliers"]["hash"] = 4.0
    assert optimizer.multipliers == {"hash": 2.0}


def test_refuses_a_wrapper_whose_update_would_pass_it_by():
    with pytest.raises(TypeError, match="Received: bases=.*LossScaleOptimizer"):
        layerwise(keras.optimizers.LossScaleOptimizer)


def test_refuses_to_stand_behind_the_optimizer():
    with pytest.raises(TypeError, match="Received: bases=.*SGD"):
        type("Behind", (keras.optimizers.SGD, LayerwiseMixin), {})


@pytest.mark.parametrize(
    "arguments, received",
    [
        ({"multipliers": {"hash": 0}}, "multipliers={'hash': 0}"),
        ({"multipliers": {"hash": -1.0}}, "multipliers={'hash': -1.0}"),
        (
            {"multipliers": {"hash": float("nan")}},
            "multipliers={'hash': nan}",
        ),
        ({"multipliers": {}, "l2": -1e-4}, "l2=-0.0001"),
        ({"multipliers": {}, "l2": float("nan")}, "l2=nan"),
    ],
)
def test_refuses(arguments, received):
    with pytest.raises(ValueError, match=re.escape(f"Received: {received}")):
        LayerwiseSGD(0.1, **arguments)


def backbone(name):
    """Two layers and an inner model, whose paths do not name it."""
    inputs = keras.Input((6,))
    x = keras.layers.Dense(5, name="first")(inputs)
    inner_inputs = keras.Input((5,))
    inner = keras.Model(
        inner_inputs,
        keras.layers.Dense(4, name="second")(inner_inputs),
        name="a_block_of_a_long_name",
    )
    return keras.Model(inputs, inner(x), name=name)


def factors(optimizer, weights):
    """How far each weight goes at rate 1 and gradient 1."""
    for weight in weights:
        weight.assign(np.zeros(weight.shape))
    apply(optimizer, [[np.ones(w.shape, "float32") for w in weights]], weights)
    moves = [-weight.numpy() for weight in weights]
    for move in moves:
        np.testing.assert_array_equal(move, np.full(move.shape, move.flat[0]))
    return [move.flat[0] for move in moves]


# Of the kernels and biases of "first", "second" and "hash".
WITHIN = [
    ({"mobilenetv2_1.00_96": 0.5}, [0.5, 0.5, 0.5, 0.5, 1, 1]),
    ({"mobilenetv2_1.00_96": 0.5, "hash": 4}, [0.5, 0.5, 0.5, 0.5, 4, 4]),
    # The layer further in counts, however long the name around it.
    ({"mobilenetv2_1.00_96": 0.5, "first": 2}, [2, 2, 0.5, 0.5, 1, 1]),
    ({"mobilenetv2_1.00_96": 0.5, "bias": 2}, [0.5, 2, 0.5, 2, 1, 2]),
    ({"mobilenetv2_1.00_96/first": 2, "first": 3}, [2, 2, 1, 1, 1, 1]),
    (
        {"a_block_of_a_long_name": 3, "mobilenetv2_1.00_96": 0.5},
        [0.5, 0.5, 3, 3, 1, 1],
    ),
    (
        {"mobilenetv2_1.00_96/a_block_of_a_long_name": 3},
        [1, 1, 3, 3, 1, 1],
    ),
]


@pytest.mark.parametrize("multipliers, expected", WITHIN)
def test_a_backbone_by_its_own_name(multipliers, expected):
    model = hn.HashNet(backbone("mobilenetv2_1.00_96"), bits=3)
    # The case that variables' paths alone cannot answer.
    paths = [weight.path for weight in model.trainable_variables]
    assert [path.split("/")[0] for path in paths] == [
        *("first", "first", "second", "second", "hash", "hash"),
    ]
    optimizer = LayerwiseSGD(1.0, multipliers=multipliers)
    model.compile(optimizer)
    assert factors(optimizer, model.trainable_variables) == expected


def test_a_backbone_by_its_own_name_under_a_loss_scale():
    model = hn.HashNet(backbone("net"), bits=3)
    optimizer = LayerwiseSGD(1.0, multipliers={"net": 0.5})
    model.compile(
        keras.optimizers.LossScaleOptimizer(optimizer, initial_scale=1.0)
    )
    found = factors(model.optimizer, model.trainable_variables)
    assert found == [0.5, 0.5, 0.5, 0.5, 1, 1]


@pytest.mark.parametrize("multipliers, expected", WITHIN[:4])
def test_a_backbone_whose_name_is_in_the_paths(multipliers, expected):
    # Made by the first call of the model around it.
    model = keras.Sequential(
        [
            keras.Sequential(
                [
                    keras.layers.Dense(5, name="first"),
                    keras.layers.Dense(4, name="second"),
                ],
                name="mobilenetv2_1.00_96",
            ),
            keras.layers.Dense(3, name="hash"),
        ],
        name="whole",
    )
    model(np.zeros((1, 6)))
    paths = [weight.path for weight in model.trainable_variables]
    assert paths[0] == "whole/mobilenetv2_1.00_96/first/kernel"
    for resolved in (False, True):
        optimizer = LayerwiseSGD(1.0, multipliers=multipliers)
        if resolved:
            optimizer.resolve(model)
        assert factors(optimizer, model.trainable_variables) == expected


@pytest.mark.parametrize(
    "wrap",
    [
        hn.models.LogitsModel,
        hn.models.PairModel,
        lambda head: hn.models.ClassifiedModel(head, classes=3),
    ],
)
def test_a_backbone_within_a_training_model(wrap):
    model = wrap(hn.HashNet(backbone("net"), bits=3))
    optimizer = LayerwiseSGD(1.0, multipliers={"net": 0.5, "hash": 4.0})
    model.compile(optimizer)
    found = factors(optimizer, model.trainable_variables)
    assert found[:6] == [0.5, 0.5, 0.5, 0.5, 4, 4]
    assert found[6:] == [1] * (len(found) - 6)


def test_two_models_with_layers_of_the_same_names():
    inputs = keras.Input((6,))
    left, right = backbone("left"), backbone("right")
    model = keras.Model(inputs, [left(inputs), right(inputs)])
    optimizer = LayerwiseSGD(
        1.0, multipliers={"left": 0.5, "right/first": 4.0, "second": 2.0}
    )
    optimizer.resolve(model)
    found = factors(optimizer, model.trainable_variables)
    assert found == [0.5, 0.5, 2, 2, 4, 4, 2, 2]


@pytest.mark.parametrize("name", ["mobilenet", "net/hash", "hash/net"])
def test_a_hashnet_refuses_unknown_names(name):
    model = hn.HashNet(backbone("net"), bits=3)
    model.compile(LayerwiseSGD(1.0, multipliers={"net": 2.0, name: 3.0}))
    with pytest.raises(ValueError, match=f"Received: '{name}' among"):
        model.optimizer.build(model.trainable_variables)


def test_a_frozen_backbone_has_no_rate():
    model = hn.HashNet(backbone("net"), bits=3)
    model.backbone.trainable = False
    model.compile(LayerwiseSGD(1.0, multipliers={"net": 2.0}))
    with pytest.raises(ValueError, match="Received: 'net' among"):
        model.optimizer.build(model.trainable_variables)


def test_a_backbone_s_own_rate_outlives_the_file(tmp_path):
    model = hn.HashNet(backbone("net"), bits=3)
    model.compile(LayerwiseSGD(1.0, multipliers={"net": 0.5}))
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert loaded.optimizer.multipliers == {"net": 0.5}
    # As Keras has it: the variables are there before the first step.
    assert loaded.optimizer.built
    found = factors(loaded.optimizer, loaded.trainable_variables)
    assert found == [0.5, 0.5, 0.5, 0.5, 1, 1]


@pytest.mark.parametrize("optimizer", ["adam", keras.optimizers.SGD(0.1)])
def test_a_hashnet_takes_any_optimizer(optimizer):
    model = hn.HashNet(backbone("net"), bits=3)
    model.compile(optimizer, WeightedPairwiseLoss(), jit_compile=False)
    assert isinstance(model.optimizer, keras.optimizers.Optimizer)
    assert isinstance(model.loss, WeightedPairwiseLoss)
    assert not model.jit_compile


def test_version_0_1_around_an_optimizer_that_has_no_class_yet():
    stored = {
        "module": "hashnet_tf.optimizers.layerwise_optimizer",
        "class_name": "LayerwiseOptimizer",
        "config": {
            "inner_optimizer": keras.saving.serialize_keras_object(
                keras.optimizers.Adamax(exponential(0.25), beta_1=0.5)
            ),
            "multipliers": {"hash": 10.0},
            "l2": 0.01,
            "name": "layerwise",
        },
        "registered_name": "hashnet_tf>LayerwiseOptimizer",
    }
    made = [keras.saving.deserialize_keras_object(stored) for _ in "ab"]
    assert type(made[0]) is type(made[1])
    for optimizer in made:
        assert isinstance(optimizer, LayerwiseMixin)
        assert isinstance(optimizer, keras.optimizers.Adamax)
        assert (optimizer.beta_1, optimizer.l2) == (0.5, 0.01)
        assert float(optimizer.learning_rate) == 0.25
    restored = keras.saving.deserialize_keras_object(
        keras.saving.serialize_keras_object(made[0])
    )
    assert type(restored) is type(made[0])
    assert restored.get_config() == made[0].get_config()


def rates(optimizer, steps):
    schedule = keras.saving.deserialize_keras_object(
        optimizer.get_config()["learning_rate"]
    )
    return [float(schedule(step)) for step in steps]


def two_layers():
    keras.utils.set_random_seed(0)
    return keras.Sequential(
        [
            keras.Input((4,)),
            keras.layers.Dense(3, name="fc7"),
            keras.layers.Dense(2, name="hash"),
        ]
    )


def moved(optimizer, gradients):
    """Returns how far each weight goes, and from where."""
    weights = two_layers().trainable_weights
    before = [weight.numpy() for weight in weights]
    apply(optimizer, gradients, weights)
    return before, [
        weight.numpy() - old
        for weight, old in zip(weights, before, strict=True)
    ]


def test_paper_halves_every_2000_of_10000_steps():
    optimizer = paper_optimizer(0.5, steps=10_000)
    steps = [0, 1999, 2000, 3999, 4000, 6000, 8000, 9999]
    powers = [0, 0, 1, 1, 2, 3, 4, 4]
    assert rates(optimizer, steps) == [0.5 * 0.5**power for power in powers]


@pytest.mark.parametrize(
    "steps, halvings, halved_at", [(100, 2, 50), (7, 5, 1), (3, 5, 1)]
)
def test_paper_halves_in_other_lengths(steps, halvings, halved_at):
    optimizer = paper_optimizer(0.5, steps, halvings=halvings)
    found = rates(optimizer, [halved_at - 1, halved_at, 2 * halved_at])
    assert found == [0.5, 0.25, 0.125]


def test_paper_is_sgd_with_momentum_and_l2_at_ten_times_the_rate():
    rng = np.random.default_rng(0)
    shapes = [(4, 3), (3,), (3, 2), (2,)]
    gradients = [
        [rng.normal(size=s).astype("float32") for s in shapes] for _ in "ab"
    ]
    # Halved after the first step.
    optimizer = paper_optimizer(0.25, steps=5)
    assert type(optimizer) is LayerwiseSGD
    start, found = moved(optimizer, gradients)
    for k, factor in enumerate([1, 1, 10, 10]):
        weight, velocity = start[k].astype("float64"), 0.0
        for step, rate in zip(gradients, (0.25, 0.125), strict=True):
            decay = 5e-4 * weight if weight.ndim == 2 else 0.0
            velocity = 0.9 * velocity - factor * rate * (step[k] + decay)
            weight = weight + velocity
        np.testing.assert_allclose(
            found[k], weight - start[k], rtol=1e-5, atol=1e-6
        )


def test_default_is_adam_with_a_cosine_at_ten_times_the_rate():
    optimizer = default_optimizer(0.5, steps=100)
    assert type(optimizer) is LayerwiseAdam
    np.testing.assert_allclose(
        rates(optimizer, [0, 25, 50, 100, 200]),
        [0.5, 0.25 * (1 + 0.5**0.5), 0.25, 0, 0],
        atol=1e-7,
    )
    ones = [np.ones(shape, "float32") for shape in [(4, 3), 3, (3, 2), 2]]
    _, found = moved(optimizer, [ones])
    # The first step of Adam is the rate, whatever the gradient; no decay.
    for change, factor in zip(found, [1, 1, 10, 10], strict=True):
        np.testing.assert_allclose(
            change, np.full(change.shape, -0.5 * factor), rtol=1e-5
        )


@pytest.mark.parametrize("recipe", [paper_optimizer, default_optimizer])
def test_multipliers(recipe):
    optimizer = recipe(0.1, 10, multipliers={"fc7": 3.0})
    assert optimizer.multipliers == {"fc7": 3.0}
    assert recipe(0.1, 10).multipliers == {"hash": 10.0}


@pytest.mark.parametrize("recipe", [paper_optimizer, default_optimizer])
def test_are_restored(recipe):
    optimizer = recipe(0.25, 500)
    restored = keras.saving.deserialize_keras_object(
        keras.saving.serialize_keras_object(optimizer)
    )
    assert restored.get_config() == optimizer.get_config()
    steps = [0, 99, 100, 499]
    assert rates(restored, steps) == rates(optimizer, steps)


def test_examples_run():
    assert doctest.testmod(optimizers).failed == 0


def test_index_is_complete_and_typed():
    for name in optimizers.__all__:
        found = getattr(optimizers, name)
        made = found.__init__ if isinstance(found, type) else found
        hints = typing.get_type_hints(made)
        assert "return" in hints and len(hints) > 1
