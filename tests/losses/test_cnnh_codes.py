import importlib

import numpy as np
import pytest

from hashnet_tf.losses import cnnh_codes
from hashnet_tf.losses.cnnh_loss import _improve, _least


def objective(members, codes, labels):
    """The sum of stage 1 over all images, by pairs, as a mean."""
    table = {tuple(row): code for row, code in zip(members, codes, strict=True)}
    rows = [tuple(int(v > 0) for v in row) for row in labels]
    rows = [row for row in rows if any(row)]
    total = 0.0
    for a in rows:
        for b in rows:
            s = 1 if any(x and y for x, y in zip(a, b, strict=True)) else -1
            total += (s - table[a] @ table[b] / codes.shape[1]) ** 2
    return total / len(rows) ** 2


@pytest.mark.parametrize("classes, bits", [(2, 12), (4, 12), (10, 16), (5, 20)])
def test_balanced_classes_reach_the_bound(classes, bits):
    members, codes = cnnh_codes(np.arange(30) % classes, bits)
    assert codes.dtype == np.int8 and set(np.unique(codes)) == {-1, 1}
    np.testing.assert_array_equal(
        np.sort(members.argmax(axis=1)), np.arange(classes)
    )
    # The products of all pairs sum to the squared sums of the bits, less what
    # each code has with itself; of signs, an even number can sum to 0 and an
    # odd number to 1 in size.
    sums = np.abs(codes.astype(int).sum(axis=0))
    assert (sums == classes % 2).all()


def test_a_coordinate_goes_where_the_objective_is_least():
    rng = np.random.default_rng(3)
    for _ in range(20):
        h = rng.uniform(-1, 1, (6, 1))
        similarities = rng.choice([-1.0, 1.0], 6)
        similarities[2] = 1.0
        weights = rng.uniform(0.1, 1.0, 6)

        def objective_at(x, h=h, s=similarities, w=weights):
            # Of all pairs that hold item 2, itself with itself once.
            others = np.delete(np.arange(6), 2)
            pairs = w[others] @ (s[others] - h[others, 0] * x) ** 2
            return 2 * w[2] * pairs + w[2] ** 2 * (1 - x * x) ** 2

        grid = np.linspace(-1, 1, 2001)
        least = min(map(objective_at, grid))
        _improve(h, 2, similarities, weights, rng)
        assert objective_at(h[2, 0]) <= least + 1e-9


def test_better_than_any_random_codes():
    rng = np.random.default_rng(0)
    labels = (rng.random((60, 6)) < 0.3).astype("int64")
    labels[3] = 0
    labels[4] = [-1, 1, -1, 0, 0, 0]
    members, codes = cnnh_codes(labels, 12)
    assert len(members) == len(np.unique(members, axis=0))
    found = objective(members, codes, labels)
    drawn = [
        objective(members, rng.choice([-1, 1], codes.shape), labels)
        for _ in range(20)
    ]
    assert found < 0.8 * min(drawn)


def test_frequent_combinations_come_first_and_others_follow(monkeypatch):
    rng = np.random.default_rng(1)
    labels = (rng.random((80, 5)) < 0.35).astype("int64")
    whole = objective(*cnnh_codes(labels, 16), labels)
    # The function hides its module in the package.
    module = importlib.import_module("hashnet_tf.losses.cnnh_loss")
    monkeypatch.setattr(module, "ANCHORS", 8)
    members, codes = cnnh_codes(labels, 16)
    counts = [(labels == row).all(axis=1).sum() for row in members]
    assert counts == sorted(counts, reverse=True)
    assert len(members) > 16
    by_anchors = objective(members, codes, labels)
    random = rng.choice([-1, 1], codes.shape)
    assert by_anchors < 1.2 * whole < 0.9 * objective(members, random, labels)


def test_depends_on_the_seed_and_not_on_the_number_of_images():
    labels = np.arange(40) % 8
    members, codes = cnnh_codes(labels, 16, seed=3)
    for same in (np.tile(labels, 100), labels[:, None], np.eye(8)[labels]):
        again = cnnh_codes(same, 16, seed=3)
        np.testing.assert_array_equal(again[0], members)
        np.testing.assert_array_equal(again[1], codes)
    assert (cnnh_codes(labels, 16, seed=4)[1] != codes).any()


def test_unlabelled_images_are_left_out():
    members, _ = cnnh_codes([3, -1, 1, 3], 8)
    assert members.tolist() == [[0, 0, 0, 1], [0, 1, 0, 0]]


@pytest.mark.parametrize("seed", range(5))
def test_the_minimum_over_a_coordinate(seed):
    rng = np.random.default_rng(seed)
    grid = np.linspace(-1, 1, 20001)
    for _ in range(40):
        p, d = rng.normal(scale=[2.0, 0.5])
        values = grid**4 / 4 + p * grid**2 / 2 + d * grid
        x = _least(p, d)
        assert -1 <= x <= 1
        assert x**4 / 4 + p * x**2 / 2 + d * x <= values.min() + 1e-9


@pytest.mark.parametrize(
    "labels, bits, received",
    [
        (None, 8, "labels.shape=None"),
        ([-1, -1], 8, "0 classes on 2 images"),
        ([2, 2], 8, "1 classes on 2 images"),
        ([0, 1], 0, "bits=0"),
    ],
)
def test_refuses(labels, bits, received):
    with pytest.raises(ValueError, match=f"Received: {received}"):
        cnnh_codes(labels, bits)
