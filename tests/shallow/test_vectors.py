import builtins
import pickle

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from hashnet_tf.retrieval import distances, evaluate, evaluate_distances, pack
from hashnet_tf.shallow import (
    FloatRanking,
    PQRanking,
    RaBitQRanking,
    SignRanking,
    VectorRanking,
)

N, D = 300, 18
# Each, and the bytes that it keeps of an item.
RANKINGS = [
    (FloatRanking(), 4 * D),
    (SignRanking(), 3),
    (PQRanking(bits=32), 4),
    (RaBitQRanking(bits=12), 2 + 8),
]
NEED_FAISS = (PQRanking, RaBitQRanking)


@pytest.fixture(params=RANKINGS, ids=lambda pair: type(pair[0]).__name__)
def ranking_and_bytes(request):
    if isinstance(request.param[0], NEED_FAISS):
        pytest.importorskip("faiss")
    return request.param


@pytest.fixture
def ranking(ranking_and_bytes):
    return clone(ranking_and_bytes[0])


def data(dtype=np.float32, seed=0, n=N, d=D):
    rng = np.random.default_rng(seed)
    lengths = np.linspace(1, 3, d)
    return (rng.normal(size=(n, d)) * lengths + 5).astype(dtype)


def unit(x, mean):
    centred = x - mean
    return centred / np.linalg.norm(centred, axis=1, keepdims=True)


def test_cannot_be_half_made():
    with pytest.raises(TypeError, match="abstract"):
        VectorRanking()


def test_keeps_as_many_bytes_as_it_says(ranking_and_bytes):
    ranking, expected = ranking_and_bytes
    x = data()
    ranking = clone(ranking)
    assert ranking.fit(x) is ranking
    kept = ranking.encode(x[:7])
    assert len(kept) == 7 and kept.nbytes == 7 * expected
    assert ranking.bytes_per_item == expected
    found = ranking.distances(x[:5], kept)
    assert found.shape == (5, 7) and found.dtype == np.float32


def test_a_part_at_a_time_and_in_double_precision(ranking):
    x = data()
    kept = ranking.fit(x).encode(x)
    whole = ranking.distances(x[:9], kept)
    parts = [ranking.distances(x[i : i + 3], kept) for i in (0, 3, 6)]
    np.testing.assert_allclose(np.concatenate(parts), whole, atol=1e-5)
    double = ranking.distances(x[:9].astype(np.float64), kept)
    np.testing.assert_allclose(double, whole, atol=1e-5)
    # Nothing stays of one search in the next.
    few = ranking.distances(x[:9], kept[:40])
    np.testing.assert_allclose(few, whole[:, :40], atol=1e-5)


def test_clone_learns_the_same_and_labels_say_nothing(ranking):
    x = data()
    kept = ranking.fit(x, np.arange(N) % 3).encode(x)
    twin = clone(ranking)
    assert twin.get_params() == ranking.get_params()
    with pytest.raises(NotFittedError):
        twin.encode(x)
    with pytest.raises(NotFittedError):
        twin.distances(x, kept)
    np.testing.assert_array_equal(twin.fit(x).encode(x), kept)
    again = pickle.loads(pickle.dumps(ranking))
    np.testing.assert_array_equal(
        again.distances(x[:3], kept), ranking.distances(x[:3], kept)
    )


def test_finds_what_was_asked_for_among_neighbours(ranking):
    # Ten clusters far apart: whatever is kept tells these.
    rng = np.random.default_rng(0)
    labels = np.arange(N) % 10
    x = 9 * rng.normal(size=(10, D))[labels] + rng.normal(size=(N, D))
    kept = ranking.fit(x).encode(x)
    report = evaluate_distances(
        lambda rows: ranking.distances(x[rows], kept), labels, labels
    )
    assert report.map > 0.9


def test_floats_are_the_cosine():
    x = data()
    ranking = FloatRanking().fit(x)
    found = ranking.distances(x[:20], ranking.encode(x))
    mean = x.mean(axis=0, dtype=np.float64)
    cosines = unit(x[:20], mean) @ unit(x, mean).T
    np.testing.assert_allclose(found, 1 - cosines, atol=1e-5)
    # The mean itself has no direction.
    at_mean = ranking.distances(ranking.mean_[None], ranking.encode(x))
    np.testing.assert_allclose(at_mean, 1, atol=1e-5)


def test_signs_are_codes_of_all_dimensions():
    x, labels = data(), np.arange(N) % 4
    ranking = SignRanking().fit(x)
    kept = ranking.encode(x)
    codes = pack(x - x.mean(axis=0))
    np.testing.assert_array_equal(kept, codes)
    found = ranking.distances(x[:20], kept)
    np.testing.assert_array_equal(found, distances(codes[:20], codes))
    wanted = evaluate(codes[:20], codes, labels[:20], labels, D)
    report = evaluate_distances(found, labels[:20], labels)
    assert report.presets == pytest.approx(wanted.presets, rel=1e-12)


def test_an_image_above_the_mean_everywhere_is_no_mistake():
    x = data(d=80)
    ranking = SignRanking().fit(x)
    # Warnings are errors here.
    assert (ranking.encode(np.full((1, 80), 99.0)) == 255).all()


@pytest.mark.parametrize("bits", [8, 32, 72])
def test_pq_is_the_sum_over_the_parts(bits):
    faiss = pytest.importorskip("faiss")
    x = data()
    ranking = PQRanking(bits=bits, seed=3).fit(x)
    kept = ranking.encode(x)
    parts = bits // 8
    width = -(-D // parts)
    pq = ranking.index_.pq
    centroids = faiss.vector_to_array(pq.centroids).reshape(parts, 256, width)
    padded = np.zeros((N, parts * width))
    padded[:, :D] = unit(x, x.mean(axis=0, dtype=np.float64))
    expected = np.zeros((10, N))
    for j in range(parts):
        own = padded[:, j * width : (j + 1) * width]
        gaps = ((own[:, None] - centroids[j]) ** 2).sum(axis=2)
        # The nearest centroid, but for what rounding leaves open.
        nearest = gaps[np.arange(N), kept[:, j]]
        np.testing.assert_allclose(nearest, gaps.min(axis=1), atol=1e-5)
        expected += gaps[:10, kept[:, j]]
    found = ranking.distances(x[:10], kept)
    np.testing.assert_allclose(found, expected, atol=1e-4)


def test_rabitq_is_its_estimate():
    pytest.importorskip("faiss")
    x = data()
    ranking = RaBitQRanking(bits=12, seed=1).fit(x)
    np.testing.assert_allclose(
        ranking.projection_.T @ ranking.projection_, np.eye(12), atol=1e-5
    )
    v = (x - x.mean(axis=0, dtype=np.float64)) @ ranking.projection_
    # The first components hold as much of the variance as PCA's.
    spread = np.linalg.eigvalsh(np.cov(x.T))[-12:]
    assert np.var(v, axis=0, ddof=1).sum() == pytest.approx(spread.sum())
    v /= np.linalg.norm(v, axis=1, keepdims=True)
    v = v - v.mean(axis=0)
    lengths = np.linalg.norm(v, axis=1)
    signs = np.where(v >= 0, 1, -1)
    fit = np.sum(signs * v, axis=1) / lengths
    cross = lengths * (v[:10] @ signs.T) / fit
    expected = lengths[:10, None] ** 2 + lengths**2 - 2 * cross
    found = ranking.distances(x[:10], ranking.encode(x))
    np.testing.assert_allclose(found, np.maximum(expected, 0), atol=1e-4)


def test_seeds_decide():
    pytest.importorskip("faiss")
    x = data()
    for kind in NEED_FAISS:
        first, second = (
            kind(bits=8, seed=seed).fit(x).encode(x) for seed in (0, 1)
        )
        assert (first != second).any()


@pytest.mark.parametrize("kind", NEED_FAISS)
def test_without_faiss_the_extra_is_named(kind, monkeypatch):
    imported = builtins.__import__

    def without(name, *arguments, **options):
        if name == "faiss":
            raise ImportError(name)
        return imported(name, *arguments, **options)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ImportError, match=r"hashnet_tf\[faiss\]"):
        kind(bits=8).fit(data())


@pytest.mark.parametrize(
    "bits, n, message",
    [
        (12, N, "multiple of 8.* 18 dimensions .* Received: bits=12"),
        (0, N, "Received: bits=0"),
        (8.0, N, "Received: bits=8.0"),
        (8 * D + 8, N, "Received: bits=152"),
        (8, 255, r"at least 256.* features.shape=\(255, 18\)"),
    ],
)
def test_pq_refuses(bits, n, message):
    pytest.importorskip("faiss")
    with pytest.raises(ValueError, match=message):
        PQRanking(bits=bits).fit(data(n=n))


@pytest.mark.parametrize(
    "bits, n, message",
    [
        (D + 1, N, r"bits=19, features.shape=\(300, 18\)"),
        (12, 11, r"bits=12, features.shape=\(11, 18\)"),
        (None, N, "Received: bits=None"),
    ],
)
def test_rabitq_refuses(bits, n, message):
    pytest.importorskip("faiss")
    with pytest.raises(ValueError, match=message):
        RaBitQRanking(bits=bits).fit(data(n=n))


def test_refuses_what_is_no_features_and_nothing_kept(ranking):
    x = data()
    with pytest.raises(ValueError, match=r"features.shape=\(18,\)"):
        ranking.fit(x[0])
    kept = ranking.fit(x).encode(x)
    with pytest.raises(ValueError, match="the 18 dimensions that were fitted"):
        ranking.distances(x[:, 1:], kept)
    for wrong in (kept[:, 1:], kept.astype(np.int64), kept[0]):
        with pytest.raises(ValueError, match="`database` must be what"):
            ranking.distances(x, wrong)
