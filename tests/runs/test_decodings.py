import collections
import importlib

import pytest
import tensorflow as tf

import hashnet_tf as hn

BATCHES = importlib.import_module("hashnet_tf.datasets.batches")
UNDECODABLE = importlib.import_module("hashnet_tf.datasets.pixels.undecodable")


@pytest.fixture
def decoded(monkeypatch):
    """Counter of the bytes that went through the decoder."""
    counts = collections.Counter()
    original = UNDECODABLE.decode_image

    def count(content):
        counts[content] += 1
        return content

    def counting(encoded):
        content = tf.numpy_function(count, [encoded], tf.string)
        return original(tf.ensure_shape(content, encoded.shape))

    for module in (BATCHES, UNDECODABLE):
        monkeypatch.setattr(module, "decode_image", counting)
    return counts


@pytest.fixture
def config(config_of, write_images, tmp_path):
    """Settings of a training on a folder of 80 images, each another."""
    names = [f"{c}/{i:02}.png" for c in "abcd" for i in range(20)]
    write_images(tmp_path / "images", names)
    return config_of(
        data=f"folder:{tmp_path / 'images'}",
        train_per_class=None,
        held_out=0.0,
        query_per_class=5,
        batch_size=20,
    )


@pytest.mark.slow
def test_each_image_once_for_each_purpose(decoded, config, tmp_path):
    run = hn.runs.train(config, tmp_path / "run")
    # 60 images are trained on, 2 epochs from memory, and as many are watched:
    # neither the 20 queries nor the database is touched.
    assert sum(decoded.values()) == 120
    assert set(decoded.values()) == {2} and len(decoded) == 60
    run.draw()
    assert sum(decoded.values()) == 120

    decoded.clear()
    run.evaluate(at=10)
    # The 20 queries and the 60 images of the database, each once.
    assert len(decoded) == sum(decoded.values()) == 80
    run.evaluate(at=20)
    assert sum(decoded.values()) == 80


@pytest.mark.slow
def test_features_are_taken_once(decoded, config, weights_file, tmp_path):
    settings = {**config.as_dict(), "weights": weights_file}
    frozen = hn.runs.TrainingConfig(**{**settings, "freeze_backbone": True})
    hn.runs.train(frozen, tmp_path / "run")
    # The database, which training does not need, is left alone.
    assert len(decoded) == sum(decoded.values()) == 60


@pytest.mark.slow
def test_looked_through_once_where_that_is_asked(decoded, config, tmp_path):
    settings = {**config.as_dict(), "skip_undecodable": True}
    hn.runs.train(hn.runs.TrainingConfig(**settings), tmp_path / "run")
    # All 80 to find what is to be left out, and then as ever.
    assert sum(decoded.values()) == 80 + 120
