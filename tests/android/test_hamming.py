import json

import numpy as np
import pytest

import hashnet_tf as hn

BITS = [1, 7, 12, 48, 64, 100, 128, 256]


def random_codes(rng, n, bits):
    return hn.retrieval.pack(rng.normal(size=(n, bits)))


def write_code_set(folder, codes, bits):
    """Writes codes as a code set, and reads them as Python does."""
    folder.mkdir(exist_ok=True)
    np.save(folder / "codes.npy", codes)
    ids = [str(row) for row in range(len(codes))]
    (folder / "ids.json").write_text(json.dumps(ids))
    manifest = {"bits": bits, "bit_order": "big", "model_digest": "m"}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    assert hn.runs.CodeSet.load(folder).bits == bits
    return folder / "codes.npy"


@pytest.mark.parametrize("bits", BITS)
@pytest.mark.parametrize("n", [0, 1, 300])
def test_unpacks_as_python(bits, n, hamming, tmp_path):
    codes = random_codes(np.random.default_rng(bits), n, bits)
    path = write_code_set(tmp_path, codes, bits)
    np.testing.assert_array_equal(
        hamming.unpack(path, bits), hn.retrieval.unpack(codes, bits)
    )


@pytest.mark.parametrize("bits", BITS)
@pytest.mark.parametrize("k", [1, 10, 299, 300, 301])
def test_finds_what_python_finds(bits, k, hamming, tmp_path):
    rng = np.random.default_rng(bits)
    items = random_codes(rng, 300, bits)
    # Codes that are there, some of them twice, and codes that are not.
    items[200:220] = items[:20]
    queries = np.concatenate([items[:10], random_codes(rng, 10, bits)])
    path = write_code_set(tmp_path, items, bits)
    distances, rows = hamming.search(path, queries, bits, k)
    expected, indices = hn.retrieval.search(queries, items, k)
    np.testing.assert_array_equal(distances, expected)
    np.testing.assert_array_equal(rows, indices)


def test_ties_go_by_row(hamming, tmp_path):
    items = np.array([[0b0011], [0], [0b1100], [0b0001]], np.uint8)
    path = write_code_set(tmp_path, items, 8)
    query = np.array([[0b1010]], np.uint8)
    distances, rows = hamming.search(path, query, 8, 3)
    assert distances.tolist() == [[2, 2, 2]]
    assert rows.tolist() == [[0, 1, 2]]


def test_random_sizes(hamming, tmp_path):
    rng = np.random.default_rng(0)
    for trial in range(100):
        bits, n = rng.integers(1, 300), rng.integers(1, 60)
        # Few different codes, so that most are at the same distance.
        kinds = random_codes(rng, rng.integers(1, 6), bits)
        items = kinds[rng.integers(0, len(kinds), n)]
        queries = np.concatenate([kinds, random_codes(rng, 2, bits)])
        k = rng.integers(1, n + 3)
        path = write_code_set(tmp_path, items, int(bits))
        expected, indices = hn.retrieval.search(queries, items, k)
        distances, rows = hamming.search(path, queries, bits, k)
        told = f"trial={trial} bits={bits} n={n} k={k}"
        np.testing.assert_array_equal(distances, expected, told)
        np.testing.assert_array_equal(rows, indices, told)
        np.testing.assert_array_equal(
            hamming.unpack(path, bits), hn.retrieval.unpack(items, bits), told
        )


@pytest.mark.parametrize("n", [8191, 8192, 8193, 2 * 8192, 20_000])
def test_codes_in_several_blocks(n, hamming, tmp_path):
    items = random_codes(np.random.default_rng(0), n, 100)
    path = write_code_set(tmp_path, items, 100)
    np.testing.assert_array_equal(
        hamming.unpack(path, 100), hn.retrieval.unpack(items, 100)
    )
    distances, rows = hamming.search(path, items[-3:], 100, 50)
    expected, indices = hn.retrieval.search(items[-3:], items, 50)
    np.testing.assert_array_equal(distances, expected)
    np.testing.assert_array_equal(rows, indices)


def test_an_empty_code_set(hamming, tmp_path):
    path = write_code_set(tmp_path, np.zeros((0, 2), np.uint8), 12)
    (asked := tmp_path / "asked").write_text("0ff0\n")
    out = tmp_path / "found"
    assert hamming.answer("search", path, asked, 12, 5, out) == "done"
    assert out.read_bytes() == b""


def test_reads_a_code_set_that_was_encoded(hamming, code_set_folder):
    code_set = hn.runs.CodeSet.load(code_set_folder)
    path = code_set_folder / "codes.npy"
    distances, rows = hamming.search(path, code_set.codes[:5], 12, 20)
    expected, indices = hn.retrieval.search(
        code_set.codes[:5], code_set.codes, 20
    )
    np.testing.assert_array_equal(distances, expected)
    np.testing.assert_array_equal(rows, indices)


@pytest.mark.parametrize(
    "k, query, message",
    [
        (0, "0ff0", "`k` must be positive. Received: k=0"),
        (-1, "0ff0", "`k` must be positive. Received: k=-1"),
        (1, "0f", "2 bytes wide. Received: code.length=1"),
        (1, "0ff000", "2 bytes wide. Received: code.length=3"),
        (1, "0ff8", "zeros behind its last bit. Received: last byte=248"),
    ],
)
def test_refuses_a_bad_question(k, query, message, hamming, tmp_path):
    path = write_code_set(tmp_path, np.zeros((3, 2), np.uint8), 12)
    (asked := tmp_path / "asked").write_text(f"{query}\n")
    out = tmp_path / "found"
    answer = hamming.answer("search", path, asked, 12, k, out)
    assert answer.startswith("IllegalArgumentException: ")
    assert answer.endswith(message)
    assert not out.exists()
