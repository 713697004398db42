"""`hashnet serve`, as a process."""

import contextlib
import pathlib
import signal
import socket
import subprocess
import sys
import time

import httpx
import pytest

from hashnet_tf.serving import server
from hashnet_tf.tools import main

HEAVY = ("tensorflow", "keras", "sklearn", "matplotlib", "jax", "faiss")
# Asks itself, from another thread, and ends itself.
ASKING = """
import pathlib, sys, threading, urllib.request
from hashnet_tf.serving import serve
heavy, index, picture = sys.argv[1].split(), *sys.argv[2:]

def ask(address):
    request = urllib.request.Request(
        address + "/search?k=5",
        pathlib.Path(picture).read_bytes(),
        {"Content-Type": "image/png"},
    )
    for asked in (request, address + "/duplicates", address + "/"):
        with urllib.request.urlopen(asked) as answer:
            assert answer.read()
    print(sorted(set(heavy) & set(sys.modules)), flush=True)
    import signal
    signal.raise_signal(signal.SIGINT)

serve(index, port=0, ready=lambda a: threading.Thread(
    target=ask, args=[a]).start())
"""


def test_neither_to_start_nor_to_search_needs_tensorflow(
    photos, picture, tmp_path
):
    (tmp_path / "asked.png").write_bytes(picture("reds"))
    ended = subprocess.run(
        [
            *(sys.executable, "-c", ASKING, " ".join(HEAVY)),
            *(photos, tmp_path / "asked.png"),
        ],
        capture_output=True,
        text=True,
    )
    assert (ended.returncode, ended.stdout) == (0, "[]\n"), ended.stderr


def test_ctrl_c_ends_it(served, codes_only):
    begun = time.monotonic()
    with served(codes_only) as (process, address):
        # Told, not required: machines are busy.
        print(f"served after {time.monotonic() - begun:.2f} s")
        assert httpx.get(f"{address}/healthz").json()["items"] == 3
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=30)
        assert (process.returncode, out, err) == (0, "", "")


def test_who_is_told(served, codes_only):
    with served(codes_only, "--host=0.0.0.0") as (process, address):
        port = address.rpartition(":")[2]
        told = process.stdout.readline()
        assert told == "Whoever reaches this machine can see it\n"
        assert httpx.get(f"http://127.0.0.1:{port}/healthz").status_code == 200


def test_more_connections_than_it_has_are_told_so(served, codes_only):
    with served(codes_only) as (_, address):
        place = httpx.URL(address)
        with contextlib.ExitStack() as stack:
            for _ in range(server.CONNECTIONS):
                there = socket.create_connection((place.host, place.port))
                stack.enter_context(there)
            assert httpx.get(f"{address}/healthz").status_code == 503
        assert httpx.get(f"{address}/healthz").status_code == 200


def run(*words):
    return main.run(main.parse(["hashnet", "serve", *map(str, words)]))


@pytest.mark.parametrize(
    "words, told",
    [
        (["gone.index"], "There must be an index"),
        ([__file__], "a whole file that this package wrote"),
        (["{codes}", "--port=65536"], "`port` must be from 0 to 65,535"),
        (["{codes}", "--port={taken}"], "one that nobody else has"),
        (["{codes}", "--host=192.0.2.1"], "`host` must be of this machine"),
        (["{codes}", "--host=no.such.host.invalid"], "must be of this"),
    ],
)
def test_refuses(words, told, codes_only, capsys):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        values = {"codes": codes_only, "taken": taken.getsockname()[1]}
        assert run(*(word.format(**values) for word in words)) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("hashnet serve: error: ") and told in line
    assert "Received: " in line


def test_without_the_extra(codes_only, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    with pytest.raises(ImportError, match=r"pip install 'hashnet_tf\[serve\]'"):
        server.serve(codes_only)
    assert run(codes_only) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.endswith("pip install 'hashnet_tf[serve]'")


def test_the_page_is_in_the_package():
    from hashnet_tf.serving import app

    folder = pathlib.Path(app.__file__).parent / "page"
    names = {name for name, _ in app.FILES.values()}
    assert {path.name for path in folder.iterdir()} == names
