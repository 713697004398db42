import re

import keras
import numpy as np
import pytest

import hashnet_tf as hn

LINEAR = hn.schedules.SquareRootBeta(gamma=0.5, power=1.0, step_size=1)
STAGED = hn.schedules.StagedBeta([1.0, 2.5, 7.0], steps_per_stage=5)

# For one weight: beta rises slowly enough that tanh saturates at no step.
SLOW = hn.schedules.SquareRootBeta(gamma=0.1, power=1.0, step_size=1)
START, RATE = 0.6, 0.1


def one_weight(**arguments):
    """Returns the model g = tanh(beta w x), trained to lower g itself."""
    model = keras.Sequential(
        [
            keras.Input((1,)),
            keras.layers.Dense(
                1,
                use_bias=False,
                kernel_initializer=keras.initializers.Constant(START),
            ),
            hn.layers.ScaledTanh(),
        ]
    )
    model.compile(keras.optimizers.SGD(RATE), loss=lambda y, g: g, **arguments)
    return model


def by_hand(betas):
    """Returns the loss of each step and the weight after the last."""
    weight, losses = START, []
    for beta in betas:
        g = np.tanh(beta * weight)
        losses.append(g)
        weight -= RATE * beta * (1 - g**2)
    return losses, weight


class Losses(keras.callbacks.Callback):
    """The mean of the losses of an epoch's steps up to each call."""

    def __init__(self):
        super().__init__()
        self.means = []

    def on_train_batch_end(self, batch, logs=None):
        self.means.append(logs["loss"])


MODES = {
    "eager": dict(run_eagerly=True),
    "graph": dict(jit_compile=False),
    "auto": dict(jit_compile="auto"),
    "xla": dict(jit_compile=True),
    "eager, 3 steps at once": dict(run_eagerly=True, steps_per_execution=3),
    "graph, 3 steps at once": dict(jit_compile=False, steps_per_execution=3),
    "xla, 3 steps at once": dict(jit_compile=True, steps_per_execution=3),
}


# What `fit` is told, what the callback is, and how many lines there are.
VERBOSE = [(0, None, 0), (0, 1, 1), (2, None, 1), (2, 0, 0)]


@pytest.mark.parametrize("mode", MODES)
def test_the_compiled_step_uses_beta(mode):
    steps = 8
    model, losses = one_weight(**MODES[mode]), Losses()
    held = MODES[mode].get("steps_per_execution", 1)
    model.fit(
        *np.ones((2, steps, 1)),
        batch_size=1,
        epochs=2,
        verbose=0,
        callbacks=[hn.callbacks.Continuation(SLOW), losses],
    )
    # Beta is set before each execution; an epoch begins a new one.
    first = [step - step % held for step in range(steps)]
    betas = [SLOW(epoch * steps + step) for epoch in (0, 1) for step in first]
    expected, weight = by_hand(betas)
    means = [
        np.mean(expected[epoch * steps : epoch * steps + end])
        for epoch in (0, 1)
        for end in sorted({min(step + held, steps) for step in first})
    ]
    np.testing.assert_allclose(losses.means, means, rtol=1e-5)
    np.testing.assert_allclose(model.get_weights()[0], [[weight]], rtol=1e-5)


def test_another_beta_in_the_step_would_be_noticed():
    right, weight = by_hand([SLOW(step) for step in range(16)])
    late = [SLOW(max(step - 1, 0)) for step in range(16)]
    for betas in ([1.0] * 16, [SLOW(15)] * 16, late):
        wrong, other = by_hand(betas)
        assert abs(np.mean(wrong) - np.mean(right)) > 1e-3
        assert abs(other - weight) > 1e-3


@pytest.mark.parametrize("schedule", [LINEAR, STAGED])
def test_logs_hold_the_beta_of_each_step_and_epoch(
    schedule, head, features, recorder
):
    recorder = recorder()
    history = head().fit(
        *features,
        batch_size=6,
        epochs=3,
        verbose=0,
        callbacks=[hn.callbacks.Continuation(schedule), recorder],
    )
    betas = [schedule(step) for step in range(12)]
    assert recorder.steps == list(range(1, 13))
    assert recorder.logged == betas
    assert recorder.betas == [float(np.float32(beta)) for beta in betas]
    # The last step of each epoch of four.
    assert history.history["beta"] == [schedule(3), schedule(7), schedule(11)]


def test_shows_in_the_progress_bar_and_tells_where_beta_ended(
    head, features, capsys
):
    callback = hn.callbacks.Continuation(STAGED)
    head().fit(
        *features, batch_size=6, epochs=2, verbose=2, callbacks=[callback]
    )
    printed = capsys.readouterr().out
    # Steps 3 and 7; 1 - tanh(2.5) = 0.0134.
    assert "beta: 1.0000" in printed and "beta: 2.5000" in printed
    assert "beta ended at 2.5: where |z| = 1, |g| is 0.013 short" in printed


def test_beta_follows_the_optimizers_steps_not_its_own(head, features):
    model = head()
    for _ in range(3):
        # A new callback each time, as after a restart.
        callback = hn.callbacks.Continuation(LINEAR)
        history = model.fit(
            *features, batch_size=6, verbose=0, callbacks=[callback]
        )
    assert history.history["beta"] == [LINEAR(11)]


def test_finds_every_scaled_tanh_however_deep(features):
    def block(width, name):
        inputs = keras.Input((width,))
        outputs = keras.layers.Dense(4)(inputs)
        outputs = hn.layers.ScaledTanh(beta=0.5, name=name)(outputs)
        return keras.Model(inputs, outputs)

    inner = keras.Sequential([keras.Input((5,)), block(5, "inner")])
    inputs = keras.Input((5,))
    middle = keras.Model(inputs, block(4, "middle")(inner(inputs)))
    model = keras.Sequential(
        [keras.Input((5,)), middle, hn.layers.ScaledTanh(name="outer")]
    )
    model.compile("sgd", hn.losses.WeightedPairwiseLoss(), run_eagerly=True)
    model.fit(
        *features,
        batch_size=6,
        verbose=0,
        callbacks=[hn.callbacks.Continuation(STAGED)],
    )
    layers = [
        layer
        for layer in model._flatten_layers()
        if isinstance(layer, hn.layers.ScaledTanh)
    ]
    assert {layer.name for layer in layers} == {"inner", "middle", "outer"}
    assert [float(layer.beta.numpy()) for layer in layers] == [STAGED(3)] * 3


def test_a_model_without_a_scaled_tanh_is_an_error(features):
    model = keras.Sequential(
        [keras.Input((5,)), keras.layers.Dense(4, name="only")], name="plain"
    )
    model.compile("sgd", "mse")
    with pytest.raises(ValueError, match=r"Received: model='plain' .*'only'"):
        model.fit(
            features[0],
            np.zeros((24, 4)),
            verbose=0,
            callbacks=[hn.callbacks.Continuation(LINEAR)],
        )


@pytest.mark.parametrize("schedule", [None, 2.0, lambda step: 1.0])
def test_refuses_what_is_no_schedule(schedule):
    with pytest.raises(ValueError, match="Received: schedule="):
        hn.callbacks.Continuation(schedule)


def test_under_loss_scaling_beta_follows_the_steps(head, features):
    model = head()
    model.compile(
        keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD(0.01)),
        model.loss,
        run_eagerly=True,
    )
    history = model.fit(
        *features,
        batch_size=6,
        epochs=2,
        verbose=0,
        callbacks=[hn.callbacks.Continuation(LINEAR)],
    )
    assert history.history["beta"] == [LINEAR(3), LINEAR(7)]


def waiting(model, features, betas, epochs, patience=2, others=()):
    """Returns beta of each epoch where the loss only falls in the first."""
    model.optimizer.learning_rate = 0.0
    schedule = hn.schedules.StagedBeta(betas, patience=patience)
    history = model.fit(
        *features,
        batch_size=24,
        shuffle=False,
        epochs=epochs,
        verbose=0,
        callbacks=[hn.callbacks.Continuation(schedule), *others],
    )
    return history.history["beta"]


def test_patience_ends_a_stage(head, features):
    betas = waiting(head(), features, [1.0, 2.0, 4.0], epochs=8)
    assert betas == [1.0] * 3 + [2.0] * 3 + [4.0] * 2


def test_a_falling_loss_keeps_the_stage(head, features):
    model = head()
    schedule = hn.schedules.StagedBeta([1.0, 2.0], patience=1)
    history = model.fit(
        *features,
        batch_size=24,
        epochs=5,
        verbose=0,
        callbacks=[hn.callbacks.Continuation(schedule)],
    )
    losses = history.history["loss"]
    assert all(a > b for a, b in zip(losses, losses[1:], strict=False))
    assert history.history["beta"] == [1.0] * 5


def test_patience_begins_at_its_first_stage(head, features):
    # A new layer's beta is 1, which is a later stage of this schedule.
    betas = waiting(head(), features, [0.5, 1.0, 2.0], epochs=4)
    assert betas == [0.5] * 3 + [1.0]


def test_a_new_optimizer_begins_the_stages_anew(head, features):
    model = head()
    assert waiting(model, features, [1.0, 2.0], epochs=5)[-1] == 2.0
    model.compile("sgd", model.loss, run_eagerly=True)
    # With the old stage's lowest loss the first epoch would be waited for.
    with pytest.warns(UserWarning, match="begins anew at 1, from 2 that"):
        betas = waiting(model, features, [1.0, 2.0], epochs=4)
    assert betas == [1.0] * 3 + [2.0]


def fit_twice(model, features, again):
    """Betas of 5 epochs of stages of 3, with a second `fit` after 2 of them."""
    model.optimizer.learning_rate = 0.0
    schedule = hn.schedules.StagedBeta([1.0, 2.0, 4.0], patience=2)
    callback = hn.callbacks.Continuation(schedule)
    found, losses = [], []
    for epochs in (2, 3):
        history = model.fit(
            *features,
            batch_size=24,
            shuffle=False,
            epochs=epochs,
            verbose=0,
            callbacks=[callback],
        ).history
        found += history["beta"]
        losses += history["loss"]
        callback = again(callback, schedule, losses)
    return found


@pytest.mark.slow
def test_patience_goes_on_in_a_second_fit(head, features):
    whole = [1.0] * 3 + [2.0] * 2
    again = {
        "the same": lambda callback, schedule, losses: callback,
        "the losses": lambda callback, schedule, losses: (
            hn.callbacks.Continuation(schedule, losses)
        ),
        "nothing": lambda callback, schedule, losses: hn.callbacks.Continuation(
            schedule
        ),
    }
    found = {
        name: fit_twice(head(), features, make) for name, make in again.items()
    }
    assert found["the same"] == found["the losses"] == whole
    # The stage is known, and how long it has waited is not.
    assert found["nothing"] == [1.0] * 5


def test_without_its_losses_a_resumed_run_stays_in_its_stage(head, features):
    model = head()
    schedule = hn.schedules.StagedBeta([1.0, 2.0, 4.0], patience=1)
    assert waiting(model, features, schedule.betas, 3, 1)[-1] == 2.0
    assert waiting(model, features, schedule.betas, 3, 1) == [2.0, 2.0, 4.0]


RESUMED = {
    "held": hn.schedules.SquareRootBeta(gamma=0.5, power=0.5, step_size=3),
    "each step": LINEAR,
    "staged": STAGED,
    "patience": hn.schedules.StagedBeta([1.3, 2.1, 4.7], patience=2),
}
STEPS = 4


def epochs_of(name):
    # Of stages of three epochs each, one must end behind the kill.
    return 8 if name == "patience" else 4


def train(model, features, name, callbacks, initial_epoch=0, losses=()):
    if name == "patience":
        # Every stage then lasts three epochs; a wait lost shows.
        model.optimizer.learning_rate = 0.0
    history = model.fit(
        *features,
        batch_size=6,
        shuffle=False,
        epochs=epochs_of(name),
        initial_epoch=initial_epoch,
        verbose=0,
        callbacks=[
            hn.callbacks.Continuation(RESUMED[name], losses),
            *callbacks,
        ],
    )
    return history.history["beta"]


def resume(way, folder, model):
    """Returns the callback that saves and restores, and the epoch to start."""
    if way == "backup":
        return keras.callbacks.BackupAndRestore(folder), 0
    checkpoint = hn.callbacks.LastCheckpoint(folder / "last.weights.h5")
    return checkpoint, checkpoint.restore(model) // STEPS


@pytest.mark.slow
@pytest.mark.parametrize("name", RESUMED)
def test_a_killed_and_resumed_run_has_the_betas_of_an_unbroken_one(
    name, head, features, recorder, kill, killed, tmp_path
):
    # Another test shows that a compiled step uses beta.
    eager = name == "each step"
    whole, unbroken = head(run_eagerly=eager), recorder()
    by_epoch = train(whole, features, name, [unbroken])
    losses = whole.history.history["loss"]
    assert unbroken.steps == list(range(1, epochs_of(name) * STEPS + 1))
    assert len(set(unbroken.betas)) > 2
    # Killed within an epoch, or after the last batch of the one before.
    begun = (epochs_of(name) // 2 + 1) * STEPS
    ways = [
        ("backup", begun, begun - STEPS),
        ("last checkpoint", begun + 2, begun),
    ]
    if not eager:
        ways.append(("backup", begun + 2, begun))
    for way, after, kept in ways:
        folder, model = tmp_path / f"{way}{after}", head(run_eagerly=eager)
        first, rest = recorder(), recorder()
        saving, initial_epoch = resume(way, folder, model)
        assert initial_epoch == 0
        with pytest.raises(killed):
            train(model, features, name, [saving, first, kill(after)])
        model = head(run_eagerly=eager)
        saving, initial_epoch = resume(way, folder, model)
        rest_by_epoch = train(
            model,
            features,
            name,
            [saving, rest],
            initial_epoch,
            losses[: kept // STEPS],
        )
        assert first.steps == unbroken.steps[:after]
        assert first.betas == unbroken.betas[:after]
        assert first.logged == unbroken.logged[:after]
        assert rest.steps == unbroken.steps[kept:]
        assert rest.betas == unbroken.betas[kept:]
        assert rest.logged == unbroken.logged[kept:]
        assert rest_by_epoch == by_epoch[kept // STEPS :]
        for one, other in zip(whole.weights, model.weights, strict=True):
            np.testing.assert_array_equal(one, other)


def fit_on(model, features, **arguments):
    return model.fit(
        *features,
        batch_size=6,
        epochs=1,
        verbose=0,
        callbacks=[hn.callbacks.Continuation(LINEAR, **arguments)],
    ).history["beta"]


def recompiled(model, features):
    model.backbone.trainable = True
    model.compile("sgd", model.loss, run_eagerly=True)
    return model


def loaded(model, features):
    fresh = keras.models.clone_model(model)
    fresh.set_weights(model.get_weights())
    fresh.compile("sgd", model.loss, run_eagerly=True)
    return fresh


@pytest.mark.parametrize(
    "again", [recompiled, pytest.param(loaded, marks=pytest.mark.slow)]
)
def test_with_a_new_optimizer_beta_begins_anew_or_goes_on(
    again, head, features
):
    model = head()
    model.backbone.trainable = False
    assert fit_on(model, features) == [LINEAR(3)]
    model = again(model, features)
    warning = re.escape(f"anew at 1, from {LINEAR(3):.4g} that") + ".*`start`"
    with pytest.warns(UserWarning, match=warning):
        assert fit_on(model, features) == [LINEAR(3)]
    model = again(model, features)
    assert fit_on(model, features, start=4) == [LINEAR(7)]
    # The same optimizer counts on by itself.
    assert fit_on(model, features, start=4) == [LINEAR(11)]


def test_with_start_a_stage_goes_on(head, features):
    betas = [1.0, 2.0, 4.0]
    model = head()
    assert waiting(model, features, betas, epochs=4)[-1] == 2.0
    model.compile("sgd", model.loss, run_eagerly=True)
    callback = hn.callbacks.Continuation(
        hn.schedules.StagedBeta(betas, patience=2), start=4
    )
    history = model.fit(*features, verbose=0, callbacks=[callback])
    assert history.history["beta"] == [2.0]


def test_with_accumulation_a_step_is_the_optimizers(head, features, recorder):
    model, recorder = head(), recorder()
    model.compile(
        keras.optimizers.SGD(0.1, gradient_accumulation_steps=2),
        model.loss,
        run_eagerly=True,
    )
    callbacks = [hn.callbacks.Continuation(LINEAR), recorder]
    model.fit(*features, batch_size=6, verbose=0, callbacks=callbacks)
    assert recorder.logged == [LINEAR(step) for step in (0, 0, 1, 1)]


@pytest.mark.parametrize(
    "wrap",
    [
        hn.models.LogitsModel,
        lambda model: hn.models.ClassifiedModel(model, classes=3),
    ],
)
def test_warns_where_beta_trains_nothing(wrap, head, features):
    model = wrap(head())
    for schedule in (LINEAR, hn.schedules.StagedBeta([1, 2], patience=1)):
        callback = hn.callbacks.Continuation(schedule)
        callback.set_model(model)
        model.compile("sgd", "mse")
        with pytest.warns(UserWarning, match="beta has no effect on how a"):
            callback.on_train_begin()
    # What keeps it at 1 does no harm.
    still = hn.callbacks.Continuation(hn.schedules.StagedBeta([1.0], 5))
    still.set_model(model)
    still.on_train_begin()


def test_obeys_verbose(head, features, capsys):
    model = head()
    for fits, own, lines in VERBOSE:
        callback = hn.callbacks.Continuation(LINEAR, verbose=own)
        model.fit(*features, verbose=fits, callbacks=[callback])
        told = capsys.readouterr().out
        assert told.count("beta ended at") == lines, (fits, own)


@pytest.mark.parametrize(
    "arguments, received",
    [
        ({"start": -1}, "start=-1"),
        ({"start": 2.5}, "start=2.5"),
        ({"verbose": "loud"}, "verbose='loud'"),
    ],
)
def test_refuses_arguments(arguments, received):
    with pytest.raises(ValueError, match=f"Received: {received}"):
        hn.callbacks.Continuation(LINEAR, **arguments)


def test_beta_is_assigned_where_it_changes(monkeypatch):
    assigned = []
    assign = hn.callbacks.Continuation._assign

    def noted(callback, beta):
        assigned.append(round(beta, 3))
        assign(callback, beta)

    monkeypatch.setattr(hn.callbacks.Continuation, "_assign", noted)
    schedule = hn.schedules.SquareRootBeta(gamma=1.0, step_size=3)
    model = one_weight()
    for _ in range(2):
        model.fit(
            np.ones((6, 1)),
            np.ones((6, 1)),
            batch_size=1,
            verbose=0,
            callbacks=[hn.callbacks.Continuation(schedule)],
        )
    # 12 steps, the first at the beta that a new layer has.
    assert assigned == [2.0, 2.646, 3.162]
