import base64
import http.server
import json
import ssl
import threading

import numpy as np
import pytest

from hashnet_tf.export import ServingClient

CODES = [[1, 2], [3, 255]]
IMAGES = np.arange(2 * 2 * 1 * 3, dtype=np.uint8).reshape(2, 2, 1, 3)


class Scripted(http.server.ThreadingHTTPServer):
    """Answers with one (status, text) after another, then with `CODES`.

    `None` in the script stands for no answer, "cut" for half a one.
    """

    def __init__(self, script):
        super().__init__(("127.0.0.1", 0), Handler)
        self.script = list(script)
        self.requests = []
        self.ended = threading.Event()


class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.requests.append((self.path, json.loads(body)))
        n = len(next(iter(json.loads(body)["inputs"].values())))
        outputs = {"codes": CODES[:n], "ok": [True, False][:n], "signs": []}
        step = (200, json.dumps({"outputs": outputs}))
        if self.server.script:
            step = self.server.script.pop(0)
        if step is None:
            self.server.ended.wait()
            return
        status, text = (200, "{") if step == "cut" else step
        self.send_response(status)
        self.send_header("Content-Length", len(text) + (step == "cut"))
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, format, *args):
        pass


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    pause = "hashnet_tf.export.serving.rest_transport.FIRST_PAUSE"
    monkeypatch.setattr(pause, 0.01)


@pytest.fixture
def scripted():
    """Returns a client of a `Scripted`, and that."""
    ends = []

    def start(script, secure=None, **arguments):
        server = Scripted(script)
        if secure:
            server.socket = secure.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, args=[0.01])
        thread.start()
        client = ServingClient(
            f"http{'s' if secure else ''}://127.0.0.1:{server.server_port}",
            "hashnet",
            **{"timeout": 60.0, **arguments},
        )
        ends.extend(
            [
                client.close,
                server.ended.set,
                server.shutdown,
                thread.join,
                server.server_close,
            ]
        )
        return client, server

    yield start
    for end in ends:
        end()


BUSY = (503, json.dumps({"error": "as scripted"}))


@pytest.mark.parametrize("bytes_", [100, 5 * 2**20])
@pytest.mark.parametrize("script", [[BUSY, BUSY], ["cut", BUSY]])
def test_asks_again_while_the_server_is_unavailable(bytes_, script, scripted):
    client, server = scripted(script)
    encoded = client.encode_bytes([bytes(bytes_)])
    assert encoded.codes.dtype == np.uint8
    assert encoded.codes.tolist() == CODES[:1]
    assert encoded.ok.dtype == bool and encoded.ok.tolist() == [True]
    assert len(server.requests) == 3


@pytest.mark.parametrize("retries", [0, 1, 4])
def test_gives_up_after_its_retries(retries, scripted):
    client, server = scripted([BUSY] * 9, retries=retries)
    with pytest.raises(ConnectionError, match="unavailable: as scripted"):
        client.encode_images(IMAGES)
    assert len(server.requests) == 1 + retries


@pytest.mark.parametrize(
    "answer, error, message",
    [
        ((400, '{"error": "bad"}'), ValueError, "refused the request: bad"),
        ((404, '{"error": "who"}'), ValueError, "refused the request: who"),
        ((404, "<html>"), ValueError, "HTTP 404 Not Found"),
        ((400, "[1]"), ValueError, "HTTP 400 Bad Request"),
        ((500, '{"error": "oh"}'), RuntimeError, "failed: oh"),
        ((504, ""), TimeoutError, "timeout=60.0"),
        ((200, "<html>"), ValueError, "the outputs .'codes'.*Received"),
        (
            (200, '{"outputs": [[1]]}'),
            ValueError,
            "the outputs .'codes'.*Received",
        ),
        ((200, '{"outputs": 1}'), ValueError, "the outputs .'codes'.*Received"),
        (
            (200, '{"outputs": {"z": 1}}'),
            ValueError,
            "the outputs .'codes'.*Received",
        ),
    ],
)
def test_another_failure_is_final(answer, error, message, scripted):
    client, server = scripted([answer])
    with pytest.raises(error, match=message):
        client.encode_images(IMAGES)
    assert len(server.requests) == 1


def test_a_server_that_never_answers_runs_into_the_deadline(scripted):
    client, server = scripted([None], timeout=0.3)
    with pytest.raises(TimeoutError, match="Received: timeout=0.3"):
        client.encode_images(IMAGES)
    assert len(server.requests) == 1


def test_the_deadline_holds_for_the_pauses_too(scripted, monkeypatch):
    pause = "hashnet_tf.export.serving.rest_transport.FIRST_PAUSE"
    # It is cut to two seconds.
    monkeypatch.setattr(pause, 60)
    client, server = scripted([BUSY], timeout=0.3)
    with pytest.raises(TimeoutError, match="Received: timeout=0.3"):
        client.encode_images(IMAGES)
    assert len(server.requests) == 1


def test_nobody_there_is_a_connection_error():
    with (
        ServingClient("http://127.0.0.1:1", "hashnet", retries=1) as client,
        pytest.raises(ConnectionError, match="unavailable"),
    ):
        client.encode_images(IMAGES)


def test_a_plain_server_is_not_taken_for_a_secure_one(scripted):
    _, server = scripted([])
    address = f"https://127.0.0.1:{server.server_port}"
    with (
        ServingClient(address, "hashnet", retries=0) as client,
        pytest.raises(ConnectionError, match="unavailable"),
    ):
        client.encode_images(IMAGES)
    assert server.requests == []


def test_speaks_tls(scripted, certificate, monkeypatch):
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(*certificate)
    client, server = scripted([], secure=context, retries=0)
    with pytest.raises(ConnectionError, match="CERTIFICATE_VERIFY_FAILED"):
        client.encode_images(IMAGES)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate[0]))
    np.testing.assert_array_equal(client.encode_images(IMAGES), CODES)


@pytest.mark.parametrize(
    "choice, path",
    [
        ({}, ""),
        ({"version": 7}, "/versions/7"),
        ({"label": "a b/c"}, "/labels/a%20b%2Fc"),
    ],
)
def test_asks_in_the_columnar_format(choice, path, scripted):
    client, server = scripted([], **choice)
    client.encode_bytes([b"a\0", b"\xff"])
    client.encode_images(IMAGES)
    of_bytes, of_images = server.requests
    assert of_bytes[0] == of_images[0] == f"/v1/models/hashnet{path}:predict"
    assert of_bytes[1]["signature_name"] == "encode_bytes"
    sent = of_bytes[1]["inputs"]["image_bytes"]
    assert [base64.b64decode(item["b64"]) for item in sent] == [
        b"a\0",
        b"\xff",
    ]
    assert of_images[1] == {
        "signature_name": "encode_images",
        "inputs": {"images": IMAGES.tolist()},
    }
