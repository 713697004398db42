import keras
import numpy as np
import pytest

import hashnet_tf as hn
from hashnet_tf.runs import FeatureEncoder, networks


@pytest.fixture(scope="module", params=[{}, {"hidden": 8, "dropout": 0.5}])
def config(request, config_of, weights_file):
    return config_of(
        freeze_backbone=True,
        weights=weights_file,
        framing="paper",
        **request.param,
    )


@pytest.fixture(scope="module")
def saved(config, tmp_path_factory):
    """A model as a run with a frozen backbone saves it, and loads it again."""
    keras.utils.set_random_seed(2)
    backbone = networks.build_backbone(config)
    head = networks.build_head(config, 16)
    head.scaled_tanh.beta.assign(3.0)
    path = tmp_path_factory.mktemp("models") / "model.keras"
    head.on_top_of(backbone).save(path)
    return keras.saving.load_model(path)


def test_is_the_model_after_its_backbone(saved, config, queries):
    backbone = networks.build_backbone(config)
    encoder = FeatureEncoder(saved, backbone)
    assert (encoder.bits, encoder.image_size) == (12, (8, 8))
    assert encoder.framing == "paper"
    assert encoder.model_digest == hn.models.weights_digest(saved)
    pixels = hn.datasets.pixel_array(queries, (8, 8), "paper")
    features = backbone.predict(pixels, batch_size=128, verbose=0)
    codes = encoder.encode(features)
    np.testing.assert_array_equal(codes, saved.encode(pixels))
    assert len(np.unique(codes, axis=0)) > 10


def test_leaves_the_model_as_it_was(saved, config, queries):
    pixels = hn.datasets.pixel_array(queries, (8, 8), "paper")
    before, digest = saved.encode(pixels), hn.models.weights_digest(saved)
    FeatureEncoder(saved, networks.build_backbone(config))
    np.testing.assert_array_equal(saved.encode(pixels), before)
    assert hn.models.weights_digest(saved) == digest


def test_refuses_another_backbone(saved, config):
    backbone = networks.build_backbone(config)
    bias = backbone.weights[-1]
    bias.assign(bias + np.eye(16)[3])
    with pytest.raises(ValueError, match="has their file changed") as error:
        FeatureEncoder(saved, backbone)
    digest = hn.models.weights_digest(saved)
    assert str(error.value).endswith(f"in place of {digest}")
