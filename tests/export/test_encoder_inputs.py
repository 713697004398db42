import numpy as np
import pytest

from hashnet_tf._network_inputs import InputField, NetworkInputs
from hashnet_tf.export.encoder_inputs import (
    ArrayInputs,
    ImageInputs,
    first_of,
    inputs_told,
)

WORDS = InputField("words", (None, None), "int64")
BANDS = InputField("bands", (None, None, 5, 2), "bfloat16")
NAMES = InputField("names", (None, 2), "string")


def arrays(form, *fields):
    return ArrayInputs(NetworkInputs(fields, form))


@pytest.mark.parametrize(
    "inputs",
    [
        ImageInputs((16, 20), "modern"),
        arrays("array", WORDS),
        arrays("list", WORDS, BANDS),
        arrays("dict", NAMES),
    ],
)
def test_what_is_told_is_read_back(inputs):
    read = inputs_told(inputs.told())
    assert type(read) is type(inputs)
    assert (read.fields, read.form) == (inputs.fields, inputs.form)
    assert read.told() == inputs.told()


def test_dtypes_of_a_signature():
    inputs = arrays("list", WORDS, BANDS, NAMES)
    assert [field.dtype for field in inputs.fields] == [
        "int32",
        "float32",
        "string",
    ]
    odd = InputField("odd", (None, 2), "complex64")
    with pytest.raises(ValueError, match="Received: dtype='complex64'"):
        arrays("array", odd)


@pytest.mark.parametrize("name", ["", "a b", "a/b", "1a", "_a", "\u00e4"])
def test_names_of_a_signature(name):
    with pytest.raises(ValueError, match="letters, digits and _"):
        arrays("array", InputField(name, (None, 2), "float32"))


def test_made_up_inputs():
    inputs = arrays("dict", WORDS, BANDS, NAMES)
    some, same = inputs.some(), inputs.some()
    assert {name: x.shape for name, x in some.items()} == {
        "words": (8, 8),
        "bands": (8, 32, 5, 2),
        "names": (8, 2),
    }
    for name, x in some.items():
        np.testing.assert_array_equal(x, same[name])
    assert set(some["words"].flat) == {0, 1}
    assert some["bands"].min() > 0
    # What is made up is taken.
    (batch,) = inputs.batches(inputs.packed(some), 8)
    for name, x in batch.items():
        np.testing.assert_array_equal(x, some[name])


def test_batches_are_in_the_dtypes_of_the_signature():
    inputs = arrays("list", WORDS, BANDS)
    words = np.arange(10).reshape(5, 2)
    bands = np.arange(100.0).reshape(5, 2, 5, 2)
    found = list(inputs.batches([words, bands], 3))
    assert [len(batch["words"]) for batch in found] == [3, 2]
    assert found[0]["words"].dtype == np.int32
    assert found[0]["bands"].dtype == np.float32
    kept_words, kept_bands = inputs.kept((words, bands))
    np.testing.assert_array_equal(kept_words, words)
    np.testing.assert_array_equal(kept_bands, bands)


def test_the_first_of_samples():
    inputs = arrays("array", WORDS)
    assert first_of(inputs, None) is None
    words = np.arange(40).reshape(20, 2)
    for given in (words, [words[:8], words[8:]]):
        found = first_of(inputs, given)
        assert found is not None
        np.testing.assert_array_equal(found["words"], words[:8])
    with pytest.raises(ValueError, match="`samples` must be at least one"):
        first_of(inputs, [])
