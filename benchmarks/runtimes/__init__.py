"""Runtimes that are no Python: a browser, TensorFlow's C API, the JVM.

A file each, with what opens it and then runs an exported encoder, or an index,
in it. Benchmarks count by them, and tests compare by them: pytest has
`benchmarks/` on its path.
"""


class Missing(Exception):
    """A runtime's tools are not on this machine; it tells which."""
