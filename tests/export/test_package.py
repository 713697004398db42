import doctest
import importlib
import pkgutil

import pytest

import hashnet_tf.export

MODULES = [
    module.name
    for module in pkgutil.walk_packages(
        hashnet_tf.export.__path__, "hashnet_tf.export."
    )
]


@pytest.mark.parametrize("name", MODULES)
def test_examples_run(name):
    assert doctest.testmod(importlib.import_module(name)).failed == 0


def test_index_is_complete():
    for name in hashnet_tf.export.__all__:
        assert callable(getattr(hashnet_tf.export, name))
