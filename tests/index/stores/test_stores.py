"""What every engine must do: one that is new is tested by itself."""

import pathlib
import re
import sys

import numpy as np
import pytest

from hashnet_tf.index.stores import STORES, Near, open_store

ROOT = pathlib.Path(__file__).parents[3]


@pytest.fixture(params=STORES)
def engine(request):
    return STORES[request.param]


def there(store):
    """All that is in a store, as a dictionary."""
    found = {}
    for names, codes in store.batches():
        assert codes.dtype == np.uint8 and codes.shape == (
            len(names),
            -(-store.bits // 8),
        )
        assert not found.keys() & set(names)
        found.update(
            (name, code.tobytes())
            for name, code in zip(names, codes, strict=True)
        )
    assert len(store) == len(found)
    return found


def distance(a, b):
    """The Hamming distance of two codes as bytes."""
    return (int.from_bytes(a) ^ int.from_bytes(b)).bit_count()


@pytest.mark.parametrize("bits", [1, 12, 64, 100])
def test_distances_are_a_plain_popcount(engine, address, some, bits):
    codes, queries = some(150, bits), some(3, bits)
    names = [f"n{i}" for i in range(150)]
    kept = {n: c.tobytes() for n, c in zip(names, codes, strict=True)}
    with open_store(address(engine.name), bits=bits) as store:
        store.add(names, codes)
        for k in (1, 10, 200):
            for query, found in zip(
                queries, store.search(queries, k), strict=True
            ):
                known = {
                    name: distance(code, query.tobytes())
                    for name, code in kept.items()
                }
                assert len({near.name for near in found}) == len(found)
                for near in found:
                    assert type(near.distance) is int
                    assert near.distance == known[near.name]
                assert found == sorted(found, key=lambda n: (n[1], n[0]))
                wanted = sorted(known.values())[:k]
                if engine.is_exact:
                    assert [near.distance for near in found] == wanted
                elif bits >= 64:
                    # A graph of many equal codes finds fewer.
                    hits = sum(near.distance <= wanted[-1] for near in found)
                    assert hits >= 0.9 * len(wanted)


def test_equals_a_dictionary_whatever_is_done(engine, address, some):
    rng = np.random.default_rng(1)
    place, kept = address(engine.name), {}
    store = open_store(place, bits=20, encoder="digest")
    for step in range(24):
        names = [f"n{n}" for n in rng.choice(40, 8, replace=False)]
        if step % 3 < 2:
            codes = some(8, 20)
            store.add(names, codes)
            kept.update(
                (n, c.tobytes()) for n, c in zip(names, codes, strict=True)
            )
        else:
            store.remove(names)
            kept = {n: c for n, c in kept.items() if n not in names}
        if step % 8 == 7:
            store.close()
            store = open_store(place)
            assert (store.bits, store.encoder) == (20, "digest")
        assert len(store) == len(kept)
        if step % 4 == 0:
            assert there(store) == kept
            query = some(1, 20)
            (found,) = store.search(query, k=50)
            names = {near.name for near in found}
            assert names <= kept.keys()
            assert names == kept.keys() or not engine.is_exact
    assert there(store) == kept
    store.remove(list(kept))
    assert there(store) == {} and store.search(some(2, 20), k=3) == [[], []]
    store.add(["again"], some(1, 20))
    assert len(store) == 1
    store.close()


def test_names_of_any_text(engine, address, some):
    names = [
        "a b",
        "ä/ö.jpg",
        "7",
        "'; DROP TABLE codes; --",
        '"',
        "\\N",
        "a\tb",
    ]
    names += ["line\nbreak", "{}", "%s", "x" * 4000, "図", "\U0001f408"]
    codes = some(len(names), 64)
    place = address(engine.name)
    with open_store(place, bits=64) as store:
        store.add(names, codes)
        for name, code in zip(names, codes, strict=True):
            assert store.search(code[None], k=1) == [[Near(name, 0)]]
    with open_store(place) as store:
        assert there(store).keys() == set(names)
        store.remove(names[:6])
        assert there(store).keys() == set(names[6:])


def test_is_read_back_some_at_a_time(engine, address, some, monkeypatch):
    with open_store(address(engine.name), bits=16) as store:
        store.add([f"n{i}" for i in range(50)], some(50, 16))
        monkeypatch.setattr(type(store), "BATCH", 20)
        assert [len(names) for names, _ in store.batches()] == [20, 20, 10]


def test_what_another_adds_is_seen(engine, address, some):
    place, codes = address(engine.name), some(3, 16)
    if engine.name == "qdrant":
        pytest.skip("its local mode is of one process at a time")
    with open_store(place, bits=16) as one, open_store(place) as other:
        one.add(["a"], codes[:1])
        assert other.search(codes[:1], k=1) == [[Near("a", 0)]]
        other.add(["b"], codes[1:2])
        one.add(["c"], codes[2:])
        assert there(one).keys() == there(other).keys() == {"a", "b", "c"}


def test_refuses_codes_and_names(engine, address, some):
    with open_store(address(engine.name), bits=12) as store:
        for names, codes, told in [
            (["a"], some(1, 16) | 1, "zeros behind bit 12"),
            (["a"], some(1, 24), "2 bytes wide"),
            (["a", "a"], some(2, 12), "given once"),
            (["a", "b"], some(1, 12), "1 codes and 2 names"),
            ([""], some(1, 12), "not empty"),
            (["a\0"], some(1, 12), "without NUL"),
        ]:
            with pytest.raises(
                ValueError, match=f"{told}.*Received|Received.*{told}"
            ):
                store.add(names, codes)
        with pytest.raises(ValueError, match="`k` must be a positive"):
            store.search(some(1, 12), k=0)
        assert len(store) == 0 and there(store) == {}
        store.add([], some(0, 12))
        store.remove(["gone"])
        assert len(store) == 0


def test_refuses_another_place(engine, address):
    place = address(engine.name)
    with pytest.raises(
        FileNotFoundError, match="`bits` to begin one.*Received"
    ):
        open_store(place)
    with open_store(place, bits=12, encoder="one"):
        pass
    with pytest.raises(ValueError, match="of 16 bits. Received: .* of 12 bits"):
        open_store(place, bits=16)
    with pytest.raises(ValueError, match="same encoder.*'two'.*'one'"):
        open_store(place, bits=12, encoder="two")
    with open_store(place, bits=12, encoder="one") as store:
        assert (store.bits, store.encoder) == (12, "one")


def test_an_engine_that_is_not_installed_names_its_extra(
    engine, address, monkeypatch
):
    place = address(engine.name)
    for module in engine.modules:
        monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(
        ImportError, match=re.escape(f"hashnet_tf[{engine.extra}]")
    ):
        open_store(place, bits=8)


def test_each_engine_has_its_extra(engine):
    extras = (ROOT / "setup.py").read_text("utf-8")
    assert re.search(rf'^    "{engine.extra}": \[', extras, re.M)


def test_refuses_files_of_others(engine, tmp_path):
    if engine.place == "FILE":
        (tmp_path / "a").write_text("something else " * 100)
    elif engine.place == "FOLDER":
        (tmp_path / "a").mkdir()
        (tmp_path / "a" / "manifest.json").write_text("{}")
        (tmp_path / "a" / "codes.lance").write_text("no folder")
    else:
        pytest.skip("its place is no path")
    for module in engine.modules:
        pytest.importorskip(module)
    with pytest.raises((ValueError, OSError), match=str(tmp_path / "a")):
        open_store(f"{engine.name}:{tmp_path / 'a'}", bits=8)


def test_a_password_is_not_told():
    pytest.importorskip("psycopg")
    place = "pgvector:postgresql://me:secret@127.0.0.1:1/photos"
    with pytest.raises(OSError, match=r"me:\*\*\*@127") as caught:
        open_store(place, bits=8)
    assert "secret" not in str(caught.value)


def test_refuses_unknown_words():
    for word in ("duckbd:a", "duckdb", "duckdb:", ":a", "a"):
        with pytest.raises(ValueError, match="A store must be duckdb:FILE"):
            open_store(word, bits=8)
