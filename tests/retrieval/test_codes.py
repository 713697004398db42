import numpy as np
import pytest

from hashnet_tf.retrieval import pack, unpack
from hashnet_tf.retrieval.codes import check_codes

LENGTHS = [1, 7, 8, 12, 48, 64, 128]


@pytest.mark.parametrize("bits", LENGTHS)
def test_pack_is_packbits_and_unpack_its_inverse(bits):
    values = np.random.default_rng(bits).normal(size=(5, bits))
    values[0, 0] = 0.0
    values[1, 0] = -0.0
    codes = pack(values)
    assert codes.dtype == np.uint8
    assert codes.shape == (5, -(-bits // 8))
    np.testing.assert_array_equal(codes, np.packbits(values >= 0, axis=1))
    signs = unpack(codes, bits)
    assert signs.dtype == np.int8
    np.testing.assert_array_equal(signs, np.where(values >= 0, 1, -1))
    np.testing.assert_array_equal(pack(signs), codes)


def test_first_bit_is_the_most_significant():
    assert pack(np.array([[1.0, -1.0, -1.0]])).tolist() == [[128]]


def test_infinite_values_have_a_sign():
    assert pack(np.array([[-np.inf, np.inf]])).tolist() == [[64]]


def test_no_items():
    assert pack(np.zeros((0, 12))).shape == (0, 2)
    assert unpack(np.zeros((0, 2), "uint8"), 12).shape == (0, 12)


@pytest.mark.parametrize(
    "values, message",
    [
        (np.zeros(3), r"Received: values.shape=\(3,\)"),
        (np.zeros((3, 0)), r"Received: values.shape=\(3, 0\)"),
        (np.ones((2, 3), bool), "Received: values.dtype=bool"),
        (np.ones((2, 3), "uint8"), "Received: values.dtype=uint8"),
        (np.ones((2, 3), complex), "Received: values.dtype=complex128"),
        (np.array([[1.0], [np.nan]]), "NaN in 1 rows, the first of them 1"),
    ],
)
def test_pack_refuses(values, message):
    with pytest.raises(ValueError, match=message):
        pack(values)


@pytest.mark.parametrize(
    "codes, bits, message",
    [
        (np.zeros(3, "uint8"), 8, r"Received: mine.shape=\(3,\)"),
        (np.zeros((3, 0), "uint8"), 8, r"mine.shape=\(3, 0\)"),
        (np.zeros((3, 1), "int8"), 8, "mine.dtype=int8"),
        (np.zeros((3, 1), "uint8"), 0, "Received: bits=0"),
        (np.zeros((3, 1), "uint8"), 8.0, "Received: bits=8.0"),
        (np.zeros((3, 1), "uint8"), 9, "must be 2 bytes wide"),
        (np.zeros((3, 2), "uint8"), 8, "must be 1 bytes wide"),
        (np.full((3, 1), 1, "uint8"), 7, "zeros behind bit 7"),
    ],
)
def test_check_codes_refuses(codes, bits, message):
    with pytest.raises(ValueError, match=message):
        check_codes(codes, bits, "mine")


def test_check_codes_leaves_a_memory_map_on_disk(tmp_path):
    np.save(tmp_path / "codes.npy", np.zeros((4, 2), "uint8"))
    codes = np.load(tmp_path / "codes.npy", mmap_mode="r")
    assert np.shares_memory(check_codes(codes, 16, "codes"), codes)


@pytest.mark.parametrize("dtype", ["float32", "float64", "int8"])
def test_pack_warns_where_nothing_is_below_zero(dtype):
    values = np.random.default_rng(0).random((8, 8)).round().astype(dtype)
    with pytest.warns(UserWarning, match="pack `values - 0.5`"):
        assert pack(values).tolist() == [[255]] * 8
    half = values.astype("float32") - 0.5
    np.testing.assert_array_equal(unpack(pack(half), 8), np.sign(half))
    # Fewer may be so by chance.
    assert pack(values[:7]).tolist() == [[255]] * 7
