import numpy as np
import pytest

from hashnet_tf.runs import CodeSet, index_code_sets


def code_set(codes, names, digest="m"):
    manifest = {"bits": 12, "model_digest": digest}
    return CodeSet(np.uint8(codes), names, None, manifest)


FIRST = code_set([[0, 0], [255, 240]], ["a", "b"])
SECOND = code_set([[255, 0]], ["c"])


def test_finds_in_all_sets():
    index, names = index_code_sets([FIRST, SECOND])
    assert names == ["a", "b", "c"]
    distances, ids = index.search(np.uint8([[255, 16]]), k=3)
    assert [names[i] for i in ids[0]] == ["c", "b", "a"]
    assert distances.tolist() == [[1, 3, 9]]


def test_two_encoders_are_refused_by_name():
    other = code_set([[255, 0]], ["c"], "n")
    with pytest.raises(ValueError, match="model_digest=n beside m$"):
        index_code_sets([FIRST, other])


def test_none_is_refused():
    with pytest.raises(ValueError, match=r"Received: code_sets=\[\]"):
        index_code_sets([])
