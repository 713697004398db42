"""Backbones of KerasHub, from their configurations: trained and exported."""

import importlib.util
import warnings

import keras
import numpy as np
import pytest

import hashnet_tf as hn
from hashnet_tf.export.formats import FORMATS

# Of the extra [onnx], which not everybody has.
HAS_ONNX = all(map(importlib.util.find_spec, ("tf2onnx", "onnxruntime")))
N = 40
LABELS = np.arange(N) % 4

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def keras_hub():
    with warnings.catch_warnings():
        # Of what it imports, none of which is used here.
        warnings.simplefilter("ignore")
        return pytest.importorskip("keras_hub")


def tokens():
    """Token ids `[40, 9]`, of another vocabulary in each class, as BERT's."""
    rng = np.random.default_rng(0)
    length = rng.integers(5, 10, (N, 1))
    mask = (np.arange(9) < length).astype("int32")
    ids = 10 * LABELS[:, None] + rng.integers(1, 10, (N, 9))
    return {
        "token_ids": (ids * mask).astype("int32"),
        "segment_ids": (np.arange(9) > length // 2).astype("int32") * mask,
        "padding_mask": mask,
    }


def images():
    """uint8 images `[40, 16, 16, 3]`, of another tint in each class."""
    rng = np.random.default_rng(0)
    tint = rng.integers(0, 192, (4, 1, 1, 3))[LABELS]
    return (tint + rng.integers(0, 64, (N, 16, 16, 3))).astype("uint8")


def on_bert(keras_hub):
    bert = keras_hub.models.BertBackbone(
        vocabulary_size=50,
        num_layers=2,
        num_heads=2,
        hidden_dim=16,
        intermediate_dim=32,
        max_sequence_length=16,
    )
    return keras.Model(bert.input, bert.output["pooled_output"]), tokens()


def on_vit(keras_hub):
    vit = keras_hub.models.ViTBackbone(
        image_shape=(16, 16, 3),
        patch_size=4,
        num_layers=2,
        num_heads=2,
        hidden_dim=16,
        mlp_dim=32,
    )
    pixels = keras.Input((16, 16, 3), name="images")
    x = vit(keras.layers.Rescaling(1 / 127.5, offset=-1.0)(pixels))
    return keras.Model(pixels, x[:, 0]), images()


@pytest.mark.parametrize("made", [on_bert, on_vit])
def test_a_backbone_is_trained_and_exported(made, keras_hub, tmp_path):
    keras.utils.set_random_seed(0)
    backbone, inputs = made(keras_hub)
    layer = keras.layers.Dense(12, name="hash")
    model = hn.HashNet(backbone, 12, hash_layer=layer)
    model.compile(keras.optimizers.Adam(1e-3), hn.losses.WeightedPairwiseLoss())
    before = [weight.numpy() for weight in backbone.trainable_weights]
    evaluation = hn.callbacks.RetrievalEvaluation(inputs, LABELS, at=5)
    history = model.fit(
        inputs, LABELS, batch_size=20, verbose=0, callbacks=[evaluation]
    ).history
    assert 0.0 < history["val_map"][0] <= 1.0
    moved = [
        (old != weight.numpy()).any()
        for old, weight in zip(before, backbone.trainable_weights, strict=True)
    ]
    assert np.mean(moved) > 0.9
    codes = model.encode(inputs)
    z = np.asarray(model.logits(inputs, training=False))
    clear = np.abs(z) > 1e-4 * np.abs(z).max()
    bits = np.unpackbits(codes, axis=1, count=12)
    np.testing.assert_array_equal(bits[clear], (z >= 0)[clear])
    assert len(np.unique(codes, axis=0)) > 5
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(loaded.encode(inputs), codes)
    for name, kind in FORMATS.items():
        if kind.extra and not HAS_ONNX:
            continue
        place = tmp_path / kind.file_name(name)
        path = kind.function("write")(model, place)
        report = kind.function("check")(path, model, inputs)
        assert report.bits_moved == 0
        encoder = hn.export.load_encoder(path)
        np.testing.assert_array_equal(encoder.encode(inputs), codes)
