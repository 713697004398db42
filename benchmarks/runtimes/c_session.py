"""A SavedModel in a session of TensorFlow's C API, in a process of its own."""

import contextlib
import importlib.util
import pathlib
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator

import numpy as np

from runtimes import Missing

TESTS = pathlib.Path(__file__).parents[2] / "tests" / "export"
LIBRARY = "libtensorflow_cc.so.2"


@contextlib.contextmanager
def opened() -> Iterator[Callable[[pathlib.Path, Iterable], np.ndarray]]:
    """Makes what a session needs.

    Yields:
        Function from the path of a SavedModel and batches, arrays of its one
        input, to codes, uint8 `[n, ceil(K / 8)]`.

    Raises:
        Missing: If TensorFlow's wheel has no such library, as none but Linux's.
    """
    spec = importlib.util.find_spec("tensorflow")
    places = (spec and spec.submodule_search_locations) or []
    if not any((pathlib.Path(place) / LIBRARY).is_file() for place in places):
        raise Missing(f"a wheel of TensorFlow with {LIBRARY}, as on Linux")
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)

        def encode(path, batches):
            given = {
                f"serving_default/{place:03}": batch
                for place, batch in enumerate(batches)
            }
            paths = [folder / "inputs.npz", folder / "outputs.npz"]
            np.savez(paths[0], **given)
            command = [sys.executable, TESTS / "run_c_session.py", *paths, path]
            subprocess.run(list(map(str, command)), check=True, cwd=folder)
            with np.load(paths[1]) as outputs:
                return np.concatenate(
                    [outputs[f"{path}/in_c_session/{k}/codes"] for k in given]
                )

        yield encode
