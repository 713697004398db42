import math

import keras
import numpy as np
import pytest
from keras import ops

import hashnet_tf as hn
from hashnet_tf.layers import ScaledTanh
from hashnet_tf.schedules import BetaSchedule, unit_gap


def test_a_schedule_must_say_its_values_and_its_arguments():
    with pytest.raises(TypeError, match="abstract"):
        BetaSchedule()

    class Halfway(BetaSchedule):
        def __call__(self, step):
            return 1.0

    with pytest.raises(TypeError, match="get_config"):
        Halfway()


def test_a_schedule_of_the_users_own_is_restored():
    @keras.saving.register_keras_serializable(package="tests")
    class Linear(BetaSchedule):
        def __init__(self, slope):
            self.slope = slope

        def __call__(self, step):
            return 1.0 + self.slope * step

        def get_config(self):
            return {"slope": self.slope}

    restored = keras.saving.deserialize_keras_object(
        keras.saving.serialize_keras_object(Linear(0.5))
    )
    assert type(restored) is Linear
    assert restored(4) == 3.0


@pytest.mark.parametrize("beta", [1.0, 2.0, 7.071])
def test_unit_gap_is_what_the_layer_leaves(beta):
    g = ops.convert_to_numpy(ScaledTanh(beta)(np.float32([-1.0, 1.0])))
    np.testing.assert_allclose(1 - np.abs(g), unit_gap(beta), atol=2e-7)
    e = math.exp(-2 * beta)
    assert unit_gap(beta) == pytest.approx(2 * e / (1 + e), rel=1e-9)


@pytest.mark.parametrize(
    "schedule",
    [
        hn.schedules.SquareRootBeta(),
        hn.schedules.StagedBeta([1.0, 2.0], steps_per_stage=5),
    ],
)
def test_in_a_graph_says_what_to_do(schedule):
    import tensorflow as tf

    step = tf.Variable(3)
    assert schedule(step) == 1
    with pytest.raises(ValueError, match="as the callback Continuation does"):
        tf.function(lambda: schedule(step.read_value()))()
