import numpy as np
import pytest

from hashnet_tf.datasets import Vectors

RNG = np.random.default_rng(0)
ROWS = RNG.normal(size=(9, 5))
LABELS = np.arange(9) % 3


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "int8"])
def test_rows_come_as_float32_in_order(dtype):
    rows = (10 * ROWS).astype(dtype)
    vectors = Vectors(rows, LABELS)
    np.testing.assert_array_equal(vectors.array(), rows.astype("float32"))
    some = vectors.subset([7, 2, 2])
    assert some.array().dtype == np.float32
    np.testing.assert_array_equal(some.array(), vectors.array()[[7, 2, 2]])
    assert some.names == ["7", "2", "2"]
    assert some.labels.tolist() == LABELS[[7, 2, 2]].tolist()
    again = some.subset([1])
    np.testing.assert_array_equal(again.array(), vectors.array()[[2]])


def test_batches_begin_where_they_are_told():
    vectors = Vectors(ROWS, None).subset([8, 1, 5, 0])
    batches = list(vectors.batches(2, start=1))
    assert [len(batch) for batch in batches] == [2, 1]
    np.testing.assert_array_equal(
        np.concatenate(batches), ROWS[[1, 5, 0]].astype("float32")
    )
    assert list(vectors.batches(2, start=4)) == []


def test_a_memory_map_is_not_read_at_once(tmp_path):
    np.save(tmp_path / "x.npy", ROWS)
    there = np.load(tmp_path / "x.npy", mmap_mode="r")
    vectors = Vectors(there, None).subset(np.arange(4))
    assert vectors._all is there
    np.testing.assert_array_equal(vectors.array(), ROWS[:4].astype("float32"))


def test_a_graph_reads_the_same():
    vectors = Vectors(ROWS, LABELS).subset([3, 1])
    found = [*vectors.encoded().as_numpy_iterator()]
    assert [int(place) for place, _ in found] == [0, 1]
    np.testing.assert_array_equal(
        np.stack([row for _, row in found]), ROWS[[3, 1]].astype("float32")
    )


def test_digests_go_with_what_is_there():
    one, other = Vectors(ROWS, LABELS), Vectors(ROWS.copy(), None)
    assert one.fingerprint() == other.fingerprint()
    assert one.identities() == other.identities()
    changed = ROWS.copy()
    changed[4, 2] += 1
    there = Vectors(changed, LABELS)
    assert there.fingerprint() != one.fingerprint()
    differ = [
        a != b
        for a, b in zip(there.fingerprints(), one.fingerprints(), strict=True)
    ]
    assert differ == [False] * 4 + [True] + [False] * 4
    assert one.subset([1, 0]).fingerprint() != one.subset([0, 1]).fingerprint()


@pytest.mark.parametrize(
    "wrong",
    [ROWS[0], ROWS[None], ROWS[:, :0], ROWS.astype(str), ROWS + 1j],
)
def test_what_is_no_vectors_is_refused(wrong):
    with pytest.raises(ValueError, match=r"numbers \[n, d\]. Received"):
        Vectors(wrong, None)
