"""What an index finds, ranked by the asymmetric distance from z."""

import keras
import numpy as np
import pytest

import hashnet_tf as hn
from hashnet_tf.index import Index
from hashnet_tf.retrieval import pack

N, WIDTH, BITS = 200, 10, 16
RNG = np.random.default_rng(0)
ROWS = (2 + RNG.normal(size=(N, WIDTH))).astype("float32")
NAMES = [f"word {i}" for i in range(N)]


def slow(z, codes, k, rerank):
    """Names with both distances, by sorting and bit by bit."""
    bits = np.unpackbits(codes, axis=1, count=len(z))
    found = []
    for place, row in enumerate(bits):
        differ = [abs(v) for v, b in zip(z, row, strict=True) if (v >= 0) != b]
        found.append((len(differ), place, float(sum(differ))))
    found.sort()
    first = sorted(found[:rerank], key=lambda x: (x[2], x[0], x[1]))
    rest = [(*x[:2], None) for x in found[rerank:]]
    return [(NAMES[p], d, apart) for d, p, apart in [*first, *rest][:k]]


def told(hits):
    return [(hit.name, hit.distance, hit.asymmetric) for hit in hits]


@pytest.mark.parametrize("bits", [7, 16])
@pytest.mark.parametrize(("k", "rerank"), [(5, 50), (30, 12), (9, 0), (500, 7)])
def test_z_ranks_the_first_by_the_definition(tmp_path, bits, k, rerank):
    rng = np.random.default_rng(bits)
    codes = pack(rng.normal(size=(N, bits)))
    # Of quarters sums are exact, and many distances equal.
    z = rng.integers(-9, 10, bits) / 4
    with Index.open(tmp_path / "a.index", bits=bits) as index:
        index.add(NAMES, codes)
        assert told(index.search_z(z, k, rerank)) == slow(z, codes, k, rerank)
        without = index.search_z(z, k, rerank=0)
    assert {hit.asymmetric for hit in without} == {None}
    assert {hit.similarity for hit in without} == {None}


def test_nothing_is_found_in_an_index_of_nothing(tmp_path):
    with Index.open(tmp_path / "a.index", bits=8) as index:
        assert index.search_z(np.ones(8)) == []


@pytest.fixture(scope="module")
def encoder():
    return hn.export.vector_encoder(WIDTH, BITS)


@pytest.mark.parametrize("keep", [True, False])
def test_the_encoder_gives_z(tmp_path, encoder, keep):
    with Index.open(
        tmp_path / "a.index", encoder=encoder, fit=True, keep_features=keep
    ) as index:
        index.add_vectors(NAMES, ROWS)
        # Of the hash layer that was learned.
        outputs = index.encoder.run(ROWS)
        z, codes = outputs["z"], outputs["codes"]
        np.testing.assert_array_equal(codes, pack(z))
        kept = [np.frombuffer(index.item(n).code, np.uint8) for n in NAMES]
        np.testing.assert_array_equal(codes, kept)
        for query in (0, 41):
            hits = index.search(ROWS[query], 8, 40, by="z")
            expected = slow(z[query], codes, 8, 40)
            assert [h[:2] for h in told(hits)] == [e[:2] for e in expected]
            np.testing.assert_allclose(
                [h.asymmetric for h in hits], [e[2] for e in expected], 1e-5
            )
            assert index.search_z(z[query], 8, 40) == hits
            features = index.search(ROWS[query], 8, 40)
            assert all((h.similarity is not None) == keep for h in features)
            assert {h.asymmetric for h in features} == {None}


@pytest.mark.parametrize(
    ("z", "words"),
    [
        (np.zeros(BITS, "uint8"), "finite floats"),
        (np.zeros((1, BITS)), "finite floats"),
        (np.zeros(BITS - 1), "finite floats"),
        (np.full(BITS, np.nan), "finite floats"),
    ],
)
def test_what_is_no_z_is_refused(tmp_path, z, words):
    with Index.open(tmp_path / "a.index", bits=BITS) as index:
        with pytest.raises(ValueError, match=f"{words}.*Received"):
            index.search_z(z)
        with pytest.raises(ValueError, match="`k` must be"):
            index.search_z(np.ones(BITS), k=0)
        with pytest.raises(ValueError, match="`rerank` must be"):
            index.search_z(np.ones(BITS), rerank=-1)


def test_what_gives_no_z_is_told(tmp_path, encoder):
    code = np.zeros(2, "uint8")
    with Index.open(tmp_path / "a.index", bits=BITS) as index:
        with pytest.raises(ValueError, match="`by` must be one of features, z"):
            index.search(code, by="y")
        with pytest.raises(ValueError, match="by `search_z`. Received: a code"):
            index.search(code, by="z")
        with pytest.raises(ValueError, match="needs its encoder"):
            index.search(ROWS[0], by="z")
    inputs = keras.Input((WIDTH,))
    model = hn.HashNet(keras.Model(inputs, keras.layers.ReLU()(inputs)), BITS)
    path = hn.export.to_litert(model, tmp_path / "a.tflite")
    without = hn.export.LiteRTEncoder(path)
    assert encoder.has_z and not without.has_z
    with Index.open(tmp_path / "b.index", encoder=without) as index:
        index.add_vectors(NAMES, ROWS)
        with pytest.raises(ValueError, match="with z=True; .* `search_z`"):
            index.search(ROWS[0], by="z")
        z = model.logits(ROWS[:1]).numpy()[0]
        codes = without.encode(ROWS)
        assert [h[:2] for h in told(index.search_z(z, 6, 30))] == [
            e[:2] for e in slow(z, codes, 6, 30)
        ]
