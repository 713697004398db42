import doctest
import importlib
import pkgutil

import pytest

import hashnet_tf.runs

MODULES = [
    module.name
    for module in pkgutil.walk_packages(
        hashnet_tf.runs.__path__, "hashnet_tf.runs."
    )
]


@pytest.mark.parametrize("name", MODULES)
def test_examples_run(name):
    assert doctest.testmod(importlib.import_module(name)).failed == 0


def test_index_is_complete():
    for name in hashnet_tf.runs.__all__:
        assert callable(getattr(hashnet_tf.runs, name))
