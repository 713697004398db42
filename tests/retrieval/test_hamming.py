import numpy as np
import pytest

from hashnet_tf.retrieval import distances, pack


@pytest.mark.parametrize("bits", [1, 7, 8, 12, 48, 63, 64, 65, 128, 200])
def test_against_the_inner_product(bits):
    rng = np.random.default_rng(bits)
    queries = rng.choice([-1, 1], size=(6, bits))
    items = rng.choice([-1, 1], size=(17, bits))
    found = distances(pack(queries), pack(items))
    assert found.dtype == np.uint16
    np.testing.assert_array_equal(found, (bits - queries @ items.T) // 2)


def test_long_codes_count_beyond_a_byte():
    found = distances(np.zeros((1, 100), "uint8"), np.full((1, 100), 255, "u1"))
    assert found.tolist() == [[800]]


def test_more_items_than_a_strip_holds():
    rng = np.random.default_rng(0)
    items = rng.integers(0, 256, size=(70000, 1), dtype=np.uint8)
    queries = items[:3]
    naive = np.bitwise_count(queries[:, None, 0] ^ items[None, :, 0])
    np.testing.assert_array_equal(distances(queries, items), naive)


def test_nothing_to_compare():
    none = np.zeros((0, 2), "uint8")
    assert distances(none, none).shape == (0, 0)
    assert distances(np.zeros((3, 2), "uint8"), none).shape == (3, 0)


def test_refuses():
    with pytest.raises(ValueError, match="of one width"):
        distances(np.zeros((1, 2), "uint8"), np.zeros((1, 3), "uint8"))
    with pytest.raises(ValueError, match="below 8192 bytes"):
        distances(*[np.zeros((1, 8192), "uint8")] * 2)
    with pytest.raises(ValueError, match="query_codes.dtype=int64"):
        distances(np.zeros((1, 2), "int64"), np.zeros((1, 2), "uint8"))
    with pytest.raises(ValueError, match="database_codes.dtype=float64"):
        distances(np.zeros((1, 2), "uint8"), np.zeros((1, 2)))
