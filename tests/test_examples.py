"""The examples of every docstring."""

import doctest
import importlib
import pkgutil

import pytest

import hashnet_tf
from hashnet_tf.index.stores import STORES

MODULES = [
    module.name
    for module in pkgutil.walk_packages(hashnet_tf.__path__, "hashnet_tf.")
    if not module.name.startswith("hashnet_tf.tools")
]

# What the examples of a module need beside the package.
EXTRAS = {
    **{
        engine.store.partition(":")[0]: engine.modules
        for engine in STORES.values()
    },
    "hashnet_tf.shallow.vectors": ("faiss",),
    **{
        f"hashnet_tf.serving.{name}": ("fastapi",)
        for name in (
            *("answers", "app", "guard", "metrics", "questions"),
            *("routes", "service"),
        )
    },
}


@pytest.mark.slow
@pytest.mark.parametrize("name", MODULES)
def test_examples_run(name):
    for module in EXTRAS.get(name, ()):
        pytest.importorskip(module)
    assert doctest.testmod(importlib.import_module(name)).failed == 0
