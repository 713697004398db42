"""Binary hash codes for image retrieval, learned in Keras.

HashNet ("Deep Learning to Hash by Continuation", Cao et al., ICCV 2017): a
scaled tanh that becomes the sign, a class-balanced pairwise loss, honest
retrieval figures and an encoder that gives the same bits everywhere.
"""

import importlib

__version__ = "0.1.0"

# Each loads on first use: codes can be measured without a Keras backend at
# work, and a network trained under JAX without TensorFlow.
_MODULES = (
    "baselines",
    "callbacks",
    "datasets",
    "export",
    "layers",
    "losses",
    "models",
    "optimizers",
    "reproduction",
    "retrieval",
    "runs",
    "schedules",
)

__all__ = [*_MODULES, "HashNet", "__version__"]


def __getattr__(name):
    if name in _MODULES:
        return importlib.import_module(f"hashnet_tf.{name}")
    if name == "HashNet":
        from hashnet_tf.models import HashNet

        return HashNet
    raise AttributeError(f"module 'hashnet_tf' has no attribute {name!r}")


def __dir__():
    return sorted(__all__)
