import contextlib
import errno
import fcntl
import json
import os
import subprocess
import sys

import pytest

from hashnet_tf._files import (
    only_writer,
    place_beside,
    read_back,
    sealed,
    write_json,
    written_beside,
)


class Killed(Exception):
    pass


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_file_appears_when_it_is_whole(tmp_path):
    path = tmp_path / "new" / "parents" / "a.weights.h5"
    with written_beside(str(path)) as beside:
        beside.write_text("new")
        assert not path.exists()
        # By the ending, libraries choose the format; in the same folder, a
        # rename is one step.
        assert beside.name.endswith("a.weights.h5")
        assert beside.parent == path.parent
    assert path.read_text() == "new"
    assert names(path.parent) == ["a.weights.h5"]


def test_the_old_file_stays_until_the_new_is_whole(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("old")
    with written_beside(path) as beside:
        beside.write_text("new")
        assert path.read_text() == "old"
    assert path.read_text() == "new"
    assert names(tmp_path) == ["a.txt"]


@pytest.mark.parametrize("old", ["old", None])
def test_a_failure_leaves_what_was_there(old, tmp_path):
    path = tmp_path / "a.txt"
    if old is not None:
        path.write_text(old)
    with pytest.raises(Killed), written_beside(path) as beside:
        beside.write_text("half")
        raise Killed
    assert names(tmp_path) == ([] if old is None else ["a.txt"])
    assert old is None or path.read_text() == old


def test_a_folder(tmp_path):
    path = tmp_path / "model" / "1"
    with written_beside(path) as beside:
        (beside / "variables").mkdir(parents=True)
        (beside / "variables" / "data").write_text("new")
        assert not path.exists()
    assert (path / "variables" / "data").read_text() == "new"
    assert names(path.parent) == ["1"]


def test_a_failure_removes_half_a_folder(tmp_path):
    with pytest.raises(Killed), written_beside(tmp_path / "1") as beside:
        beside.mkdir()
        (beside / "data").write_text("half")
        raise Killed
    assert names(tmp_path) == []


def test_a_folder_that_holds_something_is_not_replaced(tmp_path):
    path = tmp_path / "1"
    path.mkdir()
    (path / "mine").write_text("old")
    with pytest.raises(OSError), written_beside(path) as beside:
        beside.mkdir()
    with pytest.raises(OSError), written_beside(path) as beside:
        beside.write_text("new")
    assert names(tmp_path) == ["1"]
    assert (path / "mine").read_text() == "old"


def test_write_json(tmp_path):
    path = tmp_path / "new" / "a.json"
    value = {"b": [1, None, 0.5], "a": "größer ≥"}
    write_json(path, value)
    text = path.read_text(encoding="utf-8")
    assert json.loads(text) == value
    # For eyes too: a line each, in the order given, letters as they are.
    assert text.splitlines()[1:2] == ['  "b": [']
    assert "größer ≥" in text
    assert text.endswith("}\n")


def test_what_is_no_json_leaves_the_old_file(tmp_path):
    path = tmp_path / "a.json"
    write_json(path, 1)
    with pytest.raises(TypeError):
        write_json(path, {"a": object()})
    assert path.read_text() == "1\n"
    assert names(tmp_path) == ["a.json"]


def dead_process():
    """The id of a process that has ended."""
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    return child.pid


def test_what_dead_processes_left_is_removed(tmp_path):
    living, dead = os.getppid(), dead_process()
    of_own = place_beside(tmp_path / "1").name
    left = [f".{dead}.1", of_own.replace(f"-{os.getpid()}.", f"-{dead}.")]
    for name in left:
        (tmp_path / name / "variables").mkdir(parents=True)
    # Of a living process, of another machine, of something else, of nobody.
    stay = [f".{living}.1", f".elsewhere-{dead}.1", f".{dead}.2", ".x.1"]
    for name in stay:
        (tmp_path / name).write_text("half")
    with written_beside(tmp_path / "1") as beside:
        beside.mkdir()
    assert names(tmp_path) == sorted([*stay, "1"])


def test_a_leftover_with_the_own_process_id_is_no_hindrance(tmp_path):
    # As in a container, where the first process is always the first.
    half = place_beside(tmp_path / "1")
    (half / "variables").mkdir(parents=True)
    with written_beside(tmp_path / "1") as beside:
        beside.mkdir()
    assert names(tmp_path / "1") == []
    assert names(tmp_path) == ["1"]


HOLDS = """
import sys
from hashnet_tf._files import only_writer

with only_writer(sys.argv[1]):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def holder():
    """Function that starts a process which holds a folder."""
    with contextlib.ExitStack() as stack:

        def start(folder):
            child = stack.enter_context(
                subprocess.Popen(
                    [sys.executable, "-c", HOLDS, str(folder)],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    text=True,
                )
            )
            stack.callback(child.kill)
            assert child.stdout.readline() == "held\n"
            return child

        yield start


def test_a_second_process_is_refused_by_name(holder, tmp_path):
    folder = tmp_path / "runs" / "run"
    child = holder(folder)
    message = f"{folder} must be .*Received: process {child.pid} writes there"
    with pytest.raises(OSError, match=message), only_writer(folder):
        pass
    assert names(folder) == [".lock"]
    child.communicate()
    # As nothing came to lie there.
    assert not folder.parent.exists()
    with only_writer(folder):
        (folder / "a").write_text("mine")
    assert names(folder) == ["a"]


def test_a_kill_gives_the_lock_back(holder, tmp_path):
    child = holder(tmp_path)
    child.kill()
    child.wait()
    assert names(tmp_path) == [".lock"]
    with only_writer(tmp_path):
        pass
    assert names(tmp_path) == []


def test_a_lock_that_was_removed_meanwhile_is_taken_anew(tmp_path, monkeypatch):
    flock, taken = fcntl.flock, []

    def removed_once(file, how):
        if not taken:
            (tmp_path / ".lock").unlink()
        taken.append(how)
        flock(file, how)

    monkeypatch.setattr("hashnet_tf._files.fcntl.flock", removed_once)
    with only_writer(tmp_path):
        assert names(tmp_path) == [".lock"]
        monkeypatch.setattr("hashnet_tf._files.fcntl.flock", flock)
        with pytest.raises(OSError), only_writer(tmp_path):
            pass
    assert len(taken) == 2


def test_a_file_system_without_locks_is_told(tmp_path, monkeypatch, capsys):
    def lacking(file, how):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr("hashnet_tf._files.fcntl.flock", lacking)
    with only_writer(tmp_path):
        pass
    assert capsys.readouterr().out == (
        f"{tmp_path} is not guarded against a second writer: [Errno"
        f" {errno.ENOLCK}] No locks available\n"
    )


def text_of(path):
    with read_back(path, "delete it"):
        return path.read_text()


def seal(path, text):
    with sealed(path) as beside:
        beside.write_text(text)


def test_a_seal(tmp_path):
    path = tmp_path / "a"
    for text in ("one", "two"):
        seal(path, text)
        seal(tmp_path / f"b {text}", "other")
        assert text_of(path) == text
    path.write_text("one")
    with pytest.raises(ValueError, match=f"^{path} must be whole.*; delete it"):
        text_of(path)
    seal(path, "one")
    assert text_of(path) == "one"


@pytest.mark.parametrize("kills", [1, 3])
@pytest.mark.parametrize("before", [True, False])
def test_a_kill_while_a_file_is_put_in_place_breaks_no_seal(
    before, kills, tmp_path, monkeypatch
):
    path, replace = tmp_path / "a", os.replace
    seal(path, "old")

    def kill(source, target):
        if target != path:
            return replace(source, target)
        if not before:
            replace(source, target)
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr("hashnet_tf._files.os.replace", kill)
        for number in range(kills):
            with pytest.raises(Killed):
                seal(path, f"new {number}")
    assert text_of(path) == ("old" if before else f"new {kills - 1}")
    seal(path, "last")
    assert text_of(path) == "last"


def test_without_a_seal_what_a_parser_raises_is_told(tmp_path):
    path = tmp_path / "a"
    path.write_text("old")
    assert text_of(path) == "old"
    with (
        pytest.raises(ValueError, match=f"^{path} .*Received: KeyError"),
        read_back(path, "delete it"),
    ):
        raise KeyError("step")
    with pytest.raises(FileNotFoundError):
        text_of(tmp_path / "missing")
    # Behind a seal it is a fault of the program.
    seal(path, "new")
    with pytest.raises(KeyError), read_back(path, "delete it"):
        raise KeyError("step")
