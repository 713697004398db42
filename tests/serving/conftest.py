import contextlib
import io
import re
import signal
import subprocess
import sys
import threading

import numpy as np
import pytest
from PIL import Image

import hashnet_tf as hn

pytest.importorskip("fastapi", reason="needs the extra [serve]")

KINDS = ("reds", "greens", "blues")
A_KIND = 12
LONG = "holidays by the sea, in the summer before the last one"
# What a file may be called, and a page must not take for its own.
TAGGED = "<img src=x onerror=alert(1)>&amp;.png"


def tinted(kind, seed):
    """A picture of a kind, by its colour, as `PIL.Image.Image`."""
    tiles = np.random.default_rng(seed).integers(0, 60, (5, 6, 3), "uint8")
    tiles[..., KINDS.index(kind)] += 180
    return Image.fromarray(tiles).resize((40, 32), Image.Resampling.NEAREST)


def encoded(image, kind="PNG", **options):
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


@pytest.fixture(scope="session")
def picture():
    """Function to the bytes of a picture of a kind that is in no index."""

    def made(kind, seed=1000, format="PNG"):
        return encoded(tinted(kind, seed), format)

    return made


@pytest.fixture(scope="session")
def encoder(tmp_path_factory):
    """A LiteRT encoder whose features are the means of a picture's quarters."""
    import keras

    images = keras.Input((8, 8, 3), name="images")
    x = keras.layers.Rescaling(1 / 255)(images)
    features = keras.layers.Flatten()(keras.layers.AveragePooling2D(4)(x))
    model = hn.HashNet(keras.Model(images, features), bits=16)
    kernel = np.random.default_rng(0).normal(size=(12, 16))
    model.hash_layer.set_weights([kernel, -kernel.sum(axis=0) / 2])
    path = tmp_path_factory.mktemp("encoder") / "encoder.tflite"
    hn.export.to_litert(model, path, features=True)
    return hn.export.LiteRTEncoder(path)


@pytest.fixture(scope="session")
def photos(tmp_path_factory, encoder):
    """File of an index of some pictures; do not write there."""
    root = tmp_path_factory.mktemp("served")
    paths, labels = [], []
    for kind in KINDS:
        (root / kind).mkdir()
        for number in range(A_KIND):
            path = root / kind / f"{number}.png"
            if (kind, number) == ("greens", 0):
                path = path.with_name(TAGGED)
            tinted(kind, KINDS.index(kind) * 100 + number).save(path)
            paths.append(path)
            labels.append(kind)
    # A copy of another size, of no class, and one that will have gone.
    tinted("blues", 200).resize((80, 64)).save(root / "copy.png")
    Image.new("RGB", (40, 32), "black").save(root / "gone.png")
    paths += [root / "copy.png", root / "gone.png"]
    with hn.Index.open(root / "a.index", encoder=encoder) as index:
        index.add_files(paths, [*labels, None, LONG])
    (root / "gone.png").unlink()
    return root / "a.index"


@pytest.fixture(scope="session")
def codes_only(tmp_path_factory):
    """File of an index of codes without an encoder."""
    path = tmp_path_factory.mktemp("codes") / "codes.index"
    codes = np.array([[0, 0], [0, 7], [255, 255]], "uint8")
    with hn.Index.open(path, bits=16) as index:
        index.add(["none", "../../etc/passwd", "/etc/passwd"], codes)
    return path


@contextlib.contextmanager
def service(path, host="127.0.0.1"):
    """Serves an index from a thread; gives a client of it."""
    import httpx
    import uvicorn

    from hashnet_tf.serving.app import make_app
    from hashnet_tf.serving.server import bound

    settings = uvicorn.Config(make_app(path, host), log_level="critical")
    server = uvicorn.Server(settings)
    with bound("127.0.0.1", 0) as listening:
        listening.listen()
        thread = threading.Thread(target=server.run, args=([listening],))
        thread.start()
        port = listening.getsockname()[1]
        try:
            # What it is asked before it has begun waits in the socket.
            with httpx.Client(
                base_url=f"http://127.0.0.1:{port}", timeout=60
            ) as client:
                yield client
        finally:
            server.should_exit = True
            thread.join()


@pytest.fixture(scope="session")
def service_of():
    return service


@pytest.fixture
def client_of():
    """Function to a client of the service of an index, at a host."""
    with contextlib.ExitStack() as stack:
        yield lambda *place: stack.enter_context(service(*place))


@pytest.fixture(scope="session")
def client(photos):
    with service(photos) as client:
        yield client


@contextlib.contextmanager
def command(*words):
    """Runs `hashnet serve` at a free port; gives its process and address."""
    started = subprocess.Popen(
        [
            *(sys.executable, "-m", "hashnet_tf.tools.main", "serve"),
            *map(str, words),
            "--port=0",
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        line = started.stdout.readline()
        found = re.search(r"http://\S+", line)
        assert found, line + started.stderr.read()
        yield started, found[0]
    finally:
        if started.poll() is None:
            started.send_signal(signal.SIGINT)
        started.communicate(timeout=30)


@pytest.fixture(scope="session")
def served():
    return command


@pytest.fixture(scope="session")
def address(photos):
    """Address of the service of the pictures."""
    with command(photos) as (_, address):
        yield address


@pytest.fixture(scope="session")
def words(tmp_path_factory):
    """File of an index of 60 vectors, "word 0" and so on."""
    path = tmp_path_factory.mktemp("words") / "words.index"
    rows = np.random.default_rng(0).normal(size=(60, 6))
    encoder = hn.export.vector_encoder(width=6, bits=16)
    with hn.Index.open(path, encoder=encoder, fit=True) as index:
        index.add_vectors([f"word {i}" for i in range(60)], rows)
    return path
