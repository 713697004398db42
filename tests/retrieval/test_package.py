import doctest
import importlib
import pkgutil
import subprocess
import sys

import pytest

import hashnet_tf.retrieval

MODULES = [
    module.name
    for module in pkgutil.walk_packages(
        hashnet_tf.retrieval.__path__, "hashnet_tf.retrieval."
    )
]


@pytest.mark.parametrize("name", MODULES)
def test_examples_run(name):
    assert doctest.testmod(importlib.import_module(name)).failed == 0


def test_import_needs_numpy_alone():
    heavy = {"matplotlib", "keras", "tensorflow", "sklearn", "jax", "torch"}
    loaded = subprocess.run(
        [
            sys.executable,
            "-c",
            "import sys, hashnet_tf.retrieval; print(*sys.modules)",
        ],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    assert "hashnet_tf.retrieval.evaluate" in loaded
    assert not heavy & set(loaded)


def test_index_is_complete():
    for name in hashnet_tf.retrieval.__all__:
        found = getattr(hashnet_tf.retrieval, name)
        assert callable(found) or name == "PRESETS"
