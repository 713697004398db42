"""Sources of images: from a word, or a folder as it is handed out, to a `Pool`.

Each reader says in its docstring which files it needs, and where.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
