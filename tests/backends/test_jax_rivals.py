"""The deep rivals under KERAS_BACKEND=jax, in a process without TensorFlow."""

import os
import pathlib
import pkgutil
import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf

from hashnet_tf.losses import InBatchPairsLoss
from hashnet_tf.methods import DEEP_METHODS, LIKELIHOODS
from hashnet_tf.runs.config import TrainingConfig
from hashnet_tf.runs.networks import build_loss

pytestmark = pytest.mark.slow

SCRIPT = pathlib.Path(__file__).with_name("train_rivals.py")
RIVALS = [
    name
    for name in DEEP_METHODS
    if name == "hashnet-r" or not name.startswith("hashnet")
]


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    """What the script leaves behind."""
    pytest.importorskip("jax")
    folder = tmp_path_factory.mktemp("rivals")
    subprocess.run(
        [sys.executable, str(SCRIPT), str(folder)],
        check=True,
        cwd=folder,
        env={**os.environ, "KERAS_BACKEND": "jax", "JAX_PLATFORMS": "cpu"},
    )
    return dict(np.load(folder / "rivals.npz"))


def test_there_was_no_tensorflow(found):
    assert found["tensorflow"].size == 0


@pytest.mark.parametrize("name", RIVALS)
def test_the_loss_is_that_of_tensorflow(name, found):
    assert keras.backend.backend() == "tensorflow"
    config = TrainingConfig(data="digits", method=name, bits=12)
    loss = build_loss(config, found["labels"])
    outputs = found["outputs"]
    if name != "greedyhash":
        outputs = outputs[:, 4:]
    value = float(loss(found["labels"], outputs))
    assert float(found[f"{name} value"]) == pytest.approx(value, rel=1e-5)


def test_the_loss_of_clicks_is_that_of_tensorflow(found):
    pairs = found["outputs"][:, :12].reshape(24, 2, 6)
    value = float(InBatchPairsLoss()(found["clicks"], pairs))
    np.testing.assert_allclose(found["clicks value"], value, rtol=1e-5)


@pytest.mark.parametrize("name", RIVALS)
def test_it_trains(name, found):
    losses = found[f"{name} losses"]
    assert np.isfinite(losses).all() and losses[-1] < losses[0]
    assert found[f"{name} moved"] > 1e-3


@pytest.mark.parametrize("name", RIVALS)
def test_a_row_of_weight_zero_is_not_there(name, found):
    value, expected = found[f"{name} weighted"]
    assert value == pytest.approx(expected, rel=1e-5)
    assert (found[f"{name} gone"] == 0).all()


def test_labels_are_looked_at(found):
    from hashnet_tf.losses import WeightedPairwiseLoss

    value = float(WeightedPairwiseLoss()(np.arange(24) % 5, found["outputs"]))
    assert float(found["ids value"]) == pytest.approx(value, rel=1e-5)
    assert float(found["ids traced"]) == pytest.approx(value, rel=1e-5)
    assert np.isnan(found["refused"]).all()


@pytest.mark.parametrize("similar", [0, 1])
@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32"])
@pytest.mark.parametrize("name", LIKELIHOODS)
def test_likelihoods_have_the_values_and_gradients_of_tensorflow(
    name, dtype, similar, found
):
    there = found[f"{name} {dtype} {similar}"]
    likelihood = pkgutil.resolve_name(LIKELIHOODS[name].learner)()
    products = tf.cast(12 - 2 * np.linspace(0, 12, 25), dtype)
    with tf.GradientTape() as tape:
        tape.watch(products)
        losses = likelihood.losses(products, np.array(similar > 0), 12)
    expected = tape.gradient(losses, products)
    assert np.isfinite(there).all()
    few = {"float16": 2e-3, "bfloat16": 2e-2, "float32": 1e-5}[dtype]
    for one, other in zip(there, (losses, expected), strict=True):
        other = tf.cast(other, "float32")
        np.testing.assert_allclose(one, other, rtol=few, atol=few)
