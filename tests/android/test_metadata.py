"""What a LiteRT file says of itself, read in plain Java."""

import json

import numpy as np
import pytest

from hashnet_tf.export._litert_file import read_metadata, with_metadata
from hashnet_tf.export._metadata import DIGEST, NAME


def read(hamming, folder, content, name=NAME):
    """Returns the text of an entry, None of none, or the exception's name."""
    file, out = folder / "file", folder / "out"
    file.write_bytes(content)
    out.unlink(missing_ok=True)
    answer = hamming.answer("metadata", file, name, out)
    if answer != "done":
        return answer
    return out.read_text("utf-8") if out.exists() else None


def test_reads_what_python_wrote(hamming, litert_files, tmp_path):
    for path in litert_files.values():
        content = path.read_bytes()
        told = json.loads(read(hamming, tmp_path, content))
        assert len(told.pop(DIGEST)) == 64
        assert told == read_metadata(content)
        assert read(hamming, tmp_path, content, "hashnet") is None


def test_a_second_entry_is_none(hamming, litert_files, tmp_path):
    content = litert_files["12"].read_bytes()
    both = with_metadata(content, {"bits": 7})
    # Of two the first counts, as in Python.
    assert json.loads(read(hamming, tmp_path, both))["bits"] == 12


@pytest.mark.parametrize("content", [b"", b"TFL3", b"\0\0\0\0TFLx" * 9])
def test_refuses_another_file(content, hamming, tmp_path):
    answer = read(hamming, tmp_path, content)
    assert answer.startswith("IllegalArgumentException: A LiteRT file must")
    assert "Received: " in answer


def test_refuses_a_damaged_file(hamming, litert_files, tmp_path):
    content = litert_files["12"].read_bytes()
    rng = np.random.default_rng(0)
    words = np.frombuffer(content[: len(content) // 4 * 4], "<u4")
    # Offsets, counts and fields, where damage tells; most others are weights.
    places = np.flatnonzero((words > 0) & (words < len(content)))
    refused = 0
    for _ in range(300):
        damaged = bytearray(content)
        for place in rng.choice(places, 20):
            damaged[4 * place : 4 * place + 4] = rng.bytes(4)
        if rng.integers(3) == 0:
            del damaged[rng.integers(8, len(damaged)) :]
        answer = read(hamming, tmp_path, bytes(damaged))
        if answer and answer.startswith("IllegalArgumentException: A LiteRT"):
            refused += 1
        else:
            assert answer is None or not answer.partition(":")[0].endswith(
                ("Exception", "Error")
            )
    assert refused > 30
