import numpy as np
import pytest

import hashnet_tf as hn


def fit(model, features, epochs=2, callbacks=(), **arguments):
    return model.fit(
        *features,
        batch_size=12,
        shuffle=False,
        epochs=epochs,
        verbose=0,
        callbacks=list(callbacks),
        **arguments,
    )


def left(folder):
    return sorted(file.name for file in folder.iterdir())


def assert_same(one, other):
    found = [*one.weights, *one.optimizer.variables]
    expected = [*other.weights, *other.optimizer.variables]
    assert len(found) == len(expected)
    for a, b in zip(found, expected, strict=True):
        np.testing.assert_array_equal(a.numpy(), b.numpy())


def test_restores_weights_and_optimizer(head, features, tmp_path):
    checkpoint = hn.callbacks.LastCheckpoint(tmp_path / "last.weights.h5")
    trained, model = head(), head()
    fit(trained, features, callbacks=[checkpoint])
    assert checkpoint.restore(model) == 4
    assert_same(model, trained)
    # The momentum is there too: the next steps are the same.
    fit(trained, features)
    fit(model, features)
    assert_same(model, trained)


def test_restores_through_a_layerwise_optimizer(head, features, tmp_path):
    def make():
        model = head()
        model.compile(
            hn.optimizers.LayerwiseAdam(0.01, multipliers={"hash": 10.0}),
            model.loss,
            run_eagerly=True,
        )
        return model

    checkpoint = hn.callbacks.LastCheckpoint(tmp_path / "last.weights.h5")
    trained, model = make(), make()
    fit(trained, features, callbacks=[checkpoint])
    assert checkpoint.restore(model) == 4
    fit(trained, features)
    fit(model, features)
    assert_same(model, trained)


def test_without_a_file_nothing_is_restored(head, tmp_path):
    model = head()
    before = model.get_weights()
    path = tmp_path / "none" / "last.weights.h5"
    assert hn.callbacks.LastCheckpoint(str(path)).restore(model) == 0
    for old, new in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)
    assert not path.parent.exists()


def test_holds_the_last_whole_epoch(head, features, kill, killed, tmp_path):
    path = tmp_path / "checkpoints" / "last.weights.h5"
    checkpoint = hn.callbacks.LastCheckpoint(path)
    with pytest.raises(killed):
        fit(head(), features, 3, [checkpoint, kill(5)])
    model, whole = head(), head()
    fit(whole, features, 2)
    assert checkpoint.restore(model) == 4
    assert_same(model, whole)
    assert left(path.parent) == ["digests.json", path.name]


def test_a_kill_while_it_saves_leaves_the_epoch_before(
    head, features, killed, tmp_path, monkeypatch
):
    path = tmp_path / "last.weights.h5"
    checkpoint = hn.callbacks.LastCheckpoint(path)
    model = head()
    fit(model, features, 1, [checkpoint])
    whole = path.read_bytes()

    def cut_off(filepath):
        filepath.write_bytes(whole[:100])
        raise killed

    monkeypatch.setattr(model, "save_weights", cut_off)
    with pytest.raises(killed):
        fit(model, features, 1, [checkpoint])
    assert path.read_bytes() == whole
    assert left(tmp_path) == ["digests.json", path.name]
    resumed = head()
    assert checkpoint.restore(resumed) == 2
    fit(resumed, features, 1, [checkpoint])
    assert checkpoint.restore(head()) == 4
    assert left(tmp_path) == ["digests.json", path.name]


@pytest.mark.parametrize("name", ["last.h5", "last.keras", "last", "."])
def test_refuses_another_ending(name):
    with pytest.raises(ValueError, match=f"Received: path={name}"):
        hn.callbacks.LastCheckpoint(name)


def saved(model, folder):
    """Returns a checkpoint as it is after an epoch."""
    checkpoint = hn.callbacks.LastCheckpoint(folder / "last.weights.h5")
    model.optimizer.build(model.trainable_variables)
    checkpoint.set_model(model)
    checkpoint.on_epoch_end(0)
    return checkpoint


@pytest.mark.parametrize("digests", [True, False])
@pytest.mark.parametrize("size", [0, 5000])
def test_a_damaged_file_is_named(size, digests, head, tmp_path):
    checkpoint = saved(head(), tmp_path)
    if not digests:
        (tmp_path / "digests.json").unlink()
    with checkpoint.path.open("r+b") as file:
        file.truncate(size)
    with pytest.raises(ValueError) as error:
        checkpoint.restore(head())
    assert str(error.value).startswith(
        f"{checkpoint.path} must be whole, as it was written; delete it to"
        " begin anew. Received: "
    )


def test_a_changed_bit_is_told(head, tmp_path):
    checkpoint = saved(head(), tmp_path)
    content = bytearray(checkpoint.path.read_bytes())
    content[-1] ^= 1
    checkpoint.path.write_bytes(content)
    with pytest.raises(ValueError, match="Received: a file of another digest"):
        checkpoint.restore(head())
