import numpy as np
import pytest

from hashnet_tf.retrieval import rerank, to_int8

RNG = np.random.default_rng(0)
VECTORS = RNG.normal(size=(200, 12)).astype("float32") + 2
QUERIES = RNG.normal(size=(5, 12)).astype("float32") + 2
CANDIDATES = np.stack([RNG.permutation(200)[:40] for _ in range(5)])


def cosine(a, b):
    return a @ b / np.sqrt((a @ a) * (b @ b))


@pytest.mark.parametrize("mean", [None, VECTORS.mean(axis=0)])
def test_it_ranks_by_the_cosine(mean, tmp_path):
    np.save(tmp_path / "x.npy", VECTORS)
    there = np.load(tmp_path / "x.npy", mmap_mode="r")
    off = 0 if mean is None else mean
    for vectors in (VECTORS, VECTORS.astype("float64"), there):
        found, places = rerank(QUERIES, vectors, CANDIDATES, 7, mean)
        for query, some, row, told in zip(
            QUERIES, CANDIDATES, places, found, strict=True
        ):
            every = [cosine(query - off, VECTORS[i] - off) for i in some]
            order = np.argsort(-np.array(every), kind="stable")[:7]
            assert row.tolist() == some[order].tolist()
            np.testing.assert_allclose(
                told, np.array(every)[order], rtol=1e-4, atol=1e-5
            )


def test_more_than_there_are_is_all():
    found, places = rerank(QUERIES, VECTORS, CANDIDATES, 99)
    assert found.shape == places.shape == (5, 40)
    np.testing.assert_array_equal(
        np.sort(places, axis=1), np.sort(CANDIDATES, axis=1)
    )


def test_a_vector_of_zeros_is_at_zero():
    vectors = np.array([[0.0, 0.0], [1.0, 0.0], [-1.0, 0.0]])
    found, places = rerank([[1.0, 0.0]], vectors, [[0, 2, 1]], 3)
    assert (found.tolist(), places.tolist()) == ([[1, 0, -1]], [[1, 0, 2]])


def test_a_byte_a_dimension_ranks_nearly_alike():
    mean = VECTORS.mean(axis=0)
    small = to_int8(VECTORS, mean)
    assert small.dtype == np.int8 and small.nbytes == VECTORS.size
    assert (np.abs(small).max(axis=1) == 127).all()
    exact, _ = rerank(QUERIES, VECTORS, CANDIDATES, 10, mean)
    found, _ = rerank(QUERIES - mean, small, CANDIDATES, 10)
    np.testing.assert_allclose(found, exact, atol=0.01)


def test_zeros_stay_zero_in_a_byte():
    assert not to_int8(np.zeros((2, 3))).any()


@pytest.mark.parametrize(
    ("candidates", "told"),
    [
        ([[0, 200]], "from 0 to 200"),
        ([[-1, 0]], "from -1 to 0"),
        ([[0.0, 1.0]], "must fit"),
        ([[0], [1]], "must fit"),
    ],
)
def test_candidates_must_be_rows(candidates, told):
    with pytest.raises(ValueError, match=told):
        rerank(QUERIES[:1], VECTORS, candidates, 1)


def test_other_shapes_are_refused():
    with pytest.raises(ValueError, match="must fit"):
        rerank(QUERIES[:1, :5], VECTORS, [[0]], 1)
    with pytest.raises(ValueError, match="must be a positive"):
        rerank(QUERIES[:1], VECTORS, [[0]], 0)
    with pytest.raises(ValueError, match="finite. Received.*rows 0 to 199"):
        to_int8(np.where(VECTORS > 5, np.nan, VECTORS))
    with pytest.raises(ValueError, match=r"must be \[n, d\]"):
        to_int8(VECTORS[0])
