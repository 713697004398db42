import json
import re

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import ops

from hashnet_tf.layers import ScaledTanh
from hashnet_tf.losses import WeightedPairwiseLoss
from hashnet_tf.optimizers import LayerwiseOptimizer

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
INNER = {
    "sgd": lambda rate, **k: keras.optimizers.SGD(rate, **k),
    "momentum": lambda rate, **k: keras.optimizers.SGD(rate, momentum=0.9, **k),
    "nesterov": lambda rate, **k: keras.optimizers.SGD(
        rate, momentum=0.9, nesterov=True, **k
    ),
    "adam": lambda rate, **k: keras.optimizers.Adam(rate, **k),
    "amsgrad": lambda rate, **k: keras.optimizers.Adam(rate, amsgrad=True, **k),
    "rmsprop": lambda rate, **k: keras.optimizers.RMSprop(rate, **k),
    "adagrad": lambda rate, **k: keras.optimizers.Adagrad(rate, **k),
    "lion": lambda rate, **k: keras.optimizers.Lion(rate, **k),
    "nadam": lambda rate, **k: keras.optimizers.Nadam(rate, **k),
    "adafactor": lambda rate, **k: keras.optimizers.Adafactor(rate, **k),
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


def apart(make, steps, l2=0.0, rate=constant):
    """Each variable with an inner optimizer of its own, at its own rate."""
    weights = variables()
    for index, variable in enumerate(weights):
        optimizer = make(rate(FACTORS[variable.path]))
        decay = l2 if len(variable.shape) > 1 else 0.0
        for step in steps:
            penalty = decay * ops.convert_to_tensor(variable)
            optimizer.apply([step[index] + penalty], [variable])
    return weights


def together(make, steps, l2=0.0, rate=constant):
    weights = variables()
    optimizer = LayerwiseOptimizer(make(rate(1.0)), MULTIPLIERS, l2=l2)
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


@pytest.mark.parametrize("name", INNER)
@pytest.mark.parametrize("l2", [0.0, 0.25])
def test_is_the_inner_optimizer_at_the_multiplied_rate(name, l2):
    steps = gradients(5)
    optimizer, weights = together(INNER[name], steps, l2)
    assert_same(weights, apart(INNER[name], steps, l2))
    assert_moved(weights)
    assert int(optimizer.iterations) == 5


def test_l2_by_hand():
    weights = variables()
    old = [w.numpy() for w in weights]
    optimizer = LayerwiseOptimizer(
        keras.optimizers.SGD(RATE), MULTIPLIERS, l2=0.125
    )
    nothing = [np.zeros_like(w) for w in old]
    apply(optimizer, [nothing], weights)
    for weight, before in zip(weights, old, strict=True):
        share = RATE * FACTORS[weight.path] * 0.125
        kept = 1 - share if before.ndim > 1 else 1.0
        np.testing.assert_allclose(weight.numpy(), kept * before, rtol=1e-6)


def test_decoupled_decay_goes_at_the_rate_without_multiplier():
    weights = variables()
    old = [w.numpy() for w in weights]
    inner = keras.optimizers.SGD(RATE, weight_decay=0.125)
    nothing = [np.zeros_like(w) for w in old]
    apply(LayerwiseOptimizer(inner, MULTIPLIERS), [nothing], weights)
    for weight, before in zip(weights, old, strict=True):
        np.testing.assert_allclose(
            weight.numpy(), (1 - RATE * 0.125) * before, rtol=1e-6
        )


@pytest.mark.parametrize("l2", [0.0, 0.25])
def test_global_norm_is_clipped_over_all_variables_before_l2(l2):
    steps = gradients(4)

    def clipped(step):
        norm = np.sqrt(sum(np.sum(np.square(g, dtype="f8")) for g in step))
        assert norm > 0.5
        return [(g * (0.5 / norm)).astype("float32") for g in step]

    _, weights = together(
        lambda rate: keras.optimizers.SGD(rate, 0.9, global_clipnorm=0.5),
        steps,
        l2,
    )
    expected = apart(INNER["momentum"], [clipped(s) for s in steps], l2)
    assert_same(weights, expected)


@pytest.mark.parametrize("arguments", [{"clipnorm": 0.5}, {"clipvalue": 0.1}])
def test_clipping_of_each_variable(arguments):
    # No L2: an inner optimizer on its own would clip the penalty too.
    def make(rate):
        return keras.optimizers.Adam(rate, **arguments)

    steps = gradients(4)
    assert_same(together(make, steps)[1], apart(make, steps))


@pytest.mark.parametrize("name", ["momentum", "adam"])
@pytest.mark.parametrize("l2", [0.0, 0.25])
def test_gradient_accumulation(name, l2):
    steps = gradients(7)
    optimizer, weights = together(
        lambda rate: INNER[name](rate, gradient_accumulation_steps=2),
        steps,
        l2,
    )
    means = [
        [(a + b) / 2 for a, b in zip(steps[i], steps[i + 1], strict=True)]
        for i in (0, 2, 4)
    ]
    assert_same(weights, apart(INNER[name], means, l2))
    assert int(optimizer.iterations) == 3


def test_moving_average_that_replaces_the_weights():
    def make(rate):
        return keras.optimizers.SGD(
            rate, use_ema=True, ema_momentum=0.75, ema_overwrite_frequency=2
        )

    steps = gradients(5)
    _, weights = together(make, steps)
    assert_same(weights, apart(make, steps))
    without = together(INNER["sgd"], steps)[1]
    assert (weights[0].numpy() != without[0].numpy()).any()


def test_moving_average_that_is_taken_at_the_end():
    weights = variables()
    inner = keras.optimizers.SGD(RATE, use_ema=True, ema_momentum=0.75)
    optimizer = LayerwiseOptimizer(inner, MULTIPLIERS)
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
    optimizer, weights = together(INNER["momentum"], steps, 0.25, rate)
    assert_same(weights, apart(INNER["momentum"], steps, 0.25, rate))
    # After 5 steps: halved twice.
    assert float(optimizer.learning_rate) == RATE / 4


def test_assigned_learning_rate():
    weights = variables()
    optimizer = LayerwiseOptimizer(keras.optimizers.SGD(RATE), MULTIPLIERS)
    steps = gradients(2)
    apply(optimizer, steps[:1], weights)
    optimizer.learning_rate = RATE / 2
    assert float(optimizer.learning_rate) == RATE / 2
    assert float(optimizer.inner_optimizer.learning_rate) == RATE / 2
    apply(optimizer, steps[1:], weights)
    for k, (new, old) in enumerate(zip(weights, variables(), strict=True)):
        rate = RATE * FACTORS[new.path]
        expected = old.numpy() - rate * (steps[0][k] + steps[1][k] / 2)
        np.testing.assert_allclose(new.numpy(), expected, rtol=1e-5, atol=1e-6)


def test_only_some_variables_have_gradients():
    steps = [[*step[:2], None, *step[3:]] for step in gradients(3)]
    weights = variables()
    optimizer = LayerwiseOptimizer(INNER["adam"](RATE), MULTIPLIERS, l2=0.25)
    optimizer.build(weights)
    for step in steps:
        with pytest.warns(UserWarning, match="Gradients do not exist"):
            optimizer.apply(
                [None if g is None else ops.convert_to_tensor(g) for g in step]
            )
    expected = apart(INNER["adam"], gradients(3), 0.25)
    expected[2].assign(variables()[2])
    assert_same(weights, expected)


def test_sparse_gradients_of_an_embedding():
    with keras.name_scope("table"):
        table = keras.Variable(np.ones((4, 2)), name="embeddings")
    optimizer = LayerwiseOptimizer(
        keras.optimizers.SGD(0.5), {"table": 2.0}, l2=0.25
    )
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
    ],
)
def test_longest_name_counts(multipliers, expected):
    weights = variables()
    optimizer = LayerwiseOptimizer(keras.optimizers.SGD(1.0), multipliers)
    apply(
        optimizer, [[np.ones(s, "float32") for s in SHAPES.values()]], weights
    )
    for new, old, factor in zip(weights, variables(), expected, strict=True):
        np.testing.assert_allclose(
            old.numpy() - new.numpy(), np.full(old.shape, factor), rtol=1e-5
        )


@pytest.mark.parametrize("name", ["has", "ash", "hash/kern", "kernel/hash"])
def test_refuses_a_name_that_is_in_no_path(name):
    optimizer = LayerwiseOptimizer(keras.optimizers.SGD(0.1), {name: 2.0})
    with pytest.raises(
        ValueError, match=re.escape(f"Received: {name!r} among the variables")
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

    found = moved(LayerwiseOptimizer(keras.optimizers.SGD(RATE), {"hash": 8.0}))
    slow, fast = (moved(keras.optimizers.SGD(r)) for r in (RATE, 8 * RATE))
    for k, expected in enumerate([*slow[:2], *fast[2:]]):
        np.testing.assert_allclose(found[k], expected, rtol=1e-5, atol=1e-6)
    assert (found[2] != slow[2]).any()


def exponential(rate):
    return keras.optimizers.schedules.ExponentialDecay(
        rate, decay_steps=3, decay_rate=0.5
    )


RESUMED = {
    "momentum": lambda: INNER["momentum"](0.05),
    "adam": lambda: INNER["adam"](0.01),
    "schedule": lambda: INNER["adam"](exponential(0.01)),
    "clipped": lambda: INNER["adam"](0.01, global_clipnorm=0.1),
    "accumulated": lambda: INNER["adam"](0.01, gradient_accumulation_steps=3),
    "averaged": lambda: INNER["adam"](
        0.01, use_ema=True, ema_momentum=0.5, ema_overwrite_frequency=3
    ),
    "scaled": lambda: INNER["adam"](0.01, loss_scale_factor=64.0),
}


def goes_on_as_if_unbroken(make, path):
    def compiled():
        model = network()
        optimizer = LayerwiseOptimizer(make(), {"hash": 10.0}, l2=0.01)
        model.compile(optimizer, WeightedPairwiseLoss())
        return model

    unbroken = compiled()
    fit(unbroken, 2)
    unbroken.save(path)
    halfway = trained(unbroken)
    fit(unbroken, 3)

    resumed = keras.saving.load_model(path)
    np.testing.assert_equal(trained(resumed), halfway)
    fit(resumed, 3)
    np.testing.assert_equal(trained(resumed), trained(unbroken))
    for new, old in zip(trained(resumed), halfway, strict=True):
        assert (new != old).any()
    state, expected = (
        [variable.numpy() for variable in model.optimizer.variables]
        for model in (resumed, unbroken)
    )
    np.testing.assert_equal(state, expected)
    return resumed.optimizer


@pytest.mark.parametrize("name", RESUMED)
def test_goes_on_from_a_saved_model(tmp_path, name):
    optimizer = goes_on_as_if_unbroken(RESUMED[name], tmp_path / "model.keras")
    assert type(optimizer) is LayerwiseOptimizer
    assert optimizer.multipliers == {"hash": 10.0}
    assert optimizer.l2 == 0.01


def test_goes_on_from_a_saved_model_in_half_precision(tmp_path, mixed_float16):
    optimizer = goes_on_as_if_unbroken(
        RESUMED["momentum"], tmp_path / "model.keras"
    )
    assert type(optimizer) is keras.optimizers.LossScaleOptimizer
    assert type(optimizer.inner_optimizer) is LayerwiseOptimizer


def test_weights_file_carries_the_state(tmp_path):
    def compiled():
        model = network()
        model.compile(
            LayerwiseOptimizer(INNER["adam"](0.01), {"hash": 10.0}),
            WeightedPairwiseLoss(),
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
            LayerwiseOptimizer(keras.optimizers.SGD(RATE), {"hash": 8.0}),
            WeightedPairwiseLoss(),
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
        LayerwiseOptimizer(
            INNER["momentum"](RATE, loss_scale_factor=factor),
            MULTIPLIERS,
            l2=l2,
        ),
        initial_scale=scale,
    )
    assert float(optimizer.scale_loss(1.0)) == scale
    apply(optimizer, [[scale * g for g in step] for step in steps], weights)
    assert_same(weights, apart(INNER["momentum"], steps, l2))
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
    optimizer = LayerwiseOptimizer(
        INNER["momentum"](RATE, loss_scale_factor=16.0), MULTIPLIERS, l2=0.25
    )
    assert optimizer.loss_scale_factor == 16.0
    assert float(optimizer.scale_loss(ops.convert_to_tensor(1.0))) == 16.0
    apply(optimizer, [[16 * g for g in step] for step in steps], weights)
    assert_same(weights, apart(INNER["momentum"], steps, 0.25))


def test_fit_under_mixed_float16(request):
    def compiled():
        model = network()
        model.compile(
            LayerwiseOptimizer(
                keras.optimizers.SGD(RATE, momentum=0.9), {"hash": 8.0}, l2=0.01
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


@pytest.mark.parametrize("name", ["sgd", "adam"])
def test_is_restored(name):
    optimizer = LayerwiseOptimizer(
        INNER[name](exponential(0.25), global_clipnorm=2.0),
        {"hash": 10.0, "body/bias": 2.0},
        l2=5e-4,
        name="mine",
    )
    stored = json.loads(
        json.dumps(keras.saving.serialize_keras_object(optimizer))
    )
    restored = keras.saving.deserialize_keras_object(stored)
    assert type(restored) is LayerwiseOptimizer
    assert restored.get_config() == optimizer.get_config()
    assert restored.multipliers == {"hash": 10.0, "body/bias": 2.0}
    assert (restored.l2, restored.name) == (5e-4, "mine")
    assert type(restored.inner_optimizer) is type(INNER[name](0.1))
    assert restored.inner_optimizer.global_clipnorm == 2.0
    assert float(restored.learning_rate) == 0.25


def test_the_caller_s_dict_is_neither_kept_nor_changed():
    multipliers = {"hash": 2.0}
    optimizer = LayerwiseOptimizer(keras.optimizers.SGD(0.1), multipliers)
    multipliers["hash"] = 3.0
    assert optimizer.multipliers == {"hash": 2.0}


@pytest.mark.parametrize("wrong", ["sgd", None, 0.1])
def test_refuses_what_is_no_optimizer(wrong):
    with pytest.raises(ValueError) as error:
        LayerwiseOptimizer(wrong, {})
    assert str(error.value).endswith(f"Received: inner_optimizer={wrong!r}")


@pytest.mark.parametrize(
    "wrap",
    [
        keras.optimizers.LossScaleOptimizer,
        lambda inner: LayerwiseOptimizer(inner, {}),
    ],
)
def test_refuses_a_wrapper_whose_update_would_pass_it_by(wrap):
    with pytest.raises(ValueError, match="Received: inner_optimizer=<"):
        LayerwiseOptimizer(wrap(keras.optimizers.SGD(0.1)), {"hash": 2.0})


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
        LayerwiseOptimizer(keras.optimizers.SGD(0.1), **arguments)
