"""SavedModels that are wrong in one way each, as a mistake would make them."""

import shutil

import numpy as np
import pytest
import tensorflow as tf

import hashnet_tf as hn
from hashnet_tf.export import freeze, saved_model
from hashnet_tf.export.saved_model import check_signatures


def test_a_right_one_passes(saved_models, models):
    for name, path in saved_models.items():
        check_signatures(path, models[name])


def test_one_of_other_weights_is_found(saved_models, models):
    with pytest.raises(hn.export.ParityError, match="serving_default, does"):
        check_signatures(saved_models["12"], models["other"])


def test_lost_variables_are_found(saved_models, models, tmp_path):
    path = tmp_path / "1"
    shutil.copytree(saved_models["12"], path)
    shutil.rmtree(path / "variables")
    with pytest.raises(ValueError, match=r"Received: .*/1 \(The passed"):
        check_signatures(path, models["12"])


saved_model_frame = saved_model.frame_image


def wrong_frame(images, size, framing):
    framed = saved_model_frame(images, size, framing)
    # The check, which is eager, frames by the same name and stays right.
    return framed if tf.executing_eagerly() else tf.zeros_like(framed)


def all_ok(files, size, framing):
    images, ok = saved_model_decode(files, size, framing)
    return images, tf.ones_like(ok)


saved_model_decode = saved_model.decode_files


def shuffled(files, size, framing):
    images, ok = saved_model_decode(files, size, framing)
    return images[::-1], ok


ensure_shape = tf.ensure_shape


def no_check(images, shape):
    if len(shape) != 4:
        return ensure_shape(images, shape)
    return images[:, : shape[1], : shape[2]]


@pytest.mark.parametrize(
    "place, name, wrong, message",
    [
        (saved_model, "frame_image", wrong_frame, "encode_images, does not"),
        (saved_model, "decode_files", shuffled, "encode_bytes, does not"),
        (saved_model, "decode_files", all_ok, "images from other files"),
        (freeze.tf, "ensure_shape", no_check, "of another size"),
    ],
)
def test_a_mistake_is_found_and_nothing_stays(
    place, name, wrong, message, models, tmp_path, monkeypatch
):
    monkeypatch.setattr(place, name, wrong)
    with pytest.raises(hn.export.ParityError, match=message):
        hn.export.to_saved_model(models["12"], tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_another_z_is_found(models, tmp_path, monkeypatch):
    right = saved_model.frozen_z

    def wrong(model, images):
        z = right(model, images)
        return tf.where(tf.abs(z) > 0, z * np.float32(1.01), z)

    monkeypatch.setattr(saved_model, "frozen_z", wrong)
    with pytest.raises(hn.export.ParityError, match="embed, does not give"):
        hn.export.to_saved_model(models["12"], tmp_path)
    assert list(tmp_path.iterdir()) == []
