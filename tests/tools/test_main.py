import os
import pathlib
import re
import subprocess
import sys

import pytest

import hashnet_tf as hn
from hashnet_tf import _output
from hashnet_tf.tools import evaluate, main

COMMANDS = [
    "demo",
    "datasets",
    "train",
    "evaluate",
    "encode",
    "search",
    "index",
    "serve",
    "export",
    "reproduce",
]


def process(*words):
    return subprocess.run(
        [sys.executable, *words], capture_output=True, text=True
    )


def test_commands():
    assert list(main.COMMANDS) == COMMANDS


def test_help(hashnet):
    ended = hashnet("--help")
    assert (ended.code, ended.err) == (0, "")
    assert ended.out.startswith("usage: hashnet ")
    for name in COMMANDS:
        assert re.search(rf"\n    {name}\s", ended.out)
        first = main.command(name).__doc__.strip().splitlines()[0]
        assert first.split()[0] in ended.out


@pytest.mark.parametrize("name", COMMANDS)
def test_help_of_a_command_teaches(name, hashnet):
    ended = hashnet(name, "--help")
    assert (ended.code, ended.err) == (0, "")
    assert ended.out.startswith(f"usage: hashnet {name} ")
    # Its text stands as it was written, with a line to copy.
    assert main.command(name).__doc__.strip() in ended.out
    assert f"\n  hashnet {name}" in ended.out
    assert "(default: None)" not in ended.out
    # Of the index each action has its own.
    without = ("datasets", "index", "serve", "reproduce")
    assert ("--workdir" in ended.out) == (name not in without)


def test_defaults_are_told(hashnet):
    assert "(default: 5000)" in hashnet("export", "--help").out
    assert "(default: runs/digits)" in hashnet("demo", "--help").out


@pytest.mark.parametrize(
    "words, told",
    [
        *((f"{name} --help", "usage: hashnet") for name in ["", *COMMANDS]),
        ("other", "invalid choice: 'other'"),
        ("datasets list", "folder:DIR: "),
        ("datasets check folder:missing", "needs an existing folder"),
        ("datasets describe coco:missing", "There is no folder 'missing'"),
        ("datasets describe other", "Received: data='other'"),
        ("train --workdir=a --bits=x", "invalid int value: 'x'"),
        ("train --workdir=a --data=digits --bits=0", "Received: bits=0"),
        ("train --workdir=a --data=digits --method=x", "invalid choice: 'x'"),
        ("train --workdir=a --data=other", "Received: data='other'"),
        ("train --workdir=a --data=folder:/gone", "Received: folder:/gone"),
        ("train --workdir=a --data=lists:/gone", "Received: lists:/gone"),
        ("train --workdir=a --data=npz:/gone", "Received: npz:/gone"),
        ("train --workdir=a --data=coco:/gone", "Received: coco:/gone"),
        ("evaluate --workdir=missing", "no missing/config.json"),
        ("evaluate --query_codes=q --database_codes=d --out=o", "Received: "),
        ("encode --workdir=missing --images=a --out=b", "no missing/config"),
        ("encode --workdir=missing --part=query --out=b", "no missing/config"),
        ("search missing.jpg --workdir=a", "Received: missing.jpg"),
        ("search setup.py --workdir=missing", "no missing/model.keras"),
        ("serve missing.index", "Received: missing.index"),
        ("export --workdir=missing", "no missing/config.json"),
        ("export --workdir=a --quantize=x", "Received: x"),
        (
            "reproduce --table=1 --out=a --data=folder:missing",
            "Received: folder:missing",
        ),
    ],
)
def test_help_and_errors_wait_for_no_library(words, told, run_apart):
    out, loaded = run_apart(words)
    assert told in out
    assert not loaded & {"tensorflow", "keras", "sklearn", "matplotlib"}


@pytest.fixture(scope="module")
def run_apart():
    """Function that runs a command where no library is loaded yet.

    A process that has loaded only what all commands need forks for each. It
    returns what the command wrote, and the names of all modules loaded.
    """
    code = """
import os, sys
import numpy
from absl import app
from hashnet_tf.tools import main

for line in sys.stdin:
    if not os.fork():
        sys.stderr = sys.stdout
        try:
            main.run(main.parse(["hashnet", *line.split()]))
        except SystemExit:
            pass
        print("LOADED", *(n for n in list(sys.modules) if "." not in n))
        print("END", flush=True)
        os._exit(0)
    os.wait()
"""
    started = subprocess.Popen(
        [sys.executable, "-c", code],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=pathlib.Path(__file__).parents[2],
    )

    def run(words):
        started.stdin.write(f"{words}\n")
        started.stdin.flush()
        lines = list(iter(started.stdout.readline, "END\n"))
        assert lines[-1].startswith("LOADED ")
        return "".join(lines[:-1]), set(lines[-1].split())

    yield run
    started.stdin.close()
    started.wait()
    started.stdout.close()


@pytest.mark.parametrize("words", ["datasets list", "train --help"])
def test_a_reader_that_leaves_is_no_error(words):
    command = f"{sys.executable} -m hashnet_tf.tools.main {words} | head -c 9"
    ended = subprocess.run(
        ["bash", "-c", f"{command}; exit ${{PIPESTATUS[0]}}"],
        capture_output=True,
        text=True,
    )
    assert ended.stderr == ""
    # Unless all had been written before the reader left.
    assert ended.returncode in (0, main.PIPE_CLOSED)


@pytest.mark.slow
@pytest.mark.parametrize("name", [*COMMANDS, "main"])
def test_each_runs_as_a_module(name):
    ended = process("-m", f"hashnet_tf.tools.{name}", "--help")
    assert (ended.returncode, ended.stderr) == (0, "")
    command = "" if name == "main" else f"{name} "
    assert ended.stdout.startswith(f"usage: hashnet {command}[-h]")


def test_bad_usage_of_a_process():
    ended = process("-m", "hashnet_tf.tools.train", "--data=digits", "--oops=3")
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr == (
        "hashnet train: error: the following arguments are required:"
        " --workdir (see --help)\n"
    )


def test_bad_input_of_a_process(tmp_path):
    # What TensorFlow itself writes while it loads stands before the line.
    ended = process("-m", "hashnet_tf.tools.evaluate", f"--workdir={tmp_path}")
    assert (ended.returncode, ended.stdout) == (2, "")
    last = ended.stderr.splitlines()[-1]
    assert last.startswith("hashnet evaluate: error: The folder of a run must")
    assert last.endswith(f"Received: no {tmp_path / 'config.json'}")
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize(
    "words, message",
    [
        ([], "required: COMMAND"),
        (["other"], "invalid choice: 'other'"),
        (["search"], "required: image"),
        (["evaluate", "--workdir=a", "--oops"], "arguments: --oops"),
        (["evaluate", "--workdir=a", "b"], "arguments: b"),
        (["evaluate", "--workdir=a", "--at=x"], "invalid int value: 'x'"),
        (["evaluate", "--workdir"], "--workdir: expected one argument"),
        (["train", "--data=digits"], "required: --workdir"),
        (
            ["train", "--workdir=a", "--data=digits", "--schedule=x"],
            "invalid choice: 'x'",
        ),
        (["encode", "--workdir=a", "--out=b"], "--vectors --part is required"),
        (
            ["encode", "--workdir=a", "--out=b", "--images=c", "--part=query"],
            "not allowed with",
        ),
        (["encode", "--workdir=a", "--part=query"], "required: --out"),
        (["search", "--workdir=a"], "required: image"),
        (
            ["export", "--workdir=a", "--quantize=x"],
            "none,float16,dynamic,int8. Received: x",
        ),
        (["demo", "--seed=x"], "invalid int value: 'x'"),
        (["reproduce", "--table=1", "--data=digits"], "required: --out"),
        (["reproduce", "--table=4"], "invalid choice: 4"),
        (["reproduce", "--bits=16,x"], "as 16,32. Received: 16,x"),
    ],
)
def test_bad_usage(words, message, fails):
    line = fails(*words)
    assert message in line and line.endswith("(see --help)")


@pytest.mark.parametrize("name", ["evaluate", "export"])
def test_a_folder_that_is_no_run(name, fails, tmp_path):
    line = fails(name, f"--workdir={tmp_path}")
    assert line.endswith(f"Received: no {tmp_path / 'config.json'}")


def raising(error):
    def run(arguments):
        raise error

    return run


@pytest.fixture
def evaluating(monkeypatch):
    """Function that makes `hashnet evaluate` raise an error."""

    def make(error):
        monkeypatch.setattr(evaluate, "run", raising(error))

    return make


@pytest.mark.parametrize(
    "error, code, told",
    [
        (
            ValueError("Bad input.\n  Received:\n\n  a=1\n"),
            2,
            "Bad input. Received: a=1",
        ),
        (
            FileNotFoundError(2, "No such file", "a"),
            2,
            "[Errno 2] No such file: 'a'",
        ),
        (NotADirectoryError("a"), 2, "a"),
        (hn.export.ParityError("Other bits."), 1, "Other bits."),
    ],
)
def test_an_error_is_one_line(error, code, told, evaluating, fails):
    evaluating(error)
    line = fails("evaluate", "--workdir=a", code=code)
    assert line == f"hashnet evaluate: error: {told}"


@pytest.mark.parametrize("error", [RuntimeError, KeyError, AssertionError])
def test_what_is_a_fault_of_ours_is_not_hidden(
    error, evaluating, hashnet, fails, capsys
):
    evaluating(error("oops"))
    line = fails("evaluate", "--workdir=a", code=3)
    assert f"{error.__name__}: " in line and "oops" in line
    assert "please report" in line
    ended = hashnet("evaluate", "--workdir=a", "--debug")
    assert ended.code == 3 and "Traceback" in ended.err


def test_ctrl_c_is_one_line(evaluating, hashnet):
    evaluating(KeyboardInterrupt())
    ended = hashnet("evaluate", "--workdir=a")
    line = "hashnet evaluate: interrupted; the same command goes on\n"
    assert (ended.code, ended.err) == (130, line)


# Any folder that a user may have as a home.
ABODE = "abode"


@pytest.mark.parametrize(
    "word, wanted",
    [
        (os.path.join("~", "r"), os.path.join(ABODE, "r")),
        ("folder:" + os.path.join("~", "r"), f"folder:{ABODE}{os.sep}r"),
        ("~", ABODE),
        ("a~b:c~", "a~b:c~"),
        ("digits", "digits"),
    ],
)
def test_a_home_behind_an_equals_sign_is_expanded(word, wanted, monkeypatch):
    monkeypatch.setenv("HOME", ABODE)
    workdir = os.path.join("~", "w")
    words = ["hashnet", "train", f"--workdir={workdir}", f"--data={word}"]
    arguments = main.parse(words)
    assert arguments.workdir == os.path.join(ABODE, "w")
    assert arguments.data == wanted


@pytest.mark.parametrize(
    "words, message",
    [
        (["evaluate", "--workdir="], "--workdir: a value is needed"),
        (["train", "--workdir=a", "--data=digits", "--bit=12"], "--bit=12"),
    ],
)
def test_neither_an_empty_value_nor_half_a_flag(words, message, fails):
    assert message in fails(*words)


def test_a_name_that_the_terminal_cannot_show(tmp_path):
    script = (
        "import sys; from hashnet_tf.tools import evaluate, main;"
        "evaluate.run = lambda _: print('\\u65e5.jpg') or 0;"
        "sys.argv = ['hashnet', 'evaluate', '--workdir=a']; main.command_line()"
    )
    ended = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, "PYTHONIOENCODING": "latin-1"},
        capture_output=True,
    )
    assert (ended.returncode, ended.stdout) == (0, b"\\u65e5.jpg\n")


def test_exit_code_of_the_script(monkeypatch):
    # What it does to its own process must not be done to that of the tests.
    monkeypatch.setattr(sys, "meta_path", [*sys.meta_path])
    monkeypatch.setattr(_output, "_libraries_are_silenced", False)
    for code in (0, 1, 2):
        monkeypatch.setattr(sys, "argv", ["hashnet", "evaluate", "--workdir=a"])
        monkeypatch.setattr(evaluate, "run", lambda _, code=code: code)
        with pytest.raises(SystemExit) as exit:
            main.command_line()
        assert exit.value.code == code
