import numpy as np
import pytest


def relation(a, b, overlap=False):
    """Returns `(s_ij, c_ij)` of two items' labels, None if not known."""
    if np.ndim(a) == 0:
        return None if a < 0 or b < 0 else (int(a == b), 1.0)
    has_a, has_b = ({k for k, v in enumerate(x) if v > 0} for x in (a, b))
    may_a, may_b = ({k for k, v in enumerate(x) if v != 0} for x in (a, b))
    if has_a & has_b:
        c = len(has_a & has_b) / len(has_a | has_b) if overlap else 1.0
        return 1, c
    return None if may_a & may_b else (0, 1.0)


def rows_by_loop(n, pairs, alpha, class_weights):
    """Eq. 4 in float64: pairs `(row, g_i, g_j, s_ij, c_ij)` to n values."""
    total = len(pairs)
    n_similar = sum(s for _, _, _, s, _ in pairs)
    if class_weights == "batch":
        w1 = total / n_similar if n_similar else 0.0
        w0 = total / (total - n_similar) if total > n_similar else 0.0
    else:
        w1, w0 = class_weights or (1.0, 1.0)
    rows = np.zeros(n)
    for row, g_i, g_j, s, c in pairs:
        theta = alpha * sum(
            float(x) * float(y) for x, y in zip(g_i, g_j, strict=True)
        )
        likelihood = np.logaddexp(0.0, theta) - s * theta
        rows[row] += c * (w1 if s else w0) * likelihood * n / total
    return rows


def loss_by_loop(g, relate, alpha, class_weights):
    """Values a row over all i != j; `relate(i, j)` as `relation` returns."""
    pairs = [
        (i, g[i], g[j], *relate(i, j))
        for i in range(len(g))
        for j in range(len(g))
        if i != j and relate(i, j) is not None
    ]
    return rows_by_loop(len(g), pairs, alpha, class_weights)


def finite_differences(function, x, step=1e-6):
    """Gradient of a function of a float64 array, by central differences."""
    gradient = np.zeros_like(x)
    for index in np.ndindex(x.shape):
        moved = x.copy()
        moved[index] += step
        above = function(moved)
        moved[index] -= 2 * step
        gradient[index] = (above - function(moved)) / (2 * step)
    return gradient


class Slow:
    """Eq. 4 by loops over pairs, in float64."""

    relation = staticmethod(relation)
    rows = staticmethod(rows_by_loop)
    loss = staticmethod(loss_by_loop)
    gradient = staticmethod(finite_differences)


@pytest.fixture(scope="session")
def slow():
    return Slow
