import doctest
import importlib
import pkgutil

import pytest

import hashnet_tf.reproduction

MODULES = [
    module.name
    for module in pkgutil.walk_packages(
        hashnet_tf.reproduction.__path__, "hashnet_tf.reproduction."
    )
]


@pytest.mark.parametrize("name", MODULES)
def test_examples_run(name):
    assert doctest.testmod(importlib.import_module(name)).failed == 0


def test_index_is_complete():
    for name in hashnet_tf.reproduction.__all__:
        assert getattr(hashnet_tf.reproduction, name) is not None
