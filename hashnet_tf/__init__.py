"""Binary hash codes for image retrieval, learned in Keras.

HashNet ("Deep Learning to Hash by Continuation", Cao et al., ICCV 2017): a
scaled tanh that becomes the sign, a class-balanced pairwise loss, honest
retrieval figures and an encoder that gives the same bits everywhere.
"""

import lazy_loader

__getattr__, _, __all__ = lazy_loader.attach_stub(__name__, __file__)
__all__ += ["__version__"]
__version__ = "0.2.0.dev0"


def __dir__() -> list[str]:
    return sorted(__all__)
