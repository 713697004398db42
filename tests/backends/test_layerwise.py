"""Layer-wise rates by hand, under the other backends of Keras."""

import os
import pathlib
import subprocess
import sys

import numpy as np
import pytest

SCRIPT = pathlib.Path(__file__).with_name("layerwise_steps.py")
SHAPES = {
    "body/kernel": (4, 3),
    "body/bias": (3,),
    "hash/kernel": (3, 2),
    "hash/bias": (2,),
}
STEPS = 7


@pytest.fixture(scope="module")
def given():
    rng = np.random.default_rng(0)
    paths = [*SHAPES, *(f"{k}/{path}" for k in range(STEPS) for path in SHAPES)]
    return {
        path: rng.normal(size=SHAPES["/".join(path.split("/")[-2:])]).astype(
            "float32"
        )
        for path in paths
    }


@pytest.fixture(scope="module")
def expected(given):
    """Each second step moves, by the mean of two gradients."""
    weights = {path: given[path].astype("float64") for path in SHAPES}
    velocity = dict.fromkeys(SHAPES, 0.0)
    for k in range(1, STEPS, 2):
        mean = {
            path: (given[f"{k - 1}/{path}"] + given[f"{k}/{path}"]) / 2.0
            for path in SHAPES
        }
        norm = np.sqrt(sum(np.sum(g**2.0) for g in mean.values()))
        assert norm > 1.5
        for path in SHAPES:
            gradient = mean[path] * 1.5 / norm
            if path.endswith("kernel"):
                gradient = gradient + 0.125 * weights[path]
            rate = 0.5 * 0.5 ** (k / 2)
            if path.startswith("hash/"):
                rate *= 4
            velocity[path] = 0.75 * velocity[path] - rate * gradient
            weights[path] = weights[path] + velocity[path]
    return weights


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_steps_by_hand(backend, given, expected, tmp_path):
    pytest.importorskip(backend)
    np.savez(tmp_path / "given.npz", steps=STEPS, **given)
    subprocess.run(
        [
            *(sys.executable, str(SCRIPT)),
            *(tmp_path / "given.npz", tmp_path / "found.npz"),
        ],
        check=True,
        cwd=tmp_path,
        env={**os.environ, "KERAS_BACKEND": backend, "JAX_PLATFORMS": "cpu"},
    )
    found = np.load(tmp_path / "found.npz")
    assert found["backend"] == backend
    for path, weight in expected.items():
        np.testing.assert_allclose(
            found[path], weight, rtol=1e-5, atol=1e-6, err_msg=path
        )
