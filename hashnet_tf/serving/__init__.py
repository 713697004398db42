"""A page and a JSON API over an index, for the one who sits at the machine.

It needs the extra: pip install 'hashnet_tf[serve]'.
"""

from hashnet_tf.serving.server import serve

__all__ = ["serve"]


def __dir__() -> list[str]:
    return __all__
