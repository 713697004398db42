import functools
import json
import re

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import ops

from hashnet_tf.layers import ScaledTanh, Sign
from hashnet_tf.losses import WeightedPairwiseLoss

CLASS_WEIGHTS = ["batch", (3.0, 0.5), None]


def labels_of(name):
    rng = np.random.default_rng(0)
    ids = rng.integers(0, 3, 9)
    many = (rng.random((9, 5)) < 0.35).astype("int64")
    many[4] = 0
    unknown = np.where(rng.random((9, 5)) < 0.15, -1, many)
    return {
        "ids": ids,
        "column of ids": ids[:, None],
        "unknown ids": np.where(np.arange(9) % 4 == 1, -1, ids),
        "one-hot": np.eye(3, dtype="int64")[ids],
        "multi-hot": many,
        "unknown labels": unknown,
        "all similar": np.zeros(9, "int64"),
        "all dissimilar": np.arange(9),
        "all unknown": np.full(9, -1),
        "all rows unknown": np.full((9, 5), -1),
        "no labels": np.zeros((9, 5), "int64"),
        "one item": ids[:1],
    }[name]


NAMES = [
    "ids",
    "column of ids",
    "unknown ids",
    "one-hot",
    "multi-hot",
    "unknown labels",
    "all similar",
    "all dissimilar",
    "all unknown",
    "all rows unknown",
    "no labels",
    "one item",
]


def codes(n, bits=6):
    z = np.random.default_rng(n + bits).normal(size=(n, bits))
    return np.tanh(2 * z).astype("float32")


def relate_labels(slow, labels, overlap=False):
    items = labels[:, 0] if labels.shape[1:] == (1,) else labels
    # Differences ask for each pair again and again.
    return functools.cache(
        lambda i, j: slow.relation(items[i], items[j], overlap)
    )


def relate_given(matrix):
    return lambda i, j: None if matrix[i, j] < 0 else (matrix[i, j], 1.0)


def gradient_of(loss, y, g):
    g = tf.constant(g)
    with tf.GradientTape() as tape:
        tape.watch(g)
        value = loss(y, g)
    return tape.gradient(value, g).numpy()


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "class_weights, alpha", [("batch", None), ((3.0, 0.5), 0.7), (None, 0.7)]
)
@pytest.mark.parametrize("similarity", ["shared", "jaccard"])
def test_equation_4_of_labels(slow, name, class_weights, similarity, alpha):
    y = labels_of(name)
    g = codes(len(y))
    loss = WeightedPairwiseLoss(alpha, class_weights, similarity)
    rows = slow.loss(
        g,
        relate_labels(slow, y, similarity == "jaccard"),
        alpha or 5 / 6,
        class_weights,
    )
    found = loss.call(ops.convert_to_tensor(y), ops.convert_to_tensor(g))
    np.testing.assert_allclose(found, rows, rtol=2e-6, atol=1e-7)
    # The mean over rows is the mean over pairs.
    np.testing.assert_allclose(loss(y, g), rows.mean(), rtol=2e-6)


@pytest.mark.parametrize("class_weights", CLASS_WEIGHTS)
@pytest.mark.parametrize("values", [[0, 1], [-1, 0, 1], [0], [1], [-1]])
def test_equation_4_of_a_given_matrix(slow, class_weights, values):
    y = np.random.default_rng(0).choice(values, (9, 9))
    g = codes(9)
    rows = slow.loss(g, relate_given(y), 5 / 6, class_weights)
    loss = WeightedPairwiseLoss(class_weights=class_weights, similarity="given")
    np.testing.assert_allclose(loss.call(y, g), rows, rtol=2e-6, atol=1e-7)
    np.testing.assert_allclose(loss(y, g), rows.mean(), rtol=2e-6)


def test_three_items_by_hand():
    g = np.float32([[1, 1], [1, 0], [-1, 1]])
    # <0,1> = 1, similar; <0,2> = 0 and <1,2> = -1, dissimilar; |S| = 6,
    # |S1| = 2, |S0| = 4; in logarithms to the base e.
    similar = np.log(1 + np.exp(-0.5))
    apart = np.log(2), np.log(1 + np.exp(-0.5))
    expected = (2 * 3 * similar + 2 * 1.5 * sum(apart)) / 6
    loss = WeightedPairwiseLoss(alpha=0.5)
    np.testing.assert_allclose(loss(np.array([4, 4, 1]), g), expected, 1e-6)


@pytest.mark.parametrize(
    "class_weights, expected",
    [("batch", 2 * np.log(2)), (None, np.log(2)), ((4.0, 1.0), 2 * np.log(2))],
)
def test_at_zero(class_weights, expected):
    # 4 of the 12 pairs are similar: (4 * 4 + 8 * 1) / 12 = 2.
    loss = WeightedPairwiseLoss(class_weights=class_weights)
    value = loss(np.array([0, 0, 1, 1]), np.zeros((4, 48)))
    np.testing.assert_allclose(value, expected, rtol=1e-6)


def test_alpha_is_five_a_bit():
    y, g = labels_of("ids"), codes(9, bits=48)
    assert float(WeightedPairwiseLoss()(y, g)) == float(
        WeightedPairwiseLoss(alpha=5 / 48)(y, g)
    )


@pytest.mark.parametrize(
    "dtype", ["bool", "uint8", "int32", "int64", "float32", "float64"]
)
def test_dtypes_of_labels(dtype):
    g = codes(9)
    loss = WeightedPairwiseLoss(similarity="jaccard")
    expected = float(loss(labels_of("multi-hot"), g))
    assert float(loss(labels_of("multi-hot").astype(dtype), g)) == expected
    if dtype != "bool":
        found = loss(labels_of("ids").astype(dtype), g)
        assert float(found) == float(loss(labels_of("one-hot"), g))


@pytest.mark.parametrize(
    "name",
    ["all similar", "all dissimilar", "all unknown", "no labels", "one item"],
)
@pytest.mark.parametrize("class_weights", CLASS_WEIGHTS)
def test_a_kind_of_pair_that_is_missing_leaves_all_finite(name, class_weights):
    y = labels_of(name)
    g = codes(len(y))
    loss = WeightedPairwiseLoss(class_weights=class_weights)
    gradient = gradient_of(loss, y, g)
    assert np.isfinite(gradient).all()
    nothing = name in ("all unknown", "one item")
    assert (float(loss(y, g)) == 0) == nothing
    assert (gradient == 0).all() == nothing


@pytest.mark.parametrize(
    "name", ["ids", "unknown ids", "multi-hot", "unknown labels"]
)
@pytest.mark.parametrize(
    "class_weights, similarity",
    [
        ("batch", "shared"),
        ("batch", "jaccard"),
        ((3.0, 0.5), "jaccard"),
        (None, "shared"),
    ],
)
def test_gradient(slow, name, class_weights, similarity):
    y = labels_of(name)
    g = codes(9, bits=4)
    relate = relate_labels(slow, y, similarity == "jaccard")
    expected = slow.gradient(
        lambda x: slow.loss(x, relate, 0.8, class_weights).mean(),
        g.astype("float64"),
    )
    found = gradient_of(
        WeightedPairwiseLoss(0.8, class_weights, similarity), y, g
    )
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-7)


def test_gradient_of_a_given_matrix(slow):
    y = np.random.default_rng(1).choice([-1, 0, 1], (9, 9))
    g = codes(9, bits=4)
    expected = slow.gradient(
        lambda x: slow.loss(x, relate_given(y), 0.8, "batch").mean(),
        g.astype("float64"),
    )
    found = gradient_of(WeightedPairwiseLoss(0.8, similarity="given"), y, g)
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("alpha", [1.0, 100.0])
def test_saturated_inner_products(slow, alpha):
    # |alpha <g_i, g_j>| is up to 6,400: exp of it is no number.
    y = labels_of("ids")
    g = np.sign(codes(9, bits=8)).repeat(8, axis=1)
    g[1], g[2] = g[0], -g[0]
    relate = relate_labels(slow, y)
    loss = WeightedPairwiseLoss(alpha)
    rows = slow.loss(g, relate, alpha, "batch")
    np.testing.assert_allclose(loss.call(y, g), rows, rtol=2e-6)
    expected = slow.gradient(
        lambda x: slow.loss(x, relate, alpha, "batch").mean(),
        g[:, :3].astype("float64"),
    )
    found = gradient_of(loss, y, g[:, :3])
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("name", ["ids", "unknown labels"])
def test_sample_weight(slow, name):
    y = labels_of(name)
    g = codes(9)
    rows = slow.loss(g, relate_labels(slow, y), 5 / 6, "batch")
    weight = np.float32([4, 1, 2, 0.5, 5, 1, 1, 3, 0.25])
    loss = WeightedPairwiseLoss()
    for given in (weight, weight[:, None]):
        np.testing.assert_allclose(
            loss(y, g, sample_weight=given), np.mean(weight * rows), rtol=2e-6
        )
    # Weights of one change nothing, and none make the loss vanish.
    assert float(loss(y, g, np.ones(9))) == float(loss(y, g))
    assert float(loss(y, g, np.zeros(9))) == 0


@pytest.mark.parametrize("reduction", ["sum", None, "mean_with_sample_weight"])
def test_reduction(slow, reduction):
    y, g = labels_of("ids"), codes(9)
    weight = np.arange(1.0, 10.0)
    rows = weight * slow.loss(g, relate_labels(slow, y), 5 / 6, "batch")
    expected = {
        "sum": rows.sum(),
        None: rows,
        "mean_with_sample_weight": rows.sum() / weight.sum(),
    }[reduction]
    loss = WeightedPairwiseLoss(reduction=reduction)
    np.testing.assert_allclose(loss(y, g, weight), expected, rtol=2e-6)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
@pytest.mark.parametrize("alpha", [None, 2.0])
def test_half_precision_is_computed_in_float32(dtype, alpha):
    y = labels_of("ids")
    half = ops.cast(codes(9, bits=64), dtype)
    whole = ops.cast(half, "float32")
    # A weight and a sum that are infinite in float16.
    loss = WeightedPairwiseLoss(alpha, class_weights=(1e6, 1.0))
    value = loss(y, half)
    assert value.dtype == "float32"
    assert float(value) == float(loss(y, whole)) > 65504
    rows = loss.call(ops.convert_to_tensor(y), half)
    assert rows.dtype == "float32"
    np.testing.assert_array_equal(
        rows, loss.call(ops.convert_to_tensor(y), whole)
    )


@pytest.fixture
def policy(request):
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(request.param)
    yield request.param
    keras.config.set_dtype_policy(before)


def network(bits=32):
    keras.utils.set_random_seed(0)
    inputs = keras.Input((10,))
    z = keras.layers.Dense(bits)(inputs)
    return keras.Model(inputs, ScaledTanh(2.0)(z))


@pytest.mark.parametrize(
    "policy",
    ["float32", "mixed_float16", "mixed_bfloat16"],
    indirect=True,
)
def test_one_step_of_fit(slow, policy):
    y = np.arange(12) % 3
    x = np.random.default_rng(0).normal(size=(12, 10)).astype("float32")
    # As far as the rounding of z and g goes.
    rtol = {
        "float32": 1e-5,
        "mixed_float16": 2.0**-10,
        "mixed_bfloat16": 2.0**-7,
    }[policy]
    weight = np.float32(1 + np.arange(12) % 4)

    model = network()
    kernel, bias = (w.astype("float64") for w in model.get_weights()[:2])

    def expected_loss(kernel):
        g = np.tanh(2.0 * (x @ kernel + bias))
        rows = slow.loss(g, relate_labels(slow, y), 5 / 32, "batch")
        return np.mean(weight * rows)

    # Compiled, but for one kind of half precision.
    model.compile(
        keras.optimizers.SGD(1.0),
        WeightedPairwiseLoss(),
        run_eagerly=policy == "mixed_bfloat16",
    )
    scaled = isinstance(model.optimizer, keras.optimizers.LossScaleOptimizer)
    assert scaled == (policy == "mixed_float16")
    history = model.fit(
        x, y, batch_size=12, sample_weight=weight, verbose=0
    ).history
    assert history["loss"] == [pytest.approx(expected_loss(kernel), rel=rtol)]

    # One column of the kernel: its step is the gradient.
    def of_column(column):
        return expected_loss(np.column_stack([column, kernel[:, 1:]]))

    moved = kernel[:, 0] - model.get_weights()[0][:, 0]
    expected = slow.gradient(of_column, kernel[:, 0].copy())
    np.testing.assert_allclose(
        moved, expected, rtol=0, atol=4 * rtol * np.abs(expected).max()
    )


def test_batches_of_unknown_and_of_changing_size():
    # The last of 22 is smaller than the others: 8, 8, 6.
    y = np.arange(22) % 3
    x = np.random.default_rng(0).normal(size=(22, 10)).astype("float32")
    model = network()
    model.compile("sgd", WeightedPairwiseLoss())
    data = tf.data.Dataset.from_tensor_slices((x, y)).batch(8)
    assert data.element_spec[1].shape.as_list() == [None]
    value = model.evaluate(data, verbose=0)
    g = model.predict(x, verbose=0)
    batches = [slice(0, 8), slice(8, 16), slice(16, 22)]
    losses = [float(model.loss(y[b], g[b])) for b in batches]
    expected = np.average(losses, weights=[8, 8, 6])
    assert value == pytest.approx(expected, rel=1e-5)


BETAS = [1.0, 1.414, 7.071, 1e3, 1e10, 3e38]


@pytest.mark.parametrize(
    "scale, similarity",
    [(1.0, "shared"), (1e-3, "jaccard"), (1e-20, "shared"), (2e-37, "jaccard")],
)
def test_theorem_1(scale, similarity):
    """L does not change when beta does, not by its last digit."""
    y = labels_of("multi-hot")
    z = np.random.default_rng(3).normal(size=(9, 16)).astype("float32") * scale
    # Zero has a sign, and nothing here is subnormal, which a kernel may or
    # may not take for zero.
    z[np.abs(z) < 2e-38] = 0.0
    z[0, 0], z[1, 1] = 0.0, -0.0
    loss = WeightedPairwiseLoss(similarity=similarity)
    value = float(loss(y, Sign()(z)))
    layer = ScaledTanh()
    at_beta = []
    for beta in BETAS:
        layer.beta.assign(beta)
        at_beta.append(float(loss(y, Sign()(layer(z)))))
    assert at_beta == [value] * len(BETAS)


def test_j_changes_with_beta_and_ends_in_l():
    y = labels_of("multi-hot")
    z = np.random.default_rng(3).normal(size=(9, 16)).astype("float32")
    loss = WeightedPairwiseLoss()
    of_signs = float(loss(y, Sign()(z)))
    of_tanh = [float(loss(y, ScaledTanh(beta)(z))) for beta in BETAS]
    assert len(set(of_tanh[:4])) == 4
    assert of_tanh[-1] == of_signs


@pytest.mark.parametrize(
    "beta, policy", [(1e-30, "float32"), (1.0, "mixed_float16")]
)
def test_theorem_1_ends_where_beta_z_is_rounded_to_zero(beta, policy):
    # No schedule starts below 1. Half precision does get here, so L is to be
    # taken of sgn(z) and not of sgn(g).
    z = np.float32([-1e-20])
    g = ScaledTanh(beta, dtype=policy)(z)
    assert float(g[0]) == 0
    assert float(Sign()(g)[0]) == 1
    assert float(Sign(dtype=policy)(z)[0]) == -1


ARGUMENTS = [
    {},
    {"alpha": 0.2, "class_weights": None, "similarity": "jaccard"},
    {
        "class_weights": (99.5, 1.0101),
        "similarity": "given",
        "name": "mine",
        "reduction": "sum",
    },
]


@pytest.mark.parametrize("arguments", ARGUMENTS)
def test_is_restored(arguments):
    loss = WeightedPairwiseLoss(**arguments)
    config = loss.get_config()
    assert {name: config[name] for name in arguments} == arguments
    stored = json.loads(json.dumps(keras.saving.serialize_keras_object(loss)))
    restored = keras.saving.deserialize_keras_object(stored)
    assert type(restored) is WeightedPairwiseLoss
    assert restored.get_config() == config
    assert restored.dtype == "float32"


def test_is_saved_with_a_model(tmp_path):
    model = network()
    loss = WeightedPairwiseLoss(0.3, (5.0, 1.2), "jaccard")
    model.compile("sgd", loss, run_eagerly=True)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert type(loaded.loss) is WeightedPairwiseLoss
    assert loaded.loss.get_config() == loss.get_config()
    x = np.random.default_rng(0).normal(size=(9, 10)).astype("float32")
    y = labels_of("multi-hot")
    assert loaded.evaluate(x, y, verbose=0) == model.evaluate(x, y, verbose=0)


@pytest.mark.parametrize(
    "arguments, received",
    [
        ({"alpha": 0}, "alpha=0"),
        ({"alpha": -0.2}, "alpha=-0.2"),
        ({"alpha": float("nan")}, "alpha=nan"),
        ({"class_weights": "dataset"}, "class_weights='dataset'"),
        ({"class_weights": (1.0, -1.0)}, "class_weights=(1.0, -1.0)"),
        ({"similarity": "cosine"}, "similarity='cosine'"),
        ({"similarity": None}, "similarity=None"),
    ],
)
def test_refuses_arguments(arguments, received):
    with pytest.raises(ValueError, match=re.escape(f"Received: {received}")):
        WeightedPairwiseLoss(**arguments)


@pytest.mark.parametrize(
    "similarity, y_shape, g_shape, received",
    [
        ("shared", (4,), (4,), "y_pred.shape=(4,)"),
        ("shared", (4,), (4, 3, 2), "y_pred.shape=(4, 3, 2)"),
        ("shared", (), (4, 3), "y_true.shape=(), y_pred.shape=(4, 3)"),
        ("shared", (5,), (4, 3), "y_true.shape=(5,), y_pred.shape=(4, 3)"),
        ("jaccard", (5, 2), (4, 3), "y_true.shape=(5, 2), y_pred.shape=(4, 3)"),
        (
            "shared",
            (4, 2, 2),
            (4, 3),
            "y_true.shape=(4, 2, 2), y_pred.shape=(4, 3)",
        ),
        ("given", (4,), (4, 3), "y_true.shape=(4,)"),
        ("given", (4, 3), (4, 3), "y_true.shape=(4, 3)"),
        ("given", (1, 1), (4, 3), "y_true.shape=(1, 1)"),
        ("given", (5, 5), (4, 3), "y_true.shape=(5, 5)"),
    ],
)
def test_refuses_shapes(similarity, y_shape, g_shape, received):
    loss = WeightedPairwiseLoss(similarity=similarity)
    with pytest.raises(ValueError, match=re.escape(f"Received: {received}")):
        loss(np.zeros(y_shape), np.zeros(g_shape))
