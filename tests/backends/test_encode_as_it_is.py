"""`encode` is of the network as it is, whatever was done to it before."""

import importlib.util
import json
import os
import pathlib
import runpy
import subprocess
import sys

import pytest

SCRIPT = pathlib.Path(__file__).with_name("encode_as_it_is.py")
HERE = runpy.run_path(str(SCRIPT))

# Keras tells of each layer that it leaves as it is.
pytestmark = pytest.mark.filterwarnings(
    "ignore:Layer .* does not have a `quantize` method"
)


# What changes the layers, what changes the weights, and what makes a new model.
QUICK = ("low_rank", "quantized_hash_layer", "loaded")


@pytest.mark.parametrize(
    "operation",
    [
        pytest.param(
            operation,
            marks=() if operation.__name__ in QUICK else pytest.mark.slow,
        )
        for operation in HERE["OPERATIONS"]
    ],
)
def test_on_tensorflow(operation):
    assert set(HERE["after"](operation).values()) == {0}


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_on_another_backend(backend, tmp_path):
    if importlib.util.find_spec(backend) is None:
        pytest.skip(f"no {backend} here")
    path = tmp_path / "found.json"
    subprocess.run(
        [sys.executable, str(SCRIPT), str(path)],
        check=True,
        env={**os.environ, "KERAS_BACKEND": backend, "JAX_PLATFORMS": "cpu"},
    )
    found = json.loads(path.read_text())
    assert found["backend"] == backend
    names = [operation.__name__ for operation in HERE["OPERATIONS"]]
    assert list(found["wrong"]) == names
    wrong = {k: v for k, v in found["wrong"].items() if any(v.values())}
    assert wrong == {}
