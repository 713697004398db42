"""Files that are no codes, or damaged, to the reader in plain Java."""

import numpy as np
import pytest

CODES = np.arange(12, dtype=np.uint8).reshape(6, 2) * 16


def saved(array, version=(1, 0)):
    def write(path):
        with path.open("wb") as file:
            np.lib.format.write_array(file, array, version=version)

    return write


def cut(count):
    def write(path):
        np.save(path, CODES)
        path.write_bytes(path.read_bytes()[:-count])

    return write


def begun(count):
    def write(path):
        np.save(path, CODES)
        path.write_bytes(path.read_bytes()[:count])

    return write


def longer(path):
    np.save(path, CODES)
    with path.open("ab") as file:
        file.write(b"\0")


def promising(rows):
    def write(path):
        np.save(path, CODES)
        shape = b"(%d, 2), }" % rows
        # The header keeps its length.
        old = b"(6, 2), }".ljust(len(shape))
        path.write_bytes(path.read_bytes().replace(old, shape))

    return write


ONES = CODES.copy()
ONES[4, 1] |= 1


@pytest.mark.parametrize(
    "write, message",
    [
        (cut(1), "ends within the 6 codes from row 0"),
        (cut(12), "ends within the 6 codes from row 0"),
        (begun(0), "ends within it"),
        (begun(9), "ends within it"),
        (begun(60), "ends within it"),
        (longer, "Received: further bytes"),
        (promising(7), "ends within the 7 codes from row 0"),
        # More than memory holds, and more than an int.
        (promising(2**31 - 1), "ends within the 8192 codes from row 0"),
        (promising(2**31), "Received: rows=2147483648"),
        (lambda path: path.write_bytes(b"P" * 200), "bytes 5050505050505050"),
        (saved(CODES, (2, 0)), "Received: first bytes 934e554d50590200"),
        (saved(np.asfortranarray(CODES)), "'fortran_order': True"),
        (saved(CODES.astype(np.int8)), "Received: {'descr': '|i1'"),
        (saved(CODES.astype(np.uint16)), "Received: {'descr': '<u2'"),
        (saved(CODES.astype(bool)), "Received: {'descr': '|b1'"),
        (saved(CODES[0]), "'shape': (2,)"),
        (saved(CODES[None]), "'shape': (1, 6, 2)"),
        (saved(CODES[:, :1]), "2 bytes wide. Received: width=1"),
        (saved(np.zeros((6, 3), np.uint8)), "Received: width=3"),
        (saved(ONES), "last bit. Received: ones in row 4"),
    ],
)
def test_refuses_a_bad_file(write, message, hamming, tmp_path):
    path = tmp_path / "codes.npy"
    write(path)
    answer = hamming.answer("unpack", path, 12, tmp_path / "signs")
    assert answer.startswith("IOException: ")
    assert message in answer
    assert "Received: " in answer
    assert not (tmp_path / "signs").exists()


@pytest.mark.parametrize("bits", [0, -8])
def test_refuses_bits_below_one(bits, hamming, tmp_path):
    np.save(tmp_path / "codes.npy", CODES)
    answer = hamming.answer("unpack", tmp_path / "codes.npy", bits, "signs")
    assert answer == (
        "IllegalArgumentException: `bits` must be positive."
        f" Received: bits={bits}"
    )


def test_the_good_file_is_read(hamming, tmp_path):
    np.save(tmp_path / "codes.npy", CODES)
    signs = hamming.unpack(tmp_path / "codes.npy", 12)
    expected = np.unpackbits(CODES, axis=1, count=12).astype(np.int8) * 2 - 1
    np.testing.assert_array_equal(signs, expected)
