import os
import sqlite3

import numpy as np
import pytest

import hashnet_tf as hn
from hashnet_tf.index import Changes, Hit

RNG = np.random.default_rng(0)


def some(n, width=2):
    return RNG.integers(0, 256, (n, width), dtype=np.uint8)


def test_names_of_any_text(index):
    names = ["a b", "ä/ö.jpg", "7", "'; DROP TABLE items; --", "x" * 5000]
    codes = some(5)
    changes = index.add(names, codes, ["cat", None, "dog", "cat", ""])
    assert changes == Changes(added=5)
    assert list(index) == names and len(index) == 5
    assert "a b" in index and "b" not in index and 7 not in index
    for name, code in zip(names, codes, strict=True):
        assert index.search(code, k=1)[0].distance == 0
        assert name in [hit.name for hit in index.search(code, k=5)]
    assert index.stat()["labels"] == {"": 1, "cat": 2, "dog": 1}


def test_hits_are_the_nearest_and_of_equal_ones_the_first_added(index):
    codes = np.array([[0, 1], [0, 0], [255, 255], [1, 0]], np.uint8)
    index.add(["b", "a", "far", "c"], codes, ["x", None, None, "y"])
    assert index.search(codes[1], k=3) == [
        Hit("a", 0, None),
        Hit("b", 1, "x"),
        Hit("c", 1, "y"),
    ]
    assert len(index.search(codes[0], k=9)) == 4


def test_an_empty_one_finds_nothing(index):
    assert (len(index), list(index)) == (0, [])
    assert index.search(some(1)[0]) == []


def test_a_name_that_is_there_is_replaced(index):
    codes = some(3)
    index.add(["a", "b", "c"], codes)
    other = codes[0] ^ 1
    changes = index.add(["a", "b", "d"], [other, codes[1], codes[2]], None)
    assert changes == Changes(added=1, refreshed=1, kept=1)
    assert index.search(other, k=1)[0].name == "a"
    # A label alone changes no place.
    assert index.add(["b"], codes[1:2], ["cat"]) == Changes(refreshed=1)
    assert list(index) == ["b", "c", "a", "d"]


def test_equals_a_dictionary_whatever_is_done(tmp_path):
    rng = np.random.default_rng(1)
    path = tmp_path / "a.index"
    first = hn.Index.open(path, bits=12)
    # Another process, as far as the file knows.
    second = hn.Index.open(path)
    kept = {}
    for step in range(120):
        index = (first, second)[rng.integers(2)]
        names = rng.choice(40, rng.integers(1, 8), replace=False)
        names = [f"n{name}" for name in names]
        if rng.random() < 0.6:
            codes = rng.integers(0, 256, (len(names), 2), dtype=np.uint8)
            codes[:, 1] &= 0xF0
            index.add(names, codes)
            kept.update(zip(names, codes, strict=True))
        else:
            names = [name for name in names if name in kept]
            index.remove(names)
            for name in names:
                del kept[name]
        query = rng.integers(0, 16, 2, dtype=np.uint8) << 4
        found = (first, second)[step % 2].search(query, k=50)
        distances = {
            name: int(np.unpackbits(code ^ query).sum())
            for name, code in kept.items()
        }
        assert {hit.name: hit.distance for hit in found} == distances
        assert [h.distance for h in found] == sorted(distances.values())
    first.close()
    second.close()
    with hn.Index.open(path) as index:
        assert sorted(index) == sorted(kept)


@pytest.mark.parametrize(
    "names, codes, labels, message",
    [
        ([""], some(1), None, r"not empty. Received: \[''\]"),
        ([7], some(1), None, r"strings.* Received: \[7\]"),
        (["a", "a"], some(2), None, r"once. Received: \['a'\] again"),
        (["\udc80"], some(1), None, "UTF-8"),
        (["a"], some(2), None, "2 codes and 1 names"),
        (["a"], some(1, 3), None, "codes"),
        (["a"], some(1).astype("int64"), None, "codes"),
        (["a"], some(1), ["x", "y"], "1 names and 2 labels"),
        (["a"], some(1), [3], r"strings or None. Received: \[3\]"),
    ],
)
def test_refuses_to_add(names, codes, labels, message, index):
    index.add(["there"], some(1))
    with pytest.raises(ValueError, match=message):
        index.add(names, codes, labels)
    assert list(index) == ["there"]


def test_removes_all_or_nothing(index):
    index.add(["a", "b"], some(2))
    with pytest.raises(ValueError, match="be removed. Received: c, d$"):
        index.remove(["a", "c", "d"])
    assert list(index) == ["a", "b"]
    index.remove("a")
    assert list(index) == ["b"]


def test_refuses_to_search(index):
    index.add(["a"], some(1))
    for query in (some(1), some(3)[:, 0], [0.5, 1], 7, np.zeros((2, 2, 3))):
        with pytest.raises(ValueError, match="Received"):
            index.search(query)
    with pytest.raises(ValueError, match="k"):
        index.search(some(1)[0], k=0)
    with pytest.raises(ValueError, match=r"its encoder: .* without one$"):
        index.search("a.jpg")


def test_opens_what_is_there(tmp_path, reader):
    path = tmp_path / "new" / "a.index"
    with pytest.raises(FileNotFoundError, match="to begin one"):
        hn.Index.open(path)
    assert not path.parent.exists()
    with pytest.raises(ValueError, match="`bits`"):
        hn.Index.open(path, bits=0)
    with pytest.raises(ValueError, match="the encoder, 16. Received: bits=8"):
        hn.Index.open(path, bits=8, encoder=reader())
    hn.Index.open(path, bits=8).close()
    with pytest.raises(ValueError, match="be of 16 bits. .* of 8 bits$"):
        hn.Index.open(path, bits=16)
    with pytest.raises(ValueError, match="be of 16 bits"):
        hn.Index.open(path, encoder=reader())
    with hn.Index.open(path) as index:
        assert (index.bits, index.path, len(index)) == (8, path, 0)


def test_is_of_one_encoder(tmp_path, reader):
    path = tmp_path / "a.index"
    with hn.Index.open(path, encoder=reader("a")) as index:
        assert index.bits == 16 and index.stat()["encoder"] == "a"
        index.add(["by hand"], some(1))
    with pytest.raises(ValueError, match="its own encoder"):
        hn.Index.open(path, encoder=reader("b"))
    hn.Index.open(path, encoder=reader("a")).close()
    # Of unknown origin.
    path = tmp_path / "b.index"
    with hn.Index.open(path, bits=16) as index:
        index.add(["by hand"], some(1))
    with pytest.raises(ValueError, match="were given without an encoder"):
        hn.Index.open(path, encoder=reader("a"))


def test_refuses_what_is_no_index(tmp_path):
    path = tmp_path / "a.index"
    path.write_text("not a database, but long enough to be looked at" * 99)
    for bits in (None, 16):
        with pytest.raises(ValueError, match="this package wrote. Received"):
            hn.Index.open(path, bits=bits)
    other = tmp_path / "other.db"
    database = sqlite3.connect(other)
    database.execute("CREATE TABLE theirs (x)")
    database.commit()
    database.close()
    before = other.read_bytes()
    for bits in (None, 16):
        with pytest.raises(ValueError, match="of kind 0x0, format 0$"):
            hn.Index.open(other, bits=bits)
    assert other.read_bytes() == before
    with pytest.raises(OSError, match="unable to open"):
        hn.Index.open(tmp_path, bits=16)


def everything(path):
    """All that an index tells, once it has been checked."""
    with hn.Index.open(path) as index:
        index.check()
        return index.search(np.zeros(2, np.uint8), k=1000), index.stat()


def test_any_damage_is_told_or_does_none(tmp_path):
    path = tmp_path / "a.index"
    rng = np.random.default_rng(2)
    names = [f"n{i}" for i in range(300)]
    with hn.Index.open(path, bits=16) as index:
        codes = rng.integers(0, 256, (300, 2), dtype=np.uint8)
        index.add(names, codes, ["cat", "dog", None] * 100)
    good, wanted = path.read_bytes(), everything(path)
    told = 0
    for _ in range(80):
        bad = bytearray(good)
        place = int(rng.integers(len(bad)))
        if rng.random() < 0.3:
            bad = bad[:place]
        else:
            size = int(rng.choice([1, 2, 64]))
            bad[place : place + size] = rng.bytes(size)
        path.write_bytes(bad)
        try:
            found = everything(path)
        except (ValueError, OSError) as error:
            assert str(path) in str(error)
            told += 1
        else:
            # It fell where nothing lies, and the file may have been cut short.
            found[1]["bytes"] = wanted[1]["bytes"]
            assert found == wanted
    assert told > 20


def test_copies_in_one_file(index, tmp_path):
    index.add(["a", "b"], some(2), ["x", None])
    there = tmp_path / "elsewhere" / "b.index"
    index.copy(there)
    index.add(["c"], some(1))
    assert os.listdir(there.parent) == ["b.index"]
    with hn.Index.open(there) as copy:
        assert list(copy) == ["a", "b"]
    index.copy(there)
    with hn.Index.open(there) as copy:
        assert list(copy) == ["a", "b", "c"]
        copy.check()


def test_nothing_is_kept_of_a_block_that_fails(index):
    index.add(["a"], some(1))
    with pytest.raises(KeyboardInterrupt), index._file.changing():
        index._file.drop(["a"])
        raise KeyboardInterrupt
    assert list(index) == ["a"]


def test_tells_what_it_holds(index):
    index.add(["a"], some(1))
    told = index.stat()
    assert told.pop("bytes") > 0
    assert told == {
        "items": 1,
        "files": 0,
        "features": 0,
        "fit": None,
        "labels": {},
        "bits": 16,
        "encoder": None,
    }
    assert Changes(1, 2, 3000, {"a": "b"}).text() == (
        "1 added, 2 refreshed, 3,000 kept, 1 refused"
    )
