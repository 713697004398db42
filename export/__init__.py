"""Export: the exact encoder, as it runs on servers and on devices."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
