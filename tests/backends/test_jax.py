"""The core under KERAS_BACKEND=jax, in a process that has no TensorFlow."""

import json
import os
import pathlib
import subprocess
import sys

import keras
import numpy as np
import pytest

from hashnet_tf.models import HashNet

pytestmark = pytest.mark.slow

SCRIPT = pathlib.Path(__file__).with_name("train_tiny.py")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """What the script leaves behind."""
    pytest.importorskip("jax")
    folder = tmp_path_factory.mktemp("jax")
    subprocess.run(
        [sys.executable, str(SCRIPT), str(folder)],
        check=True,
        cwd=folder,
        env={**os.environ, "KERAS_BACKEND": "jax", "JAX_PLATFORMS": "cpu"},
    )
    return folder


@pytest.fixture(scope="module")
def found(folder):
    return json.loads((folder / "found.json").read_text())


@pytest.fixture(scope="module")
def arrays(folder):
    return dict(np.load(folder / "found.npz"))


def test_it_was_jax_and_no_tensorflow(found):
    assert found["backend"] == "jax"
    assert found["tensorflow"] == []


@pytest.mark.parametrize(
    "mode, held",
    [("compiled", 1), ("not compiled", 1), ("compiled, 2 steps at once", 2)],
)
def test_the_compiled_step_uses_beta(mode, held, found):
    # beta = 1 + t / 2 and z = 1 / 2; under JAX the logs of an execution are
    # those of its last step, a mean over the epoch so far.
    steps = [step - step % held for step in range(6)]
    losses = np.tanh([(1 + step / 2) / 2 for step in steps])
    means = [losses[:end].mean() for end in range(held, 7, held)]
    np.testing.assert_allclose(found["losses"][mode], means, rtol=1e-6)


def test_logs_and_monitor(found, arrays):
    history, records = found["history"], found["records"]
    assert history["beta"] == found["expected_betas"]
    assert [record["step"] for record in records] == [0, 6, 12, 18, 24]
    betas = np.float32([1.0, *found["expected_betas"]]).tolist()
    assert [record["beta"] for record in records] == betas
    for name in ("J", "L", "gap", "bit_balance", "bit_correlation"):
        assert history[name] == [record[name] for record in records[1:]]
    # The last is that of the weights that were saved.
    gap = np.mean(1 - np.abs(np.tanh(betas[-1] * arrays["z"])))
    assert records[-1]["gap"] == pytest.approx(gap, rel=1e-5)
    assert records[-1]["L"] < 0.2 * records[0]["L"]
    assert history["loss"][-1] < 0.5 * history["loss"][0]


def test_the_hash_layer_moves_ten_times_as_far(arrays):
    ten, one = arrays["moves_10"], arrays["moves_1"]
    hash_layer, rest = slice(0, 8 * 12), slice(8 * 12, None)
    assert np.abs(one[hash_layer]).max() > 1e-5
    np.testing.assert_allclose(
        ten[hash_layer], 10 * one[hash_layer], rtol=1e-3, atol=2e-8
    )
    np.testing.assert_array_equal(ten[rest], one[rest])


def test_a_killed_and_resumed_run_has_the_same_betas(found):
    assert found["whole"] == found["resumed"]
    stages = np.float32([1.1, 2.2, 3.3]).tolist()
    assert found["whole"] == np.repeat(stages, [18, 18, 6]).tolist()


def test_the_last_checkpoint_restores(found, arrays):
    assert found["steps"] == 24
    np.testing.assert_array_equal(arrays["restored"], arrays["codes"])
    assert (arrays["codes"] != arrays["before"]).any()


def test_tensorflow_loads_the_model_and_gives_the_same_codes(
    folder, found, arrays
):
    assert keras.backend.backend() == "tensorflow"
    model = keras.saving.load_model(folder / "model.keras")
    assert isinstance(model, HashNet)
    assert model.scaled_tanh.beta.numpy() == found["records"][-1]["beta"]
    assert model.optimizer.iterations.numpy() == 24
    # No z is near enough to 0 for the backends' rounding to matter.
    z = np.asarray(model.logits(arrays["images"], training=False))
    np.testing.assert_allclose(z, arrays["z"], atol=1e-4)
    assert np.abs(z).min() > 1e-3
    np.testing.assert_array_equal(arrays["codes"], np.packbits(z >= 0, axis=1))
    np.testing.assert_array_equal(
        model.encode(arrays["images"]), arrays["codes"]
    )
