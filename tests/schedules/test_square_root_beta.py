import json

import keras
import numpy as np
import pytest

from hashnet_tf.schedules import SquareRootBeta

RELEASED = {
    0: 1.0,
    200: 1.414,
    400: 1.732,
    1000: 2.449,
    2000: 3.317,
    4000: 4.583,
    6000: 5.568,
    8000: 6.403,
    9800: 7.071,
}


@pytest.mark.parametrize("step, beta", RELEASED.items())
def test_values_of_the_released_code(step, beta):
    schedule = SquareRootBeta()
    for later in (0, 1, 199):
        assert round(schedule(step + later), 3) == beta
    assert isinstance(schedule(np.int64(step)), float)


@pytest.mark.parametrize("power", [0.5, 1.0, 2.0])
def test_generalised(power):
    schedule = SquareRootBeta(gamma=0.1, power=power, step_size=3)
    expected = []
    for held in (0, 3, 6, 9):
        expected += [(1 + 0.1 * held) ** power] * 3
    assert [schedule(step) for step in range(12)] == expected


def test_a_step_at_a_time():
    schedule = SquareRootBeta(gamma=3.0, step_size=1)
    assert [schedule(step) for step in (0, 1, 5)] == [1.0, 2.0, 4.0]


@pytest.mark.parametrize("steps", [1, 7, 49, 50, 99, 500, 501, 549, 10_000])
@pytest.mark.parametrize("beta, power", [(10.0, 0.5), (1.5, 1.0)])
def test_reaching(steps, beta, power):
    schedule = SquareRootBeta.reaching(beta, steps, power=power)
    assert schedule.power == power
    assert schedule(steps) == pytest.approx(beta, rel=1e-12)
    values = [schedule(step) for step in range(steps + 1)]
    assert values[0] == 1.0
    assert values == sorted(values)
    raised = len(set(values)) - 1
    assert raised == 50 if steps % 50 == 0 else raised >= min(50, steps)


def test_reaching_in_few_updates():
    schedule = SquareRootBeta.reaching(3.0, 100, updates=2)
    assert schedule.step_size == 50
    assert [schedule(step) for step in (0, 49, 50, 99, 100)] == pytest.approx(
        [1.0, 1.0, 5**0.5, 5**0.5, 3.0]
    )


def test_is_restored():
    schedule = SquareRootBeta(gamma=0.02, power=0.75, step_size=7)
    stored = json.loads(
        json.dumps(keras.saving.serialize_keras_object(schedule))
    )
    restored = keras.saving.deserialize_keras_object(stored)
    assert type(restored) is SquareRootBeta
    assert restored.get_config() == {
        "gamma": 0.02,
        "power": 0.75,
        "step_size": 7,
    }
    assert restored(700) == schedule(700)


@pytest.mark.parametrize("name", ["gamma", "power"])
@pytest.mark.parametrize("value", [0, -0.5, np.nan, np.inf])
def test_refuses(name, value):
    with pytest.raises(ValueError, match=f"Received: {name}={value}"):
        SquareRootBeta(**{name: value})


@pytest.mark.parametrize("value", [0, -200, 0.5, 200.0, None])
def test_refuses_step_size(value):
    with pytest.raises(ValueError, match=f"Received: step_size={value}"):
        SquareRootBeta(step_size=value)


@pytest.mark.parametrize(
    "name, value",
    [
        ("beta", 1.0),
        ("beta", 0.5),
        ("beta", np.nan),
        ("beta", np.inf),
        ("steps", 0),
        ("steps", 10.5),
        ("power", 0.0),
        ("updates", 0),
        ("updates", 2.5),
    ],
)
def test_reaching_refuses(name, value):
    arguments = {"beta": 10.0, "steps": 100, name: value}
    with pytest.raises(ValueError, match=f"Received: {name}={value}"):
        SquareRootBeta.reaching(**arguments)
