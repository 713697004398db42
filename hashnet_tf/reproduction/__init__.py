"""The tables and figures of HashNet (ICCV 2017), measured anew."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
