import re

import numpy as np
import pytest

from hashnet_tf.losses._checks import check_signs


@pytest.mark.parametrize("dtype", ["int8", "int64", "float32"])
def test_signs(dtype):
    codes = np.array([[1, -1], [-1, -1]], dtype)
    found = check_signs(codes, "codes")
    np.testing.assert_array_equal(found, codes)
    assert found.dtype == np.int8


@pytest.mark.parametrize(
    "codes, received",
    [
        ([1, -1], "codes.shape=(2,)"),
        (np.zeros((0, 4)), "codes.shape=(0, 4)"),
        ([[1, 0], [0, 1]], "0 among 2 others"),
        ([[1.0, 0.5]], "0.5 among 1 others"),
        ([[1.0, float("nan")]], "nan among 1 others"),
    ],
)
def test_refuses(codes, received):
    with pytest.raises(ValueError, match=re.escape(f"Received: {received}")):
        check_signs(codes, "codes")
