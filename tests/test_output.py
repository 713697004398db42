import os
import subprocess
import sys

import pytest

from hashnet_tf import _output
from hashnet_tf._output import Progress


@pytest.fixture(autouse=True)
def as_usual():
    yield
    _output.set_loudness(_output.USUAL)


class Clock:
    """In place of the module `time`: it goes on when it is told."""

    def __init__(self):
        self.now = 100.0

    def monotonic(self):
        return self.now


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(_output, "time", clock)
    return clock


def test_a_log_gets_a_line_now_and_then(clock, capsys):
    progress = Progress(4_000, "images", done=1_000)
    for done in range(1_100, 4_001, 100):
        clock.now += 7
        progress.update(done)
    lines = capsys.readouterr().out.splitlines()
    # Each third update, but for the last one, which says nothing new.
    assert len(lines) == 9
    # 300 images in 21 s: 2,700 more take nine times as long.
    assert lines[0] == "  1,300 of 4,000 images, 3 min 9 s left"
    assert lines[-1] == "  3,700 of 4,000 images, 21 s left"


def test_hours_are_told_as_such(clock, capsys):
    progress = Progress(1_000_000, "images")
    clock.now += 100
    progress.update(10_000)
    told = capsys.readouterr().out
    assert told == "  10,000 of 1,000,000 images, 2 h 45 min left\n"


def test_a_short_piece_leaves_the_log_empty(clock, capsys):
    progress = Progress(10, "images")
    for done in range(1, 11):
        clock.now += 1
        progress.update(done)
    assert capsys.readouterr().out == ""


def test_quiet(clock, capsys):
    _output.set_loudness(_output.QUIET)
    progress = Progress(10, "images")
    clock.now += 60
    progress.update(5)
    _output.say("Encoding")
    assert capsys.readouterr().out == ""
    assert _output.keras_verbose() == 0


@pytest.mark.parametrize("terminal, verbose", [(True, 1), (False, 2)])
def test_bars_are_for_terminals(terminal, verbose, monkeypatch, capsys):
    monkeypatch.setattr(sys.stdout, "isatty", lambda: terminal, raising=False)
    assert _output.keras_verbose() == verbose
    Progress(10, "images").update(10)
    assert ("10/10" in capsys.readouterr().out) == terminal


@pytest.mark.parametrize(
    "loudness, ours, told",
    [
        ("USUAL", True, b"ba"),
        ("VERBOSE", True, b"bla"),
        ("USUAL", False, b"bla"),
    ],
)
def test_silence_is_around_the_call_alone(loudness, ours, told):
    script = (
        "import os; from hashnet_tf import _output as o;"
        f"o.set_loudness(o.{loudness});"
        f"{ours} and o.silence_libraries();"
        "os.write(2, b'b');\n"
        "with o.silenced(): os.write(2, b'l')\n"
        "os.write(2, b'a')"
    )
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True)
    assert ended.stderr == told


@pytest.mark.slow
def test_a_log_is_plain_and_holds_what_matters(tmp_path):
    script = "from hashnet_tf.tools.main import command_line; command_line()"
    variables = {k: v for k, v in os.environ.items() if k[:3] != "TF_"}

    def run(*words):
        ended = subprocess.run(
            [sys.executable, "-c", script, *words],
            capture_output=True,
            text=True,
            cwd=tmp_path,
            env=variables,
        )
        assert (ended.returncode, ended.stderr) == (0, "")
        # No colours, no backspaces, no carriage returns.
        assert not set("\x1b\b\r") & set(ended.stdout)
        return ended.stdout

    small = ["--image_size=8", "--epochs=2", "--bits=12"]
    told = run("train", "--workdir=r", "--data=digits", *small)
    assert "Epoch 2/2" in told and "r" in told.splitlines()[-1]
    assert run("evaluate", "--workdir=r").startswith("Encoding 200 images\n")
    assert "0 of 2,400" in run("export", "--workdir=r")
    quiet = run("train", "--workdir=q", "--data=digits", *small, "--quiet")
    assert quiet.startswith("The model lies in q.")
