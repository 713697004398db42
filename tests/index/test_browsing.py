import numpy as np
import pytest

import hashnet_tf as hn

CODES = np.array([[0, 0], [0, 1], [0, 3], [255, 255], [0, 1], [0, 7]], np.uint8)
NAMES = ["zero", "one", "two", "all", "one again", "three"]
LABELS = ["a", "b", "a", None, "b", "a"]


@pytest.fixture
def filled(index):
    index.add(NAMES, CODES, LABELS)
    return index


def names(entries):
    return [entry.name for entry in entries]


def test_pages_tell_what_was_added_in_order(filled):
    total, entries = filled.page(0, 100)
    assert (total, names(entries)) == (6, NAMES)
    assert [entry.code for entry in entries] == [c.tobytes() for c in CODES]
    assert [entry.label for entry in entries] == LABELS
    assert filled.page(4, 3) == (6, entries[4:])
    assert filled.page(6, 3) == (6, [])
    total, some = filled.page(1, 1, label="a")
    assert (total, names(some)) == (3, ["two"])
    assert filled.page(0, 9, label="c") == (0, [])


def test_entries_by_id_and_by_name(filled):
    _, entries = filled.page(0, 100)
    ids = [entry.id for entry in entries]
    assert filled.entries(ids[::-1]) == entries[::-1]
    assert filled.entries([max(ids) + 1, ids[2], -1]) == [entries[2]]
    found = filled.entries_of(["three", "gone", "one"])
    assert found == {"three": entries[5], "one": entries[1]}
    assert filled.entries([]) == [] and filled.entries_of([]) == {}


def test_more_than_a_statement_takes(index):
    codes = np.zeros((1_300, 2), np.uint8)
    index.add(list(map(str, range(len(codes)))), codes)
    _, entries = index.page(0, len(codes))
    assert index.entries(e.id for e in entries) == entries
    assert list(index.entries_of(names(entries))) == names(entries)


@pytest.mark.parametrize("radius", range(4))
def test_pages_of_a_code(filled, radius):
    # One is a bit from zero and from two, two from three and from all 14.
    distances = dict(zip(NAMES, (1, 0, 1, 15, 0, 2), strict=True))
    near = [name for name in NAMES if distances[name] <= radius]
    near.sort(key=lambda name: distances[name])
    total, found = filled.page_of_code(CODES[1], radius, 0, 100)
    assert total == len(near)
    assert [(e.name, d) for d, e in found] == [
        (name, distances[name]) for name in near
    ]
    total, some = filled.page_of_code(CODES[1], radius, 1, 2)
    assert (total, some) == (len(near), found[1:3])


def test_an_id_is_not_used_again(filled):
    (old,) = filled.entries_of(["three"]).values()
    filled.remove(["three"])
    filled.add(["three"], CODES[5:])
    (new,) = filled.entries_of(["three"]).values()
    assert new.id > old.id and filled.entries([old.id]) == []


def test_labels(filled):
    assert filled.labels() == {"a": 3, "b": 2}


def test_the_version_is_another_after_a_change(filled):
    before = filled.version()
    assert filled.version() == before
    with hn.Index.open(filled.path) as other:
        other.remove(["two"])
    after = filled.version()
    assert after != before
    filled.remove(["one"])
    assert filled.version() not in (before, after)


def test_the_encoder(filled, tmp_path, reader):
    with pytest.raises(ValueError, match="needs its encoder"):
        _ = filled.encoder
    encoder = reader()
    with hn.Index.open(tmp_path / "b.index", encoder=encoder) as index:
        assert index.encoder is encoder


@pytest.mark.parametrize(
    "code, radius",
    [(np.zeros(3, np.uint8), 0), (np.zeros(2, int), 0), (CODES[0], -1)],
)
def test_refuses(filled, code, radius):
    with pytest.raises(ValueError, match="Received"):
        filled.page_of_code(code, radius, 0, 10)
