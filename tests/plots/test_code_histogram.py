import numpy as np
import pytest

from hashnet_tf.plots import plot_code_histogram


def test_against_counting(tmp_path, assert_painted, table):
    z = np.random.default_rng(0).normal(size=(20, 8))
    path = tmp_path / "codes.png"
    g = np.tanh(z)
    plot_code_histogram(g, np.sign(z), str(path))
    assert_painted(path, 8.0, 3.4)
    header, *lines = table(path)
    assert header == ["from", "to", "before training", "after training"]
    lower, upper, before, after = np.array(lines, dtype=float).T
    np.testing.assert_allclose(lower, np.arange(100) / 100, atol=1e-15)
    np.testing.assert_array_equal(upper[:-1], lower[1:])
    # Within a rounding of its edge no value lies.
    expected = np.zeros(100)
    for value in np.abs(g).ravel():
        expected[int(value * 100)] += 1 / g.size
    np.testing.assert_allclose(before**2, expected, atol=1e-15)
    assert after.tolist() == [0.0] * 99 + [1.0]


def test_two_methods(tmp_path, drawn, table):
    path = tmp_path / "codes.png"
    plot_code_histogram([[1.0]], [[0.5]], path, titles=("HashNet", "DHN"))
    header, *lines = table(path)
    assert header == ["from", "to", "HashNet", "DHN"]
    assert lines[-1][2:] == ["1.0", "0.0"]
    titles = [axes.get_title() for axes in drawn[0].axes]
    assert titles == ["HashNet", "DHN"]


@pytest.mark.parametrize("wrong", [[], [[1.5]], [[-2.0]], [[0.5, np.nan]]])
def test_refuses(tmp_path, wrong):
    with pytest.raises(ValueError, match="Received: after.shape="):
        plot_code_histogram([[0.0]], wrong, tmp_path / "codes.png")
