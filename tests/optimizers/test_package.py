import doctest
import importlib
import pkgutil

import pytest

import hashnet_tf.optimizers

MODULES = [
    module.name
    for module in pkgutil.walk_packages(
        hashnet_tf.optimizers.__path__, "hashnet_tf.optimizers."
    )
]


@pytest.mark.parametrize("name", MODULES)
def test_examples_run(name):
    assert doctest.testmod(importlib.import_module(name)).failed == 0


def test_index_is_complete():
    for name in hashnet_tf.optimizers.__all__:
        assert callable(getattr(hashnet_tf.optimizers, name))
