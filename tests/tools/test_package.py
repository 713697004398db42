import importlib
import pkgutil

import pytest

import hashnet_tf.tools
from hashnet_tf.tools import main

MODULES = [
    module.name
    for module in pkgutil.iter_modules(hashnet_tf.tools.__path__)
    # Of a command's own file there may be a second one.
    if not module.ispkg and not module.name.startswith("_")
]


def test_each_module_is_a_command():
    assert sorted(MODULES) == sorted([*main.COMMANDS, "main"])


@pytest.mark.parametrize("name", MODULES)
def test_commands_are_documented(name):
    module = importlib.import_module(f"hashnet_tf.tools.{name}")
    # There are no examples to run: they are command lines.
    assert module.__doc__ and ">>>" not in module.__doc__
    if name != "main":
        assert f"\n  hashnet {name}" in module.__doc__
