import numpy as np
import pytest

from hashnet_tf.export.serving.client import request_batches

MIB = 2**20


@pytest.mark.parametrize(
    "sizes, expected",
    [
        ([], []),
        ([0] * 65, [32, 32, 1]),
        ([MIB] * 3, [3]),
        ([MIB] * 3 + [1], [3, 1]),
        ([9 * MIB, 1, 9 * MIB], [1, 1, 1]),
        ([1, 9 * MIB, 1, 1], [1, 1, 2]),
    ],
)
def test_batches_are_small_and_lose_nothing(sizes, expected):
    images = [bytes(size) for size in sizes]
    batches = list(request_batches(iter(images)))
    assert [len(batch) for batch in batches] == expected
    assert sum(batches, []) == images


def test_takes_arrays_of_any_layout():
    images = np.zeros((5, MIB // 3, 1, 6), np.uint8)[..., ::2]
    assert [len(batch) for batch in request_batches(images)] == [3, 2]
