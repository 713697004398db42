import shutil

import numpy as np
import pytest
import tensorflow as tf

import hashnet_tf as hn
from hashnet_tf.models import weights_digest


@pytest.mark.parametrize("name", ["12", "48", "zero"])
def test_encodes_any_number_of_images(name, models, saved_models, images):
    encoder = hn.export.SavedModelEncoder(saved_models[name])
    for n in (0, 1, 32, 70):
        codes = encoder.encode(images[:n])
        assert codes.dtype == np.uint8
        np.testing.assert_array_equal(codes, models[name].encode(images[:n]))


def test_tells_what_it_is(models, saved_models):
    encoder = hn.export.SavedModelEncoder(str(saved_models["48"]))
    assert encoder.bits == 48
    assert encoder.image_size == (16, 20)
    assert encoder.model_digest == weights_digest(models["48"])
    assert encoder.description["bit_order"] == "big"
    assert {"serving_default", "encode_images", "encode_bytes", "embed"} < set(
        encoder.signatures
    )


@pytest.mark.parametrize(
    "wrong, message",
    [
        (np.zeros((2, 20, 20, 3), np.uint8), r"images.shape=\(2, 20, 20, 3\)"),
        (np.zeros((2, 16, 20, 3), int), "images.dtype=int64"),
    ],
)
def test_refuses_other_images(wrong, message, saved_models):
    encoder = hn.export.SavedModelEncoder(saved_models["12"])
    with pytest.raises(ValueError, match=message):
        encoder.encode(wrong)


def test_refuses_another_saved_model(tmp_path):
    module = tf.Module()
    module.double = tf.function(lambda x: 2 * x, [tf.TensorSpec([1])])
    tf.saved_model.save(module, str(tmp_path))
    with pytest.raises(ValueError, match=f"Received: {tmp_path}$"):
        hn.export.SavedModelEncoder(tmp_path)


@pytest.mark.parametrize(
    "name",
    ["saved_model.pb", "variables/variables.data-00000-of-00001"],
)
def test_refuses_files_that_have_changed(name, saved_models, tmp_path):
    folder = tmp_path / "1"
    shutil.copytree(saved_models["12"], folder)
    content = bytearray((folder / name).read_bytes())
    content[len(content) // 2] ^= 1
    (folder / name).write_bytes(content)
    with pytest.raises(ValueError, match=f"{name}, which has changed"):
        hn.export.SavedModelEncoder(folder)
    (folder / name).unlink()
    with pytest.raises(ValueError, match=f"{name}, which has gone"):
        hn.export.SavedModelEncoder(folder)


@pytest.mark.parametrize("told", ["", "{}", "[]", '{"bits": 12}'])
def test_refuses_a_damaged_description(told, saved_models, tmp_path):
    folder = tmp_path / "1"
    shutil.copytree(saved_models["12"], folder)
    (folder / "assets.extra" / "hashnet.json").write_text(told)
    with pytest.raises(ValueError, match="hashnet.json must be as"):
        hn.export.SavedModelEncoder(folder)


def test_refuses_the_folder_of_all_versions(saved_models):
    with pytest.raises(ValueError, match="holds assets.extra/hashnet.json"):
        hn.export.SavedModelEncoder(saved_models["12"].parent)
