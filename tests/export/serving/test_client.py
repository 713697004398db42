import importlib
import time

import numpy as np
import pytest
import tensorflow as tf

from hashnet_tf.datasets.pixels.decoding import resize_image
from hashnet_tf.export import ServingClient
from hashnet_tf.export.serving.client import Deadline, request_batches
from hashnet_tf.export.serving.transport import ServedModel, Transport

SCHEMES = pytest.mark.parametrize("scheme", ["grpc", "http"])
MIB = 2**20
# Nothing listens there: what is refused is refused before it is sent.
NOWHERE = "grpc://127.0.0.1:1"


@pytest.fixture
def connect(server):
    """Returns clients of the server, and closes them at the end."""
    clients = []

    def connect(scheme, model="hashnet", **arguments):
        # Generous: a machine under load shall not fail a test.
        arguments = {"timeout": 60.0, "version": 1, **arguments}
        clients.append(ServingClient(server[scheme], model, **arguments))
        return clients[-1]

    yield connect
    for client in clients:
        client.close()


def pngs(images):
    return [tf.io.encode_png(image).numpy() for image in images]


@SCHEMES
@pytest.mark.parametrize("n", [1, 32, 70])
def test_bytes_give_the_models_codes(n, scheme, connect, models, images):
    encoded = connect(scheme).encode_bytes(pngs(images[:n]))
    assert encoded.codes.dtype == np.uint8 and encoded.ok.dtype == bool
    assert encoded.ok.shape == (n,) and encoded.ok.all()
    expected = models["12"].encode(images[:n])
    np.testing.assert_array_equal(encoded.codes, expected)


@SCHEMES
def test_images_of_another_size_give_the_models_codes(
    scheme, connect, models, images
):
    large = images[:35].repeat(3, axis=1).repeat(4, axis=2)
    codes = connect(scheme).encode_images(large)
    assert codes.dtype == np.uint8
    resized = resize_image(large, (16, 20)).numpy()
    np.testing.assert_array_equal(codes, models["12"].encode(resized))


@SCHEMES
def test_files_give_the_models_codes(scheme, connect, models, images, tmp_path):
    paths = [tmp_path / f"{i}.png" for i in range(40)]
    for path, content in zip(paths, pngs(images), strict=False):
        path.write_bytes(content)
    encoded = connect(scheme).encode_files([str(paths[0]), *paths[1:]])
    assert encoded.ok.all()
    np.testing.assert_array_equal(
        encoded.codes, models["12"].encode(images[:40])
    )


@SCHEMES
def test_a_bad_image_is_marked_and_fails_no_other(
    scheme, connect, models, images
):
    files = pngs(images[:5])
    files[1], files[3] = b"", b"no image"
    encoded = connect(scheme).encode_bytes(files)
    assert encoded.ok.tolist() == [True, False, True, False, True]
    expected = models["12"].encode(images[:5])
    expected[[1, 3]] = 0
    np.testing.assert_array_equal(encoded.codes, expected)


@SCHEMES
def test_the_marks_of_many_requests_keep_their_order(
    scheme, connect, images, monkeypatch
):
    module = importlib.import_module("hashnet_tf.export.serving.client")
    monkeypatch.setattr(
        module, "request_batches", lambda files: [files[:3], files[3:]]
    )
    files = pngs(images[:6])
    files[1] = b"no image"
    encoded = connect(scheme).encode_bytes(files)
    assert encoded.ok.tolist() == [True, False, True, True, True, True]


@SCHEMES
@pytest.mark.parametrize(
    "choice, name",
    [
        ({"version": 1}, "12"),
        ({"version": 2}, "zero"),
        ({"version": None}, "zero"),
        ({"version": None, "label": "stable"}, "12"),
        ({"version": None, "label": "canary"}, "zero"),
    ],
)
def test_asks_the_version_wanted(choice, name, scheme, connect, models, images):
    codes = connect(scheme, **choice).encode_images(images)
    np.testing.assert_array_equal(codes, models[name].encode(images))
    assert not np.array_equal(
        models["12"].encode(images), models["zero"].encode(images)
    )


@SCHEMES
@pytest.mark.parametrize(
    "choice, message",
    [
        ({"model": "nobody"}, "nobody"),
        ({"model": "a/b:c"}, "."),
        ({"version": 9}, "9"),
        ({"version": None, "label": "nope"}, "label: nope"),
    ],
)
def test_what_the_server_lacks_is_told(
    choice, message, scheme, connect, images
):
    with pytest.raises(ValueError, match=f"refused the request: .*{message}"):
        connect(scheme, **choice).encode_images(images)


def test_both_transports_agree_on_codes_of_noise(connect):
    rng = np.random.default_rng(3)
    noise = rng.integers(0, 256, (33, 40, 30, 3), dtype=np.uint8)
    by_grpc = connect("grpc").encode_images(noise)
    by_rest = connect("http").encode_images(noise)
    np.testing.assert_array_equal(by_grpc, by_rest)


@SCHEMES
def test_is_a_context(scheme, server, models, images):
    with ServingClient(server[scheme], "hashnet", 1, timeout=60) as client:
        codes = client.encode_images(images[:1])
    np.testing.assert_array_equal(codes, models["12"].encode(images[:1]))


class Recorder(Transport):
    """Notes what it is asked, and answers at once."""

    def __init__(self, address, secure, model, retries):
        self.made_of = (address, secure, model, retries)
        self.sizes, self.deadlines = [], []
        self.closed = False

    def predict(self, signature, name, values, outputs, deadline):
        self.sizes.append(len(values))
        self.deadlines.append(deadline)
        return {
            "codes": np.zeros((len(values), 2), np.uint8),
            "ok": np.ones(len(values), bool),
        }

    def close(self):
        self.closed = True


@pytest.fixture
def recorder(monkeypatch):
    """Returns a client over a `Recorder`, and that."""
    monkeypatch.setattr(
        "hashnet_tf.export.serving.client._transport_class",
        lambda scheme: Recorder,
    )
    client = ServingClient("https://[::1]:8501", "hashnet", 3, retries=2)
    return client, client._transport


def test_requests_stay_below_what_grpc_lets_through(recorder):
    client, transport = recorder
    client.encode_images(np.zeros((70, 2, 2, 3), np.uint8))
    client.encode_images(np.zeros((7, 400, 500, 3), np.uint8))
    client.encode_bytes([bytes(2**20)] * 4 + [bytes(5 * 2**20), b""])
    assert transport.sizes == [32, 32, 6, 5, 2, 3, 1, 1, 1]


def test_a_call_has_one_deadline(recorder):
    client, transport = recorder
    client.encode_bytes([b""] * 70)
    client.encode_images(np.zeros((70, 2, 2, 3), np.uint8))
    first, second = set(transport.deadlines[:3]), set(transport.deadlines[3:])
    assert len(first) == len(second) == 1 and first != second


def test_the_transport_is_told_and_closed(recorder):
    client, transport = recorder
    assert transport.made_of == (
        "[::1]:8501",
        True,
        ServedModel("hashnet", 3),
        2,
    )
    with client:
        assert not transport.closed
    assert transport.closed


@pytest.fixture
def unsent():
    with ServingClient(NOWHERE, "hashnet", retries=0) as client:
        yield client


@pytest.mark.parametrize("method", ["encode_bytes", "encode_files"])
def test_refuses_no_images(method, unsent):
    with pytest.raises(ValueError, match=r"Received: .*=\[\]"):
        getattr(unsent, method)([])


@pytest.mark.parametrize(
    "wrong, message",
    [
        (np.zeros((0, 16, 20, 3), np.uint8), r"shape=\(0, 16, 20, 3\)"),
        (np.zeros((2, 0, 20, 3), np.uint8), r"shape=\(2, 0, 20, 3\)"),
        (np.zeros((16, 20, 3), np.uint8), r"shape=\(16, 20, 3\)"),
        (np.zeros((2, 16, 20, 4), np.uint8), r"shape=\(2, 16, 20, 4\)"),
        (np.zeros((2, 16, 20, 3)), "dtype=float64"),
        ([], "dtype=float64"),
    ],
)
def test_refuses_other_arrays(wrong, message, unsent):
    with pytest.raises(ValueError, match=f"Received: .*{message}"):
        unsent.encode_images(wrong)


@pytest.mark.parametrize("wrong", [b"one", ["text"], [b"", None], None])
def test_refuses_what_is_no_list_of_bytes(wrong, unsent):
    with pytest.raises(ValueError, match="Received: image_bytes of "):
        unsent.encode_bytes(wrong)


def test_a_missing_file_is_named(unsent, tmp_path):
    there = tmp_path / "there.png"
    there.write_bytes(b"")
    missing = [tmp_path / "a.png", tmp_path / "b.png"]
    with pytest.raises(FileNotFoundError, match="2 that are not.*a.png"):
        unsent.encode_files([there, *missing])
    with pytest.raises(ValueError, match="Received: paths='.*there.png'"):
        unsent.encode_files(str(there))


@pytest.mark.parametrize(
    "address",
    [
        "localhost:8500",
        "ftp://localhost:8500",
        "grpc://localhost",
        "grpc://:8500",
        "grpc://localhost:port",
        "http://localhost:8501/v1",
        "http://localhost:8501?x=1",
        "",
        None,
        8500,
    ],
)
def test_refuses_an_unknown_address(address):
    with pytest.raises(ValueError, match="Received: address="):
        ServingClient(address, "hashnet")


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"model": ""}, "model=''"),
        ({"model": None}, "model=None"),
        ({"version": 0}, "version=0"),
        ({"version": "1"}, "version='1'"),
        ({"version": True}, "version=True"),
        ({"label": ""}, "label=''"),
        ({"label": 1}, "label=1"),
        ({"version": 1, "label": "stable"}, "version=1, label='stable'"),
        ({"timeout": 0}, "timeout=0"),
        ({"timeout": None}, "timeout=None"),
        ({"timeout": float("nan")}, "timeout=nan"),
        ({"timeout": float("inf")}, "timeout=inf"),
        ({"retries": -1}, "retries=-1"),
        ({"retries": 5}, "retries=5"),
        ({"retries": 1.0}, "retries=1.0"),
    ],
)
def test_refuses_other_arguments(arguments, message):
    with pytest.raises(ValueError, match=f"Received: {message}"):
        ServingClient(NOWHERE, **{"model": "hashnet", **arguments})


def test_counts_down_to_an_error(monkeypatch):
    now = 100.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    deadline = Deadline(5)
    assert deadline.remaining() == 5
    now = 104.5
    assert deadline.remaining() == 0.5
    now = 105.0
    with pytest.raises(TimeoutError, match="Received: timeout=5"):
        deadline.remaining()


@pytest.mark.parametrize(
    "sizes, expected",
    [
        ([], []),
        ([0] * 65, [32, 32, 1]),
        ([MIB] * 3, [3]),
        ([MIB] * 3 + [1], [3, 1]),
        ([9 * MIB, 1, 9 * MIB], [1, 1, 1]),
        ([1, 9 * MIB, 1, 1], [1, 1, 2]),
    ],
)
def test_batches_are_small_and_lose_nothing(sizes, expected):
    images = [bytes(size) for size in sizes]
    batches = list(request_batches(iter(images)))
    assert [len(batch) for batch in batches] == expected
    assert sum(batches, []) == images


def test_takes_arrays_of_any_layout():
    images = np.zeros((5, MIB // 3, 1, 6), np.uint8)[..., ::2]
    assert [len(batch) for batch in request_batches(images)] == [3, 2]
