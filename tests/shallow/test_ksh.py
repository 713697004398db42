import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import check_grad
from sklearn.datasets import load_digits

from hashnet_tf.retrieval import unpack
from hashnet_tf.shallow import KSH
from hashnet_tf.shallow.ksh import PairResidual, smooth, smoothed_loss


@pytest.fixture(scope="module")
def digits():
    data = load_digits()
    return data.data[:200], data.target[:200]


def problem(seed, n=30, m=6):
    rng = np.random.default_rng(seed)
    kernel = rng.normal(size=(n, m))
    labels = rng.integers(3, size=n)
    rest = np.where(labels[:, None] == labels, 4.0, -4.0)
    return rng.normal(size=m), kernel, rest


def test_objective_is_that_of_the_codes_and_falls(digits):
    x, ids = digits
    bits = 8
    ksh = KSH(bits, anchors=40).fit(x, ids)
    signs = unpack(ksh.encode(x), bits).astype(float)
    expected = []
    for k in range(bits + 1):
        total = 0.0
        for i in range(len(x)):
            inner = signs[:, :k] @ signs[i, :k] / bits
            pairs = np.where(ids == ids[i], 1, -1)
            total += np.sum((pairs - inner) ** 2)
        expected.append(total / len(x) ** 2)
    np.testing.assert_allclose(ksh.objectives_, expected, rtol=1e-9)
    assert (np.diff(ksh.objectives_) < 0).all()


def test_pairs_of_several_labels_share_one(digits):
    x, ids = digits
    matrix = np.eye(10)[ids]
    matrix[:, 0] = ids % 2 == 0
    ksh = KSH(8, anchors=40).fit(x, matrix)
    signs = unpack(ksh.encode(x), 8).astype(float)
    pairs = np.array(
        [[1 if (a * b).any() else -1 for b in matrix] for a in matrix]
    )
    assert ksh.objectives_[-1] == pytest.approx(
        np.mean((pairs - signs @ signs.T / 8) ** 2)
    )


def test_no_bit_is_worse_than_the_spectral_one(digits):
    x, ids = digits
    bits = 6
    ksh = KSH(bits, anchors=30).fit(x, ids)
    apart = ((x[:, None] - ksh.anchors_) ** 2).sum(axis=2)
    kernel = np.exp(-apart / (2 * apart.mean()))
    kernel -= kernel.mean(axis=0)
    signs = unpack(ksh.encode(x), bits).astype(float)
    np.testing.assert_array_equal(signs, np.sign(kernel @ ksh.projection_))
    rest = bits * np.where(ids[:, None] == ids, 1.0, -1.0)
    for y in signs.T:
        values, vectors = np.linalg.eig(
            np.linalg.solve(kernel.T @ kernel, kernel.T @ rest @ kernel)
        )
        spectral = np.sign(kernel @ vectors.real[:, np.argmax(values.real)])
        # The jitter moves it by a little.
        assert y @ rest @ y >= 0.999 * (spectral @ rest @ spectral)
        rest -= np.outer(y, y)


@pytest.mark.parametrize("seed", range(5))
def test_gradient_of_the_smoothed_loss(seed):
    a, kernel, rest = problem(seed)
    error = check_grad(
        lambda u: smoothed_loss(u, rest)[0],
        lambda u: smoothed_loss(u, rest)[1],
        kernel @ a,
    )
    assert error < 1e-3


@settings(deadline=None, derandomize=True, max_examples=20)
@given(st.integers(0, 10**6))
def test_smoothing_lowers_its_loss(seed):
    a, kernel, rest = problem(seed)
    smoothed = smooth(a, kernel, rest)
    after, _ = smoothed_loss(kernel @ smoothed, rest)
    assert after <= smoothed_loss(kernel @ a, rest)[0]


def test_smoothing_takes_the_steps_of_nesterov():
    a, kernel, rest = problem(7)

    def loss(a):
        y = 2 / (1 + np.exp(-kernel @ a)) - 1
        return -y @ rest @ y

    def slope(a):
        y = 2 / (1 + np.exp(-kernel @ a)) - 1
        return -kernel.T @ ((rest @ y) * (1 - y**2))

    path, deltas, rate = [a, a], [0.0, 1.0], 1.0
    while True:
        momentum = (deltas[-2] - 1) / deltas[-1]
        probe = path[-1] + momentum * (path[-1] - path[-2])
        while True:
            move = -rate * slope(probe)
            parabola = slope(probe) @ move + move @ move / (2 * rate)
            if loss(probe + move) <= loss(probe) + parabola:
                break
            rate /= 2
        path.append(probe + move)
        deltas.append((1 + np.sqrt(1 + 4 * deltas[-1] ** 2)) / 2)
        if abs(loss(path[-1]) - loss(path[-2])) / len(kernel) <= 1e-2:
            break
    assert len(path) > 6
    np.testing.assert_allclose(smooth(a, kernel, rest), path[-1], rtol=1e-6)


def test_pairs_no_more_than_the_samples(digits):
    x, ids = digits
    few = KSH(8, anchors=30, samples=20).fit(x, ids)
    # With 20 items, each code can be what its label wants.
    all_of_them = KSH(8, anchors=30).fit(x, ids)
    assert few.objectives_[-1] < all_of_them.objectives_[-1]


def test_anchors_without_full_rank():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(5, 3))[np.arange(50) % 5]
    codes = KSH(6, anchors=40).fit(x, np.arange(50) % 5).encode(x)
    assert len(np.unique(codes)) == 5


def test_seed_decides(digits):
    first, second = (
        KSH(8, anchors=30, seed=seed).fit(*digits).encode(digits[0])
        for seed in (1, 2)
    )
    assert (first != second).any()


@pytest.mark.parametrize("name", ["anchors", "samples"])
@pytest.mark.parametrize("value", [0, 2.0, None])
def test_refuses_counts(name, value, digits):
    with pytest.raises(ValueError, match=f"Received: {name}="):
        KSH(4, **{name: value}).fit(*digits)


def test_refuses_pairs_that_are_all_similar(digits):
    x, ids = digits
    matrix = np.eye(10)[ids]
    matrix[:, 0] = 1
    with pytest.raises(ValueError, match="Received: labels of which 200 were"):
        KSH(4).fit(x, matrix)


def test_refuses_features_that_are_all_the_same():
    with pytest.raises(ValueError, match="Received: the same row 4 times"):
        KSH(4).fit(np.ones((4, 3)), [0, 1, 0, 1])


@settings(deadline=None, derandomize=True, max_examples=50)
@given(
    st.integers(0, 10**6),
    st.integers(1, 12),
    st.integers(1, 4),
    st.integers(1, 5),
)
def test_the_residual_is_the_matrix_written_out(seed, n, count, bits):
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
