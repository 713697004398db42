"""How much is in memory at once, whoever asks."""

import concurrent.futures
import contextlib
import socket
import threading

from hashnet_tf.serving import service, uploads


@contextlib.contextmanager
def slow(client):
    """Begins to send a picture, and goes no further."""
    url = client.base_url
    with socket.create_connection((url.host, url.port)) as sending:
        sending.settimeout(30)
        sending.sendall(
            b"POST /search HTTP/1.1\r\nHost: localhost\r\n"
            b"Content-Type: image/png\r\nContent-Length: 5000\r\n\r\nabc"
        )
        yield sending


def test_who_sends_slowly_is_not_waited_for(
    client_of, photos, picture, monkeypatch
):
    monkeypatch.setattr(uploads, "PATIENCE", 0.5)
    client = client_of(photos)
    headers = {"Content-Type": "image/png"}
    with contextlib.ExitStack() as stack:
        several = [
            stack.enter_context(slow(client)) for _ in range(service.HELD)
        ]
        answer = client.post(
            "/search", content=picture("reds"), headers=headers
        )
        assert answer.status_code == 200
        for sending in several:
            told = sending.makefile("rb").read()
            assert told.startswith(b"HTTP/1.1 408 ")
            assert b"within 0.5 seconds. Received: " in told


def test_few_bodies_are_in_memory_at_once(
    client_of, photos, picture, monkeypatch
):
    held, most, gate = [], [], threading.Event()

    read_body = service.read_body

    async def reading(stream):
        held.append(1)
        most.append(sum(held))
        if sum(held) == service.HELD:
            gate.set()
        return await read_body(stream)

    def decoded(*values):
        gate.wait(20)
        try:
            return uploads.decoded(*values)
        finally:
            held.append(-1)

    monkeypatch.setattr(service, "read_body", reading)
    monkeypatch.setattr(service, "decoded", decoded)
    client = client_of(photos)
    content = picture("reds")
    headers = {"Content-Type": "image/png"}

    def ask(_):
        return client.post("/codes", content=content, headers=headers)

    with concurrent.futures.ThreadPoolExecutor(3 * service.HELD) as pool:
        for answer in pool.map(ask, range(3 * service.HELD)):
            assert answer.status_code == 200
    assert max(most) == service.HELD
