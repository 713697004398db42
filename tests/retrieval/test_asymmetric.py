import numpy as np
import pytest

from hashnet_tf.retrieval import asymmetric_search, pack, search


def slow(z, codes, bits):
    """d(z, h) of each pair, bit by bit."""
    signs = np.where(np.unpackbits(codes, axis=1, count=bits), 1, -1)
    return np.array(
        [
            [
                sum(
                    abs(v)
                    for v, s in zip(row, h, strict=True)
                    if (v >= 0) != (s > 0)
                )
                for h in signs
            ]
            for row in z
        ]
    )


@pytest.mark.parametrize("bits", [1, 8, 12, 64, 70])
@pytest.mark.parametrize("k", [1, 5, 1000])
def test_distances_are_those_of_the_definition(bits, k):
    rng = np.random.default_rng(bits)
    # Of whole numbers many distances are equal, and sums are exact.
    z = rng.integers(-3, 4, (4, bits)).astype("float32")
    codes = pack(rng.normal(size=(300, bits)))
    expected = slow(z, codes, bits)
    distances, indices = asymmetric_search(z, codes, k, threads=2)
    order = np.argsort(expected, axis=1, kind="stable")[:, :k]
    np.testing.assert_array_equal(indices, order)
    np.testing.assert_array_equal(
        distances, np.take_along_axis(expected, order, axis=1)
    )


def test_it_orders_as_the_distance_of_z_and_signs():
    rng = np.random.default_rng(0)
    z, codes = rng.normal(size=(3, 16)), pack(rng.normal(size=(100, 16)))
    signs = 2.0 * np.unpackbits(codes, axis=1) - 1
    far = ((z[:, None] - signs[None]) ** 2).sum(axis=2)
    _, indices = asymmetric_search(z, codes, 100)
    ranked = np.take_along_axis(far, indices, axis=1)
    assert (np.diff(ranked, axis=1) > -1e-4).all()


def test_of_equal_sizes_it_is_the_hamming_distance(monkeypatch):
    rng = np.random.default_rng(0)
    codes = pack(rng.normal(size=(500, 48)))
    z = np.where(np.unpackbits(codes[:3], axis=1), 1.0, -1.0)
    expected, indices = search(codes[:3], codes, 20)
    # In several blocks, as of a large database.
    monkeypatch.setattr("hashnet_tf.retrieval.asymmetric.BLOCK", 64)
    found, places = asymmetric_search(z, codes, 20)
    np.testing.assert_array_equal(found, expected)
    np.testing.assert_array_equal(places, indices)


@pytest.mark.parametrize(
    ("z", "k", "told"),
    [
        (np.zeros(8), 1, "finite numbers"),
        (np.full((1, 8), np.nan), 1, "finite numbers"),
        (np.zeros((1, 9)), 1, "database_codes"),
        (np.zeros((1, 8)), 0, "`k` must be"),
    ],
)
def test_others_are_refused(z, k, told):
    with pytest.raises(ValueError, match=told):
        asymmetric_search(z, np.zeros((4, 1), np.uint8), k)
