import numpy as np
import pytest
from keras import ops

from hashnet_tf.losses._pairs import check_class_weights, pair_weights

SIMILAR = np.array([True, True, False, False, False, True])
COUNTED = np.array([True, True, True, True, True, False])


@pytest.mark.parametrize(
    "class_weights, expected",
    [
        ("batch", [5 / 2, 5 / 2, 5 / 3, 5 / 3, 5 / 3, 0]),
        ((7.0, 0.5), [7, 7, 0.5, 0.5, 0.5, 0]),
        ((0.0, 1.0), [0, 0, 1, 1, 1, 0]),
        (None, [1, 1, 1, 1, 1, 0]),
    ],
)
def test_by_hand(class_weights, expected):
    weights = pair_weights(
        ops.convert_to_tensor(SIMILAR),
        ops.convert_to_tensor(COUNTED),
        class_weights,
    )
    assert weights.dtype == "float32"
    np.testing.assert_allclose(weights, expected, rtol=1e-6)


@pytest.mark.parametrize(
    "similar, counted, expected",
    [
        ([True, True], [True, True], [1, 1]),
        ([False, False], [True, True], [1, 1]),
        ([True, False], [False, False], [0, 0]),
        ([True, False], [False, True], [0, 1]),
    ],
)
def test_a_kind_of_pair_that_is_missing(similar, counted, expected):
    weights = pair_weights(
        ops.convert_to_tensor(similar), ops.convert_to_tensor(counted), "batch"
    )
    assert ops.convert_to_numpy(weights).tolist() == expected


@pytest.mark.parametrize(
    "given", [(3, 0.5), [3, 0.5], np.array([3.0, 0.5]), (np.int64(3), "0.5")]
)
def test_two_numbers_are_stored_as_a_tuple_of_floats(given):
    stored = check_class_weights(given)
    assert stored == (3.0, 0.5)
    assert {type(weight) for weight in stored} == {float}


def test_words():
    assert check_class_weights("batch") == "batch"
    assert check_class_weights(None) is None


@pytest.mark.parametrize(
    "wrong",
    [
        "dataset",
        "12",
        5.0,
        (),
        (1.0,),
        (1.0, 2.0, 3.0),
        (-1.0, 1.0),
        (1.0, float("nan")),
        (float("inf"), 1.0),
        ("a", "b"),
        True,
    ],
)
def test_refuses(wrong):
    with pytest.raises(ValueError) as error:
        check_class_weights(wrong)
    assert str(error.value).endswith(f"Received: class_weights={wrong!r}")
