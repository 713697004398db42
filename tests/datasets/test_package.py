import doctest
import importlib
import pkgutil
import subprocess
import sys

import pytest

import hashnet_tf.datasets

MODULES = [
    module.name
    for module in pkgutil.walk_packages(
        hashnet_tf.datasets.__path__, "hashnet_tf.datasets."
    )
]


@pytest.mark.parametrize("name", MODULES)
def test_examples_run(name):
    assert doctest.testmod(importlib.import_module(name)).failed == 0


def test_import_leaves_tfds_to_who_asks_for_it():
    loaded = subprocess.run(
        [
            sys.executable,
            "-c",
            "import sys, hashnet_tf.datasets; print(*sys.modules)",
        ],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    assert "hashnet_tf.datasets.load" in loaded
    assert "tensorflow_datasets" not in loaded


def test_index_is_complete():
    for name in hashnet_tf.datasets.__all__:
        assert callable(getattr(hashnet_tf.datasets, name))
