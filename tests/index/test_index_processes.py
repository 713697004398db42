"""Several processes at one index, and those that are killed."""

import subprocess
import sys
import time

import numpy as np
import pytest

import hashnet_tf as hn

# Adds and removes by tens, for ever, and tells when it has begun.
WORK = """
import sys, numpy as np
from hashnet_tf.index import Index
rng = np.random.default_rng(int(sys.argv[2]))
with Index.open(sys.argv[1], bits=64) as index:
    print("begun", flush=True)
    while True:
        batch = int(rng.integers(500))
        names = [f"{batch}-{i}" for i in range(10)]
        if names[0] in index and rng.random() < 0.4:
            index.remove(names)
        else:
            codes = rng.integers(0, 256, (10, 8), dtype=np.uint8)
            index.add(names, codes)
"""
ADD = """
import sys, numpy as np
from hashnet_tf.index import Index
with Index.open(sys.argv[1], bits=64) as index:
    for i in range(40):
        index.add([f"{sys.argv[2]}-{i}"], np.full((1, 8), i, np.uint8))
"""
HOLD = """
import sys, time, numpy as np
from hashnet_tf.index import Index
with Index.open(sys.argv[1]) as index:
    with index._file.changing():
        index._file.drop(["a"])
        print("begun", flush=True)
        time.sleep(1.0)
"""


def begun(code, *arguments):
    """A process that runs `code`, once it says that it has begun."""
    process = subprocess.Popen(
        [sys.executable, "-c", code, *map(str, arguments)],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout.readline() == "begun\n"
    return process


def tens(path):
    """How many items there are, all of whose tens are whole."""
    with hn.Index.open(path) as index:
        index.check()
        names = list(index)
        found = index.search(np.zeros(8, np.uint8), k=10_000)
    assert sorted(hit.name for hit in found) == sorted(names)
    batches = [name.split("-")[0] for name in names]
    assert all(batches.count(batch) == 10 for batch in set(batches))
    return len(names)


@pytest.mark.slow
def test_killed_at_any_moment_it_is_whole(tmp_path):
    path = tmp_path / "a.index"
    rng = np.random.default_rng(0)
    counts = []
    for number in range(30):
        process = begun(WORK, path, number)
        time.sleep(rng.uniform(0, 0.3))
        process.kill()
        process.communicate()
        counts.append(tens(path))
    # It was not killed before it did anything.
    assert len(set(counts)) > 10 and max(counts) > 500


def test_writers_wait_for_each_other(tmp_path):
    path = tmp_path / "a.index"
    # Begun by all at once, too.
    writers = [
        subprocess.Popen([sys.executable, "-c", ADD, str(path), name])
        for name in "abc"
    ]
    assert [writer.wait() for writer in writers] == [0, 0, 0]
    with hn.Index.open(path) as index:
        wanted = {f"{name}-{i}" for name in "abc" for i in range(40)}
        assert set(index) == wanted


def test_readers_go_on_and_a_writer_waits(tmp_path):
    path = tmp_path / "a.index"
    code = np.full((1, 8), 7, np.uint8)
    with hn.Index.open(path, bits=64) as index:
        index.add(["a"], code)
        process = begun(HOLD, path)
        # What is not done is not seen.
        assert [hit.name for hit in index.search(code[0])] == ["a"]
        index.add(["b"], code)
        process.communicate()
        assert process.returncode == 0
        assert [hit.name for hit in index.search(code[0])] == ["b"]


def test_waits_no_longer_than_it_says(tmp_path, monkeypatch):
    path = tmp_path / "a.index"
    monkeypatch.setattr(hn.index._database, "WAIT", 0.1)
    with hn.Index.open(path, bits=64) as index:
        index.add(["a"], np.zeros((1, 8), np.uint8))
        process = begun(HOLD, path)
        with pytest.raises(TimeoutError, match="has written to"):
            index.add(["b"], np.zeros((1, 8), np.uint8))
        process.communicate()
        index.add(["b"], np.zeros((1, 8), np.uint8))
        assert list(index) == ["b"]


def test_needs_numpy_alone():
    code = "import sys, hashnet_tf as hn; hn.Index; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()
    assert "numpy" in loaded
    assert not {"tensorflow", "keras", "sklearn"} & set(loaded)
