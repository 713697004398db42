"""Chromium, and the runtimes for browsers in it.

LiteRT.js runs `encoder_web.tflite`, onnxruntime-web `encoder.onnx` by its wasm
backend. `encode.js` is what calls them.
"""

import base64
import contextlib
import functools
import http.server
import json
import os
import pathlib
import shutil
import tempfile
import threading
import typing
from collections.abc import Iterator

import numpy as np

from hashnet_tf.export._npm import fetch
from runtimes import Missing

HERE = pathlib.Path(__file__).parent
PAGE = HERE.parents[1] / "export" / "web_page" / "package.json"
# By the function of encode.js: what npm fetches for it, and how many items its
# encoder takes at once.
RUNTIMES = {
    "litertjs": (json.loads(PAGE.read_text("utf-8"))["dependencies"], 1),
    "onnxruntimeWeb": ({"onnxruntime-web": "^1.30.0"}, 32),
}
ENCODE = """async (job) => {
    const runtimes = await import(new URL("encode.js", document.baseURI).href);
    return runtimes[job.runtime](job);
}"""


class Encode(typing.Protocol):
    """Runs a file on inputs."""

    def __call__(
        self, path: pathlib.Path, name: str, inputs: np.ndarray
    ) -> np.ndarray:
        """Returns the codes of the inputs, uint8 `[n, ceil(K / 8)]`.

        Args:
            path: File of the encoder.
            name: Str, the name of its input.
            inputs: Array `[n, ...]` of the dtype that it takes.
        """
        ...


@contextlib.contextmanager
def chromium(*arguments: str) -> Iterator[typing.Any]:
    """Opens a Chromium without a window.

    Args:
        *arguments: Str, of its command line.

    Yields:
        `playwright.sync_api.Browser`.

    Raises:
        Missing: If there is no Playwright or no Chromium.
    """
    try:
        from playwright.sync_api import sync_playwright
    except ImportError as error:
        raise Missing("playwright: pip install playwright") from error
    names = ("chromium", "chromium-browser")
    path = next(filter(None, map(shutil.which, names)), None)
    if path is None:
        raise Missing("chromium: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=path, args=["--no-sandbox", *arguments]
        )
        yield browser
        browser.close()


class _Handler(http.server.SimpleHTTPRequestHandler):
    def end_headers(self):
        self.send_header("Cross-Origin-Opener-Policy", "same-origin")
        self.send_header("Cross-Origin-Embedder-Policy", "require-corp")
        super().end_headers()

    def log_message(self, *_):
        pass


@contextlib.contextmanager
def isolating(folder: os.PathLike[str] | str) -> Iterator[str]:
    """Serves a folder with the headers that threads want; yields its URL."""
    handler = functools.partial(_Handler, directory=os.fspath(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def node_modules(runtime: str, folder: pathlib.Path) -> pathlib.Path:
    """Returns the folder of a runtime's packages.

    That which `HASHNET_TF_LITERTJS` names, where they are in it, or one that
    npm fills.

    Args:
        runtime: Str, one of `RUNTIMES`.
        folder: Path where npm puts them.

    Raises:
        Missing: If npm is not there or does not fetch them.
    """
    packages, _ = RUNTIMES[runtime]
    given = pathlib.Path(os.environ.get("HASHNET_TF_LITERTJS") or folder)
    for place in (given / "node_modules", given):
        if all((place / name).is_dir() for name in packages):
            return place
    try:
        fetch(packages, folder, f"npm's {' and '.join(packages)}.")
    except ValueError as error:
        raise Missing(str(error)) from error
    return folder / "node_modules"


@contextlib.contextmanager
def opened(runtime: str) -> Iterator[Encode]:
    """Opens a runtime in a Chromium.

    Args:
        runtime: Str, one of `RUNTIMES`.

    Yields:
        `Encode`.

    Raises:
        Missing: As `chromium` and `node_modules`.
    """
    with (
        chromium() as browser,
        tempfile.TemporaryDirectory() as fetched,
        tempfile.TemporaryDirectory() as folder,
        isolating(folder) as address,
    ):
        packages = node_modules(runtime, pathlib.Path(fetched))
        root = pathlib.Path(folder)
        (root / "node_modules").symlink_to(packages.absolute())
        for name in ("encode.html", "encode.js"):
            shutil.copyfile(HERE / name, root / name)

        def encode(path, name, inputs):
            shutil.copyfile(path, root / "encoder")
            inputs.tofile(root / "inputs")
            job = {
                "runtime": runtime,
                "name": name,
                "dtype": inputs.dtype.name,
                "shape": inputs.shape,
                "atOnce": RUNTIMES[runtime][1],
            }
            # Of a context of its own, so without what another has cached.
            page = browser.new_page()
            page.goto(f"{address}/encode.html")
            codes = base64.b64decode(page.evaluate(ENCODE, job))
            page.close()
            return np.frombuffer(codes, np.uint8).reshape(len(inputs), -1)

        yield encode
