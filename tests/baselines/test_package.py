import doctest
import importlib
import pkgutil

import pytest

import hashnet_tf.baselines

MODULES = [
    module.name
    for module in pkgutil.walk_packages(
        hashnet_tf.baselines.__path__, "hashnet_tf.baselines."
    )
]


@pytest.mark.parametrize("name", MODULES)
def test_examples_run(name):
    assert doctest.testmod(importlib.import_module(name)).failed == 0
