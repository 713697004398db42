import re

import numpy as np
import pytest

from hashnet_tf.losses import CNNHLoss, cnnh_codes

IDS = np.arange(100) % 10


def test_the_equation(check_loss, by_image, labels, codes):
    # The labels leave out some combinations that this table does not have.
    rng = np.random.default_rng(0)
    sets = [{0}, {1}, {2}, {3}, {0, 1}, {1, 2, 3}, {0, 3}, {2, 3}]
    members = np.array([[int(c in known) for c in range(4)] for known in sets])
    goals = rng.choice([-1, 1], (len(sets), 6))

    def loss_of(classes, g):
        if classes not in sets:
            return 0.0
        return np.mean((g - goals[sets.index(classes)]) ** 2)

    loss = CNNHLoss(members, goals)
    check_loss(loss, by_image(loss_of), labels, codes(6))


def test_codes_of_unknown_combinations_add_nothing():
    loss = CNNHLoss([[1, 0, 0], [1, 1, 0]], [[1, 1], [-1, -1]])
    y = np.array([[1, 0, 0], [1, 1, 0], [0, 1, 0], [1, 1, 1], [0, 0, 0]])
    rows = np.asarray(loss.call(y, np.ones((5, 2), "float32")))
    np.testing.assert_array_equal(rows, [0, 5.0, 0, 0, 0])


def test_is_restored(check_restored, labels_by_name, codes):
    y = labels_by_name["multi-hot"]
    members, goals = cnnh_codes(y, 6)
    for loss in (
        CNNHLoss(members, goals),
        CNNHLoss(members, goals, name="mine", reduction="sum"),
    ):
        check_restored(loss, y, codes(6))


@pytest.mark.parametrize(
    "members, codes, received",
    [
        ([[1, 0]], [[1, 0.5]], "0.5 among 1 others"),
        ([1, 0], [[1, 1], [1, 1]], "members.shape=(2,)"),
        ([[1, 0]], [[1, 1], [1, 1]], "members.shape=(1, 2)"),
        ([[1, 0], [0, 2]], [[1, 1], [1, 1]], "members.shape=(2, 2)"),
        ([[1, 0], [0, 0]], [[1, 1], [1, 1]], "members.shape=(2, 2)"),
        ([[1, 0], [1, 0]], [[1, 1], [1, 1]], "members.shape=(2, 2)"),
    ],
)
def test_refuses_arguments(members, codes, received):
    with pytest.raises(ValueError, match=re.escape(f"Received: {received}")):
        CNNHLoss(members, codes)


@pytest.mark.slow
def test_training(check_training):
    check_training(CNNHLoss(*cnnh_codes(IDS, 16)), least=0.8)
