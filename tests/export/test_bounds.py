import pytest

import hashnet_tf as hn
from hashnet_tf.export import Measurement, ParityReport


def measurement(quantize, moved, map_, path="encoder.tflite"):
    """Of 10,000 bits and a MAP of .7 before."""
    parity = ParityReport(str(path), 10_000, moved, 0.1)
    return Measurement(parity, quantize, 1000, map_, 0.7, 1.0)


@pytest.mark.parametrize(
    "quantize, moved",
    [(None, 0), ("float16", 20), ("dynamic", 300), ("int8", 300)],
)
@pytest.mark.parametrize("map_", [0.6901, 0.7, 0.7099])
def test_within(quantize, moved, map_):
    assert hn.export.broken_bounds(measurement(quantize, moved, map_)) == []


@pytest.mark.parametrize(
    "quantize, moved, sentence",
    [
        ("float16", 21, "0.21% of the bits moved, where float16 may move 0.2%"),
        ("dynamic", 301, "3.01% of the bits moved, where dynamic may move 3%"),
        ("int8", 9000, "90.00% of the bits moved, where int8 may move 3%"),
    ],
)
def test_too_many_bits(quantize, moved, sentence):
    broken = hn.export.broken_bounds(measurement(quantize, moved, 0.7))
    assert broken == [sentence]


@pytest.mark.parametrize("map_, change", [(0.689, "-0.0110"), (0.711, "+0.01")])
def test_another_map(map_, change):
    (broken,) = hn.export.broken_bounds(measurement("int8", 0, map_))
    assert broken.startswith(f"MAP changed by {change}")


def test_both():
    assert len(hn.export.broken_bounds(measurement("int8", 400, 0.5))) == 2


def test_a_file_that_breaks_one_is_removed(tmp_path):
    path = tmp_path / "encoder.tflite"
    path.write_text("")
    hn.export.keep_within_bounds(measurement("int8", 300, 0.7, path))
    assert path.exists()
    with pytest.raises(hn.export.ParityError, match="was removed: 4.00% of"):
        hn.export.keep_within_bounds(measurement("int8", 400, 0.7, path))
    assert not path.exists()
