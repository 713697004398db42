"""What is refused, each in JSON with what was wanted and what was received."""

import contextlib
import http.client
import io
import socket
import struct
import zipfile
import zlib

import httpx
import pytest
from PIL import Image

import hashnet_tf as hn
from hashnet_tf.serving import guard, uploads


def written(image, kind, **options):
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


NOISE = Image.effect_noise((64, 48), 90).convert("RGB")
JPEG, WHOLE_PNG = written(NOISE, "JPEG"), written(NOISE, "PNG")
WEBP, BMP = written(NOISE, "WEBP"), written(NOISE, "BMP")
FRAMES = [NOISE.copy(), NOISE.rotate(90)]


def png_of(width, height):
    """A PNG that says it has a size, and has no pixels of it."""

    def chunk(kind, content):
        summed = struct.pack(">I", zlib.crc32(kind + content))
        return struct.pack(">I", len(content)) + kind + content + summed

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(bytes(1000)))
        + chunk(b"IEND", b"")
    )


def zipped():
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("../../photo.jpg", JPEG)
    return file.getvalue()


ODD = {
    "nothing": (b"", 415),
    "one byte": (b"\xff", 415),
    "zeros": (bytes(4000), 415),
    "text": (b"no image at all", 415),
    "HTML": (b"<html><script>alert(1)</script></html>", 415),
    "SVG": (b'<svg xmlns="http://www.w3.org/2000/svg" onload="x"/>', 415),
    "script": (b"#!/bin/sh\nrm -rf /\n", 415),
    "a path": (b"../../../../etc/passwd", 415),
    "a URL": (b"file:///etc/passwd", 415),
    "zip": (zipped(), 415),
    "PDF": (b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\n", 415),
    "ELF": (b"\x7fELF\x02\x01\x01" + bytes(60), 415),
    "GIF": (written(NOISE.convert("P"), "GIF"), 415),
    "TIFF": (written(NOISE, "TIFF"), 415),
    "ICO": (written(NOISE, "ICO"), 415),
    "EPS": (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", 415),
    "a JPEG's first bytes": (JPEG[:20], 422),
    "half a JPEG": (JPEG[: len(JPEG) // 2], 422),
    "half a PNG": (WHOLE_PNG[: len(WHOLE_PNG) // 2], 422),
    "half a WebP": (WEBP[: len(WEBP) // 2], (415, 422)),
    "half a BMP": (BMP[: len(BMP) // 2], 422),
    "a damaged PNG": (
        WHOLE_PNG[:60] + bytes(40) + WHOLE_PNG[100:],
        422,
    ),
    "a JPEG's head before HTML": (b"\xff\xd8\xff<html><script>", 422),
    "a PNG of 10 gigapixels": (png_of(100_000, 100_000), 422),
    "a PNG of one long row": (png_of(2**26, 1), 422),
    "a PNG of no pixels": (png_of(0, 0), (415, 422)),
    "an animation": (
        written(NOISE, "WEBP", save_all=True, append_images=FRAMES),
        422,
    ),
    "too many bytes": (bytes(uploads.LARGEST + 1), 413),
    "a JPEG and too many bytes": (JPEG + bytes(uploads.LARGEST), 413),
}


def said(answer):
    """The sentence of a refusal."""
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["x-content-type-options"] == "nosniff"
    ((key, sentence),) = answer.json().items()
    assert key == "error" and "Received: " in sentence
    assert len(sentence) < 500
    return sentence


@pytest.mark.parametrize("path", ["/search", "/codes"])
@pytest.mark.parametrize("what", ODD)
def test_odd_uploads(client, what, path):
    content, status = ODD[what]
    headers = {"Content-Type": "image/jpeg"}
    answer = client.post(path, content=content, headers=headers)
    wanted = status if isinstance(status, tuple) else (status,)
    assert answer.status_code in wanted
    sentence = said(answer)
    assert "<script" not in sentence and "passwd" not in sentence
    # And goes on.
    assert client.get("/healthz").json()["images"]


@pytest.mark.parametrize(
    "kind",
    [
        *(None, "", "text/html", "text/plain", "multipart/form-data"),
        *("application/x-www-form-urlencoded", "image/svg+xml", "image/*"),
        *("image/gif", "image/jpeg, text/html", "../image/jpeg", "<b>" * 99),
    ],
)
def test_types_that_are_not_taken(client, kind, picture):
    request = client.build_request("POST", "/search", content=picture("reds"))
    if kind is not None:
        request.headers["Content-Type"] = kind
    answer = client.send(request)
    assert answer.status_code == 415
    assert "Content-Type must be one of image/jpeg" in said(answer)


def test_a_body_of_untold_length_is_cut_off(client):
    sent = 0

    def pieces():
        nonlocal sent
        for _ in range(9 * uploads.LARGEST // 2**20):
            sent += 1
            yield bytes(2**20)

    headers = {"Content-Type": "image/png"}
    try:
        answer = client.post("/search", content=pieces(), headers=headers)
    except httpx.TransportError:
        # Who goes on and on is cut off, and may not see why.
        assert sent < 9 * uploads.LARGEST // 2**20
    else:
        assert answer.status_code == 413
        said(answer)
    assert client.get("/healthz").status_code == 200


def test_who_leaves_while_sending_is_no_failure(client, capfd):
    url = client.base_url
    with socket.create_connection((url.host, url.port)) as leaving:
        leaving.sendall(
            b"POST /search HTTP/1.1\r\nHost: localhost\r\n"
            b"Content-Type: image/png\r\nContent-Length: 5000\r\n\r\nabc"
        )
    assert client.get("/healthz").status_code == 200
    assert "Traceback" not in capfd.readouterr().err


@pytest.mark.parametrize(
    "path, status",
    [
        ("/search?k=0", 422),
        ("/search?k=1001", 422),
        ("/search?k=x", 422),
        ("/search?k=-1&rerank=0", 422),
        ("/search?rerank=-1", 422),
        ("/search?rerank=1e9", 422),
        ("/search?by=x", 422),
        # Its encoder gives no z.
        ("/search?by=z", 409),
    ],
)
def test_numbers_of_a_search(client, picture, path, status):
    headers = {"Content-Type": "image/png"}
    answer = client.post(path, content=picture("reds"), headers=headers)
    assert answer.status_code == status
    said(answer)


@pytest.mark.parametrize(
    "path, status",
    [
        ("/like/0", 422),
        ("/like/7000", 404),
        (f"/like/{2**63 - 1}", 404),
        (f"/like/{2**63}", 422),
        ("/like/a", 422),
        ("/like/1?k=1001", 422),
        ("/like/..%2f..%2fetc%2fpasswd", 404),
        ("/like/<script>", 422),
        ("/thumbnails/-1", 422),
        ("/thumbnails/7000", 404),
        ("/thumbnails/../../etc/passwd", 404),
        ("/thumbnails/%2e%2e%2f%2e%2e%2fetc%2fpasswd", 404),
        ("/thumbnails/etc%2Fpasswd", 404),
        ("/thumbnails/passwd", 422),
        ("/page.css/../page.js/..", 404),
        ("/../../../../etc/passwd", 404),
        ("//etc/passwd", 404),
        ("/%2e%2e/%2e%2e/setup.py", 404),
        ("/app.py", 404),
        ("/page/index.html", 404),
        ("/items?code=zz", 422),
        ("/items?code=", 422),
        ("/items?code=abcd01", 422),
        ("/items?code=<script>", 422),
        ("/items?code=abcd&radius=-1", 422),
        ("/items?code=abcd&label=reds", 422),
        ("/items?limit=0", 422),
        ("/items?limit=1001", 422),
        ("/items?offset=-1", 422),
        ("/items?offset=99999999999999999999", 422),
        ("/duplicates?radius=-1", 422),
        ("/duplicates?radius=1e3", 422),
        ("/duplicates?radius=129", 422),
        ("/search", 405),
    ],
)
def test_what_is_not_there(client, path, status):
    # As it is: httpx would take ".." out of a path.
    url = client.base_url
    connection = http.client.HTTPConnection(url.host, url.port)
    with contextlib.closing(connection):
        connection.request("GET", path)
        found = connection.getresponse()
        answer = httpx.Response(
            found.status, headers=found.getheaders(), content=found.read()
        )
    assert answer.status_code == status
    assert "root:" not in said(answer)


def test_a_damaged_index_is_no_fault_of_the_code(client, monkeypatch):
    def damaged(*_):
        raise ValueError("An index must be whole. Received: a damaged one")

    monkeypatch.setattr(hn.Index, "page_of_code", damaged)
    answer = client.get("/items?code=abcd&radius=65536")
    assert answer.status_code == 409
    assert said(answer).startswith("An index must be whole.")


@pytest.mark.parametrize(
    "host",
    [
        *("evil.example", "evil.example:8000", "localhost.evil.example"),
        *("127.0.0.1.evil.example", "127.0.0.2", "0.0.0.0", "[::2]"),
        *("localhost@evil.example", "localhost/", "localhost:x", ""),
        *("user:pass@localhost", "localhost, evil.example", "local host"),
    ],
)
def test_names_that_are_not_this_machine(client, host):
    answer = client.get("/healthz", headers={"Host": host})
    assert answer.status_code == 403
    sentence = said(answer)
    assert "Host must name this machine" in sentence
    assert "--name=NAME. Received: " in sentence


@pytest.mark.parametrize(
    "host",
    [
        *("localhost", "LOCALHOST:1", "127.0.0.1", "127.0.0.1:9", "[::1]"),
        *("[::1]:8000", "localhost:8000"),
    ],
)
def test_names_of_this_machine(client, host):
    answer = client.get("/healthz", headers={"Host": host})
    assert answer.status_code == 200


def test_the_name_that_it_is_bound_to(client_of, codes_only):
    client = client_of(codes_only, "photos.home")
    for host, status in (
        ("photos.home:8000", 200),
        ("localhost", 200),
        ("192.168.0.7", 403),
    ):
        answer = client.get("/healthz", headers={"Host": host})
        assert answer.status_code == status


def test_who_is_bound_to_all_addresses():
    for bound in ("0.0.0.0", "::"):
        assert guard.is_own("192.168.0.7", bound)
        assert guard.is_own("fe80::1", bound)
        assert guard.is_own(socket.gethostname().lower(), bound)
        assert not guard.is_own("evil.example", bound)


@pytest.mark.parametrize(
    "origin",
    [
        *("http://evil.example", "null", "http://localhost:9999", "file://"),
        *("https://localhost.evil.example", "http://127.0.0.1", ""),
    ],
)
def test_pages_of_others_may_not_ask(client, origin, picture):
    for method, path in (("POST", "/search"), ("GET", "/items")):
        answer = client.request(
            method,
            path,
            content=picture("reds"),
            headers={"Origin": origin, "Content-Type": "image/png"},
        )
        assert answer.status_code == 403
        assert "Origin" in said(answer)
        assert "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize("site", ["cross-site", "same-site", "", "x" * 999])
@pytest.mark.parametrize("path", ["/items", "/thumbnails/1", "/duplicates"])
def test_pages_of_others_may_not_ask_without_an_origin(client, site, path):
    for mode in ("no-cors", "navigate"):
        headers = {"Sec-Fetch-Site": site, "Sec-Fetch-Mode": mode}
        answer = client.get(path, headers=headers)
        assert answer.status_code == 403
        assert "Received: Sec-Fetch-Site" in said(answer)


@pytest.mark.parametrize(
    "site, mode, path, status",
    [
        ("same-origin", "cors", "/items", 200),
        ("same-origin", "no-cors", "/page.js", 200),
        ("none", "navigate", "/items", 200),
        ("cross-site", "navigate", "/", 200),
        ("cross-site", "no-cors", "/", 403),
        ("cross-site", "navigate", "/page.js", 403),
    ],
)
def test_a_link_may_lead_to_the_page(client, site, mode, path, status):
    headers = {"Sec-Fetch-Site": site, "Sec-Fetch-Mode": mode}
    assert client.get(path, headers=headers).status_code == status


def test_the_own_page_may(client, picture):
    answer = client.post(
        "/search",
        content=picture("reds"),
        headers={
            "Origin": "http://localhost:8000",
            "Host": "localhost:8000",
            "Content-Type": "image/png",
        },
    )
    assert answer.status_code == 200


def test_no_other_site_is_asked_first(client):
    answer = client.options(
        "/search",
        headers={
            "Origin": "http://evil.example",
            "Access-Control-Request-Method": "POST",
        },
    )
    assert answer.status_code == 403


@pytest.mark.parametrize(
    "path", ["/", "/page.js", "/page.css", "/icon.svg", "/items", "/nix"]
)
def test_each_answer_says_what_a_browser_may_do(client, path):
    answer = client.get(path)
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'self';")
    assert "unsafe" not in policy and "*" not in policy
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cross-origin-resource-policy"] == "same-origin"


def test_the_page_needs_nothing_of_others(client):
    page = client.get("/")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    for text in (page.text, client.get("/page.js").text):
        for word in ("http", "onclick=", "innerHTML", "eval(", "style="):
            assert word not in text
    assert "<script src=" in page.text and "</script>" in page.text
