import concurrent.futures
import os
import pathlib
import subprocess
import sys
import time

import pytest

from hashnet_tf.reproduction.processes import OwnProcess


@pytest.fixture
def process():
    with OwnProcess() as process:
        yield process


@pytest.mark.slow
def test_returns_what_the_work_returns(process):
    assert process.call(divmod, 17, 5) == (3, 2)
    first = process.call(os.getpid)
    assert first == process.call(os.getpid) != os.getpid()
    process.end()
    assert process.call(os.getpid) != first


@pytest.mark.slow
def test_raises_what_the_work_raises(process):
    with pytest.raises(ValueError, match="invalid literal .* 'x'"):
        process.call(int, "x")
    assert process.call(int, "3") == 3


@pytest.mark.slow
def test_tells_of_a_process_that_died(process):
    with pytest.raises(concurrent.futures.BrokenExecutor):
        process.call(os._exit, 3)
    # The next call has a new one.
    assert process.call(int, "3") == 3


SCRIPT = """
import os, pathlib, sys, time
sys.path.insert(0, {folder!r})
import working
from hashnet_tf.reproduction.processes import OwnProcess
if __name__ == "__main__":
    OwnProcess().call(working.work, {note!r})
"""
WORKING = """
import os, pathlib, time
def work(note):
    pathlib.Path(note).write_text(str(os.getpid()))
    time.sleep(600)
"""


def wait_for(condition):
    # A new process loads libraries first, on a busy machine for long.
    end = time.monotonic() + 120
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)


def ended(pid):
    """Whether a process is gone, or dead and not yet taken note of."""
    stat = pathlib.Path(f"/proc/{pid}/stat")
    try:
        return stat.read_text().rsplit(")", 1)[1].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True


@pytest.mark.slow
@pytest.mark.skipif(
    not pathlib.Path("/proc/self/stat").exists(), reason="needs /proc"
)
def test_ends_when_the_one_that_asked_is_killed(tmp_path):
    note = tmp_path / "pid"
    (tmp_path / "working.py").write_text(WORKING)
    script = tmp_path / "script.py"
    script.write_text(SCRIPT.format(folder=str(tmp_path), note=str(note)))
    asking = subprocess.Popen([sys.executable, script])
    try:
        wait_for(lambda: note.exists() and note.read_text())
        pid = int(note.read_text())
        assert not ended(pid)
    finally:
        asking.kill()
        asking.wait()
    wait_for(lambda: ended(pid))
