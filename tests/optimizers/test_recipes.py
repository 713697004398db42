import keras
import numpy as np
import pytest
from keras import ops

from hashnet_tf.optimizers import (
    LayerwiseOptimizer,
    default_optimizer,
    paper_optimizer,
)


def rates(optimizer, steps):
    schedule = optimizer.inner_optimizer.get_config()["learning_rate"]
    schedule = keras.saving.deserialize_keras_object(schedule)
    return [float(schedule(step)) for step in steps]


def network():
    keras.utils.set_random_seed(0)
    return keras.Sequential(
        [
            keras.Input((4,)),
            keras.layers.Dense(3, name="fc7"),
            keras.layers.Dense(2, name="hash"),
        ]
    )


def moved(optimizer, gradients):
    """Returns how far each weight goes, and from where."""
    model = network()
    before = [weight.numpy() for weight in model.trainable_weights]
    for step in gradients:
        optimizer.apply(
            [ops.convert_to_tensor(g) for g in step], model.trainable_weights
        )
    return before, [
        weight.numpy() - old
        for weight, old in zip(model.trainable_weights, before, strict=True)
    ]


def test_paper_halves_every_2000_of_10000_steps():
    optimizer = paper_optimizer(0.5, steps=10_000)
    steps = [0, 1999, 2000, 3999, 4000, 6000, 8000, 9999]
    powers = [0, 0, 1, 1, 2, 3, 4, 4]
    assert rates(optimizer, steps) == [0.5 * 0.5**power for power in powers]


@pytest.mark.parametrize(
    "steps, halvings, halved_at", [(100, 2, 50), (7, 5, 1), (3, 5, 1)]
)
def test_paper_halves_in_other_lengths(steps, halvings, halved_at):
    optimizer = paper_optimizer(0.5, steps, halvings=halvings)
    found = rates(optimizer, [halved_at - 1, halved_at, 2 * halved_at])
    assert found == [0.5, 0.25, 0.125]


def test_paper_is_sgd_with_momentum_and_l2_at_ten_times_the_rate():
    rng = np.random.default_rng(0)
    shapes = [(4, 3), (3,), (3, 2), (2,)]
    gradients = [
        [rng.normal(size=s).astype("float32") for s in shapes] for _ in "ab"
    ]
    # Halved after the first step.
    optimizer = paper_optimizer(0.25, steps=5)
    assert type(optimizer) is LayerwiseOptimizer
    start, found = moved(optimizer, gradients)
    for k, factor in enumerate([1, 1, 10, 10]):
        weight, velocity = start[k].astype("float64"), 0.0
        for step, rate in zip(gradients, (0.25, 0.125), strict=True):
            decay = 5e-4 * weight if weight.ndim == 2 else 0.0
            velocity = 0.9 * velocity - factor * rate * (step[k] + decay)
            weight = weight + velocity
        np.testing.assert_allclose(
            found[k], weight - start[k], rtol=1e-5, atol=1e-6
        )


def test_default_is_adam_with_a_cosine_at_ten_times_the_rate():
    optimizer = default_optimizer(0.5, steps=100)
    assert type(optimizer) is LayerwiseOptimizer
    np.testing.assert_allclose(
        rates(optimizer, [0, 25, 50, 100, 200]),
        [0.5, 0.25 * (1 + 0.5**0.5), 0.25, 0, 0],
        atol=1e-7,
    )
    ones = [np.ones(shape, "float32") for shape in [(4, 3), 3, (3, 2), 2]]
    _, found = moved(optimizer, [ones])
    # The first step of Adam is the rate, whatever the gradient; no decay.
    for change, factor in zip(found, [1, 1, 10, 10], strict=True):
        np.testing.assert_allclose(
            change, np.full(change.shape, -0.5 * factor), rtol=1e-5
        )


@pytest.mark.parametrize("recipe", [paper_optimizer, default_optimizer])
def test_multipliers(recipe):
    optimizer = recipe(0.1, 10, multipliers={"fc7": 3.0})
    assert optimizer.multipliers == {"fc7": 3.0}
    assert recipe(0.1, 10).multipliers == {"hash": 10.0}


@pytest.mark.parametrize("recipe", [paper_optimizer, default_optimizer])
def test_are_restored(recipe):
    optimizer = recipe(0.25, 500)
    restored = keras.saving.deserialize_keras_object(
        keras.saving.serialize_keras_object(optimizer)
    )
    assert restored.get_config() == optimizer.get_config()
    steps = [0, 99, 100, 499]
    assert rates(restored, steps) == rates(optimizer, steps)
