import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hashnet_tf.shallow.ksh import PairResidual


@settings(deadline=None, max_examples=50)
@given(
    st.integers(0, 10**6),
    st.integers(1, 12),
    st.integers(1, 4),
    st.integers(1, 5),
)
def test_is_the_matrix_written_out(seed, n, count, bits):
    rng = np.random.default_rng(seed)
    labels = rng.integers(2, size=(n, count)).astype(float)
    labels[~labels.any(axis=1), 0] = 1
    rest = PairResidual(labels, bits)
    whole = np.empty((n, n))
    for i in range(n):
        for j in range(n):
            whole[i, j] = bits if (labels[i] * labels[j]).any() else -bits
    assert rest.similar == (whole > 0).all()
    for _ in range(bits):
        np.testing.assert_allclose(rest @ np.eye(n), whole)
        np.testing.assert_allclose(rest @ whole[0], whole @ whole[0])
        assert rest.objective == pytest.approx(np.mean(whole**2) / bits**2)
        y = rng.choice([-1.0, 1.0], size=n)
        rest.take(y)
        whole -= np.outer(y, y)
