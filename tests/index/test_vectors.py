"""An index of vectors."""

import numpy as np
import pytest
from PIL import Image

import hashnet_tf as hn
from hashnet_tf.index import Index

N, WIDTH = 400, 12
RNG = np.random.default_rng(0)
TOPICS = RNG.integers(0, 4, N)
# An offset in common, which an angle would see and little else.
ROWS = (
    3 + RNG.normal(size=(4, WIDTH))[TOPICS] + 0.3 * RNG.normal(size=(N, WIDTH))
)
ROWS = ROWS.astype("float32")
NAMES = [f"word {i}" for i in range(N)]


@pytest.fixture(scope="module")
def encoder():
    return hn.export.vector_encoder(WIDTH, bits=16)


@pytest.fixture
def index(encoder, tmp_path):
    with Index.open(tmp_path / "a.index", encoder=encoder, fit=True) as index:
        index.add_vectors(NAMES, ROWS, [f"topic {t}" for t in TOPICS])
        yield index


def test_it_is_fitted_to_what_is_added(index):
    assert index.fit is not None and index.fit.pictures == N
    assert index.unit == "vectors"
    assert index.stat()["fit"] == (
        "12 bits are learned from 400 vectors; 4 are random, for want of more"
        " vectors: refit when there are"
    )
    unit = ROWS / np.linalg.norm(ROWS, axis=1, keepdims=True)
    unit = unit.astype("float16").astype("float32")
    unit -= unit.mean(axis=0)
    unit /= np.linalg.norm(unit, axis=1, keepdims=True)
    for query in (0, 17, 230):
        hits = index.search(ROWS[query], k=10, rerank=N)
        expected = np.argsort(-(unit @ unit[query]), kind="stable")[:10]
        assert {hit.name for hit in hits} == {NAMES[i] for i in expected}
        assert hits[0].name == NAMES[query]
        assert hits[0].similarity == pytest.approx(1, abs=1e-3)
    right = [
        hit.label == f"topic {TOPICS[i]}"
        for i in range(0, N, 20)
        for hit in index.search(ROWS[i], k=5)
    ]
    assert np.mean(right) > 0.9


def test_its_codes_are_those_of_its_encoder(index):
    codes = index.encoder.encode(ROWS)
    for place in (0, 5, 399):
        item = index.item(NAMES[place])
        kept = np.frombuffer(item.code, np.uint8)
        assert np.bitwise_count(kept ^ codes[place]).sum() == 0
        assert item.size is None
    assert index.stat()["files"] == 0 and index.stat()["features"] == N


def test_what_is_known_is_not_encoded_again(index):
    again = index.add_vectors(NAMES, ROWS)
    assert (again.added, again.refreshed, again.kept) == (0, 0, N)
    assert index.item(NAMES[3]).label == f"topic {TOPICS[3]}"
    changed = ROWS.copy()
    changed[7] += 1
    some = index.add_vectors([*NAMES, "new"], np.vstack([changed, ROWS[:1]]))
    assert (some.added, some.refreshed, some.kept) == (1, 1, N - 1)
    index.remove(["word 7"])
    # Its features have gone with it, those of a twin have not.
    index.remove(["word 0"])
    assert len(index) == N - 1 and index.stat()["features"] == N - 2 + 1


def test_it_is_the_same_elsewhere(index, tmp_path):
    index.copy(tmp_path / "b.index")
    with Index.open(tmp_path / "b.index") as other:
        assert other.search(ROWS[5], k=7) == index.search(ROWS[5], k=7)
        assert other.refit() == index.fit
        assert other.duplicates() == []


def test_a_code_is_asked_with_too(index):
    code = np.frombuffer(index.item(NAMES[9]).code, np.uint8)
    hits = index.search(code, k=3)
    assert hits[0].distance == 0 and hits[0].similarity is None


@pytest.mark.parametrize(
    ("names", "rows", "told"),
    [
        (NAMES[:2], ROWS[:3], "one for each name"),
        (NAMES[:1], ROWS[0], "one for each name"),
        (NAMES[:2], ROWS[:2, :5], r"\[n, 12\]"),
        (["a", "a"], ROWS[:2], "twice|once|differ"),
    ],
)
def test_others_are_refused(index, names, rows, told):
    with pytest.raises(ValueError, match=told):
        index.add_vectors(names, rows)
    assert len(index) == N


def test_a_killed_call_begins_where_it_was(encoder, tmp_path, monkeypatch):
    monkeypatch.setattr("hashnet_tf.index.vectors.BATCH", 100)
    calls = []
    encode = hn.export.LiteRTEncoder.run

    def killed(self, vectors):
        calls.append(len(vectors))
        if len(calls) == 3:
            raise KeyboardInterrupt
        return encode(self, vectors)

    monkeypatch.setattr(hn.export.LiteRTEncoder, "run", killed)
    path = tmp_path / "a.index"
    with Index.open(path, encoder=encoder, fit=True) as index:
        with pytest.raises(KeyboardInterrupt):
            index.add_vectors(NAMES, ROWS)
    with Index.open(path) as index:
        assert len(index) == 200
        with pytest.raises(ValueError, match="once its hash layer is learned"):
            index.search(ROWS[0])
        changes = index.add_vectors(NAMES, ROWS)
        assert (changes.added, changes.kept) == (200, 200)
        # The query, and what was missing.
        assert calls[3:] == [1, 100, 100] and index.fit is not None


def test_kinds_are_told_apart(index, tmp_path):
    Image.new("RGB", (9, 9)).save(tmp_path / "a.png")
    with pytest.raises(ValueError, match="is asked with one, floats"):
        index.search(tmp_path / "a.png")
    of_images = hn.export.backbone_encoder("pixels", None, 8, 16)
    path = tmp_path / "p.index"
    with Index.open(path, encoder=of_images, fit=True) as pictures:
        with pytest.raises(ValueError, match="index of images takes no vec"):
            pictures.add_vectors(NAMES, ROWS)
