"""An index copied into each engine, and copies that are killed."""

import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

import hashnet_tf as hn
from hashnet_tf.index import Copied
from hashnet_tf.index.stores import STORES, open_store

# Copies by batches of 20, slowly, and tells of each that is there.
COPY = """
import sys, time
from hashnet_tf.index import Index
from hashnet_tf.index.stores import open_store
index = Index.open(sys.argv[1])
store = open_store(sys.argv[2], index.bits, None)
type(store).BATCH = 20
add = store._add
def slowly(names, codes):
    add(names, codes)
    print("sent", flush=True)
    time.sleep(0.005)
store._add = slowly
index.copy_to(store)
print("done", flush=True)
"""


@pytest.fixture(params=STORES)
def place(request, address):
    """A new address of each engine."""
    return address(request.param)


@pytest.fixture
def made(tmp_path, some):
    """An index of 400 codes of 20 bits."""
    with hn.Index.open(tmp_path / "a.index", bits=20) as index:
        index.add([f"n{i}" for i in range(400)], some(400, 20))
        yield index


def holds(place, index):
    """Whether a store has what an index has, read by itself."""
    with open_store(place) as store:
        found = {
            name: code.tobytes()
            for names, codes in store.batches()
            for name, code in zip(names, codes, strict=True)
        }
        return len(store) == len(found) and found == {
            name: index.item(name).code for name in index
        }


def test_what_is_there_is_not_sent_again(place, made, some):
    assert made.copy_to(place) == Copied(400, 0, 0, 0)
    assert holds(place, made)
    made.remove(["n1", "n2", "n3"])
    made.add(["new", "n7"], some(2, 20))
    with open_store(place) as store:
        sent, add = [], store._add
        store._add = lambda names, codes: (
            sent.extend(names),
            add(names, codes),
        )
        assert made.copy_to(store) == Copied(1, 1, 396, 3)
    assert sorted(sent) == ["n7", "new"]
    assert holds(place, made)
    # A label alone is no other code.
    made.add(
        ["new"], np.frombuffer(made.item("new").code, np.uint8)[None], ["x"]
    )
    assert made.copy_to(place) == Copied(0, 0, 398, 0)


def killed(index, place, batches, wait=0.0):
    """Copies in a process that is killed behind some batches."""
    process = subprocess.Popen(
        [sys.executable, "-c", COPY, str(index.path), place],
        stdout=subprocess.PIPE,
        text=True,
    )
    for _ in range(batches):
        line = process.stdout.readline()
        assert line == "sent\n"
    time.sleep(wait)
    os.kill(process.pid, signal.SIGKILL)
    rest, _ = process.communicate()
    assert "done" not in rest
    return batches + rest.count("sent")


def test_a_copy_that_was_killed_goes_on(place, made):
    sent = killed(made, place, 3)
    copied = made.copy_to(place)
    # What was sent may be whole without being told.
    assert 20 * sent <= copied.kept < 400
    assert copied == Copied(400 - copied.kept, 0, copied.kept, 0)
    assert holds(place, made)


@pytest.mark.slow
def test_a_copy_that_is_killed_at_any_moment_goes_on(place, made, some):
    rng = np.random.default_rng(0)
    for number in range(6):
        # Of those that are there some are other codes, some gone.
        names = [f"n{i}" for i in rng.choice(400, 100, replace=False)]
        made.add(names, some(100, 20))
        made.remove(list(made)[:10])
        killed(made, place, int(rng.integers(1, 5)), rng.uniform(0, 0.02))
        if number % 2:
            made.copy_to(place)
            assert holds(place, made)
    made.copy_to(place)
    assert holds(place, made)


def test_refuses_a_store_of_others(place, made, tmp_path, some):
    with open_store(place, bits=20, encoder="another") as store:
        with pytest.raises(ValueError, match="the encoder.*another.*None"):
            made.copy_to(store)
    with open_store(place) as store:
        store.add(["theirs"], some(1, 20))
    with pytest.raises(ValueError, match="bits and the encoder of the index"):
        with open_store(place) as store:
            made.copy_to(store)
    with hn.Index.open(tmp_path / "b.index", bits=12) as other:
        with pytest.raises(
            ValueError, match="of 12 bits. Received.*of 20 bits"
        ):
            other.copy_to(place)
    with open_store(place) as store:
        assert len(store) == 1


def test_removes_nothing_of_another_index(place, made, tmp_path, some):
    with hn.Index.open(tmp_path / "b.index", bits=20) as other:
        other.add(["theirs"], some(1, 20))
        other.copy_to(place)
        with pytest.raises(ValueError, match="1 codes, none by a name of"):
            made.copy_to(place)
        assert holds(place, other)


def test_the_encoder_is_noted(place, tmp_path, reader, some):
    with hn.Index.open(tmp_path / "b.index", encoder=reader("digest")) as index:
        index.add(["a"], some(1, 16))
        index.copy_to(place)
    with open_store(place) as store:
        assert (store.bits, store.encoder) == (16, "digest")
    with hn.Index.open(tmp_path / "c.index", encoder=reader("other")) as index:
        with pytest.raises(ValueError, match="same encoder.*'other'.*'digest'"):
            index.copy_to(place)


def test_what_is_lost_on_the_way_is_told(made, tmp_path, address):
    place = address("parquet")
    with open_store(place, bits=20) as store:
        add = store._add
        store._add = lambda names, codes: add(names[1:], codes[1:])
        with pytest.raises(OSError, match="1 missing, 0 of another code"):
            made.copy_to(store)
    # The same call mends it.
    assert made.copy_to(place) == Copied(1, 0, 399, 0)


def test_an_empty_index_is_copied(place, tmp_path):
    with hn.Index.open(tmp_path / "b.index", bits=20) as index:
        assert index.copy_to(place) == Copied(0, 0, 0, 0)
        assert holds(place, index)
