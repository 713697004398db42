"""The deep rivals under KERAS_BACKEND=jax, in a process without TensorFlow."""

import os
import pathlib
import subprocess
import sys

import keras
import numpy as np
import pytest

from hashnet_tf.methods import DEEP_METHODS
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
