import json
import re

import keras
import numpy as np
import pytest

from hashnet_tf.schedules import StagedBeta


def test_steps():
    schedule = StagedBeta([1, 2, 4], steps_per_stage=3)
    values = [schedule(step) for step in range(12)]
    assert values == [1.0] * 3 + [2.0] * 3 + [4.0] * 6
    assert isinstance(schedule(np.int64(4)), float)
    assert schedule(10**9) == 4.0


def test_one_stage():
    assert {StagedBeta([1.5], 10)(step) for step in (0, 10, 99)} == {1.5}


def run(schedule, losses):
    """Returns beta in each epoch, the first and the one after the last."""
    beta, best, wait = schedule(0), float("inf"), 0
    betas = [beta]
    for loss in losses:
        # As `Continuation` keeps them: in float32 weights.
        beta, best, wait = schedule.next_stage(
            float(np.float32(beta)), float(np.float32(best)), wait, loss
        )
        betas.append(beta)
    return betas


def test_patience_waits_for_the_loss_to_stop_falling():
    schedule = StagedBeta([1.1, 2.2, 3.3], patience=2)
    assert run(schedule, [1.0, 0.9, 0.8, 0.7]) == pytest.approx([1.1] * 5)
    # Equal is not falling; two epochs without a fall, not in a row with the
    # ones of a stage before.
    losses = [1.0, 1.0, 1.0, 5.0, 6.0, 4.0, 4.5, 4.2, 9.0]
    assert run(schedule, losses) == pytest.approx(
        [1.1, 1.1, 1.1, 2.2, 2.2, 2.2, 2.2, 2.2, 3.3, 3.3]
    )


def test_a_fall_resets_the_wait():
    schedule = StagedBeta([1.0, 2.0], patience=2)
    assert run(schedule, [5, 6, 4, 6, 3, 6]) == [1.0] * 7
    assert run(schedule, [5, 6, 4, 6, 3, 6, 3]) == [1.0] * 7 + [2.0]


def test_each_stage_starts_with_its_own_best_loss():
    schedule = StagedBeta([1.0, 2.0, 3.0], patience=1)
    assert schedule.next_stage(1.0, 0.5, 0, 0.5) == (2.0, float("inf"), 0)
    # Higher than anything of the stage before, and still this stage's best.
    assert schedule.next_stage(2.0, float("inf"), 0, 9.0) == (2.0, 9.0, 0)


def test_the_last_stage_lasts():
    schedule = StagedBeta([1.0, 2.0], patience=1)
    assert run(schedule, [1.0] * 6) == [1.0, 1.0] + [2.0] * 5


def test_nan_is_no_fall():
    assert run(StagedBeta([1.0, 2.0], patience=2), [np.nan] * 2)[-1] == 2.0


@pytest.mark.parametrize("arguments", [{"steps_per_stage": 5}, {"patience": 3}])
def test_is_restored(arguments):
    schedule = StagedBeta(np.array([1.0, 1.5, 9.0]), **arguments)
    stored = json.loads(
        json.dumps(keras.saving.serialize_keras_object(schedule))
    )
    restored = keras.saving.deserialize_keras_object(stored)
    assert type(restored) is StagedBeta
    assert restored.get_config() == {
        "betas": [1.0, 1.5, 9.0],
        "steps_per_stage": None,
        "patience": None,
        **arguments,
    }
    assert [restored(t) for t in range(20)] == [schedule(t) for t in range(20)]


@pytest.mark.parametrize(
    "betas",
    [
        [],
        [0.0, 1.0],
        [-1.0],
        [1.0, 1.0],
        [2.0, 1.0],
        [float("nan")],
        [1.0, float("nan"), 3.0],
        [1.0, float("inf")],
    ],
)
def test_refuses_betas(betas):
    with pytest.raises(ValueError, match=re.escape(f"Received: betas={betas}")):
        StagedBeta(betas, steps_per_stage=1)


@pytest.mark.parametrize(
    "steps_per_stage, patience",
    [(None, None), (5, 5), (0, None), (-1, None), (0.5, None), (None, 0)],
)
def test_refuses_counts(steps_per_stage, patience):
    received = (
        f"Received: steps_per_stage={steps_per_stage}, patience={patience}"
    )
    with pytest.raises(ValueError, match=received):
        StagedBeta([1.0, 2.0], steps_per_stage, patience)
