"""Binary hash codes for image retrieval, learned in Keras.

HashNet ("Deep Learning to Hash by Continuation", Cao et al., ICCV 2017): a
scaled tanh that becomes the sign, a class-balanced pairwise loss, honest
retrieval figures and an encoder that gives the same bits everywhere.
"""

import contextlib
import importlib
import sys
import typing

import lazy_loader
import wrapt

_load, _, __all__ = lazy_loader.attach_stub(__name__, __file__)
__all__ += ["__version__"]
__version__ = "0.2.0.dev0"


def _register(keras: typing.Any) -> None:
    # Keras finds what a file names only once its module is imported. One that
    # is itself waiting for Keras is not whole yet; `__getattr__` comes later.
    with contextlib.suppress(ImportError):
        importlib.import_module("hashnet_tf.models")


wrapt.register_post_import_hook(_register, "keras")


def __getattr__(name: str) -> typing.Any:
    found = _load(name)
    if "keras" in sys.modules:
        _register(sys.modules["keras"])
    return found


def __dir__() -> list[str]:
    return sorted(__all__)
