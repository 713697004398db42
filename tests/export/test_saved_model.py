import json
import pathlib
import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf

import hashnet_tf as hn
from hashnet_tf.datasets.pixels.decoding import decode_image, resize_image
from hashnet_tf.export.freeze import description
from hashnet_tf.export.serving.warmup import warmup_requests, write_warmup

STRANGERS = ["run_saved_model.py", "run_c_session.py"]
NAMES = ["12", "48", "zero"]
LOADERS = ["in_python", "in_session", "in_c_session"]


@pytest.fixture(scope="module")
def files():
    """A PNG and a JPEG of sizes of their own."""
    rng = np.random.default_rng(5)
    first = rng.integers(0, 256, (31, 17, 3), dtype=np.uint8)
    second = rng.integers(0, 256, (9, 40, 3), dtype=np.uint8)
    return [
        tf.io.encode_png(first).numpy(),
        tf.io.encode_jpeg(second).numpy(),
    ]


@pytest.fixture(scope="module")
def inputs(images, files):
    return {
        "serving_default/trained": images,
        "embed/trained": images,
        "encode_images/trained": images,
        "encode_images/large": large(images),
        "encode_bytes/trained": [tf.io.encode_png(i).numpy() for i in images],
        "encode_bytes/files": files,
    }


def large(images):
    return images.repeat(3, axis=1).repeat(2, axis=2)[:5]


@pytest.fixture(scope="module")
def outputs(saved_models, inputs, tmp_path_factory):
    """All outputs of all SavedModels, without hashnet_tf."""
    folder = tmp_path_factory.mktemp("stranger")
    np.savez(folder / "inputs.npz", **inputs)
    outputs = {}
    for stranger in STRANGERS:
        subprocess.run(
            [
                sys.executable,
                str(pathlib.Path(__file__).with_name(stranger)),
                str(folder / "inputs.npz"),
                str(folder / "outputs.npz"),
                *map(str, saved_models.values()),
            ],
            check=True,
            cwd=folder,
        )
        outputs |= np.load(folder / "outputs.npz")
    return outputs


def check_bits(outputs, key, expected, bits):
    codes, signs = outputs[f"{key}/codes"], outputs[f"{key}/signs"]
    assert codes.dtype == np.uint8 and signs.dtype == np.int8
    np.testing.assert_array_equal(codes, expected)
    np.testing.assert_array_equal(signs, hn.retrieval.unpack(codes, bits))
    np.testing.assert_array_equal(outputs[f"{key}/code_bytes"], codes)


@pytest.mark.parametrize("loader", LOADERS)
@pytest.mark.parametrize("name", NAMES)
def test_every_signature_gives_the_models_bits(
    name, loader, models, saved_models, images, files, outputs
):
    model, start = models[name], f"{saved_models[name]}/{loader}"
    expected = model.encode(images)
    for signature in ("serving_default", "encode_images", "encode_bytes"):
        key = f"{start}/{signature}/trained"
        check_bits(outputs, key, expected, model.bits)
    resized = resize_image(large(images), (16, 20)).numpy()
    key = f"{start}/encode_images/large"
    check_bits(outputs, key, model.encode(resized), model.bits)
    decoded = [resize_image(decode_image(f), (16, 20)) for f in files]
    key = f"{start}/encode_bytes/files"
    check_bits(outputs, key, model.encode(np.stack(decoded)), model.bits)


@pytest.mark.parametrize("loader", LOADERS)
def test_embed_gives_z(loader, models, saved_models, images, outputs):
    z = outputs[f"{saved_models['12']}/{loader}/embed/trained/z"]
    assert z.dtype == np.float32
    expected = models["12"].logits(images, training=False)
    np.testing.assert_allclose(z, expected, atol=1e-6)


def test_the_bits_tested_are_of_both_kinds(models, images):
    for name in ("12", "48"):
        ones = hn.retrieval.unpack(models[name].encode(images), int(name)) > 0
        assert 0.3 < ones.mean() < 0.7
    signs = hn.retrieval.unpack(models["zero"].encode(images), 12)
    assert (signs == 1).all()


@pytest.mark.parametrize("signature", ["serving_default", "embed"])
def test_another_size_is_refused_in_the_graph(signature, saved_models):
    path, wrong = str(saved_models["12"]), np.zeros((2, 20, 20, 3), np.uint8)
    loaded = tf.saved_model.load(path)
    with pytest.raises(tf.errors.InvalidArgumentError, match="expected shape"):
        loaded.signatures[signature](images=tf.constant(wrong))
    with tf.compat.v1.Session(graph=tf.Graph()) as session:
        graph = tf.compat.v1.saved_model.load(session, ["serve"], path)
        tensors = graph.signature_def[signature]
        feed = {tensors.inputs["images"].name: wrong}
        for output in tensors.outputs.values():
            with pytest.raises((ValueError, tf.errors.InvalidArgumentError)):
                session.run(output.name, feed)


@pytest.mark.parametrize("signature", ["serving_default", "embed"])
def test_images_may_be_floats(signature, models, images, tmp_path):
    path = hn.export.to_saved_model(
        models["12"], tmp_path, image_dtype="float32"
    )
    encoder = hn.export.SavedModelEncoder(path)
    # Between two bytes too.
    shifted = images.astype(np.float32) / 1.01
    z = models["12"].logits(shifted, training=False).numpy()
    outputs = encoder.run(signature, shifted)
    if signature == "embed":
        np.testing.assert_allclose(outputs["z"], z, atol=1e-6)
    else:
        clear = np.abs(z) > 1e-5
        assert clear.mean() > 0.99
        np.testing.assert_array_equal(
            (outputs["signs"] > 0)[clear], z[clear] > 0
        )
    np.testing.assert_array_equal(
        encoder.encode(images), models["12"].encode(images)
    )


@pytest.mark.parametrize("image_dtype", ["int8", "float16", tf.uint8, None])
def test_refuses_other_image_dtypes(image_dtype, models, tmp_path):
    with pytest.raises(ValueError, match="Received: image_dtype="):
        hn.export.to_saved_model(
            models["12"], tmp_path, image_dtype=image_dtype
        )


def test_one_bad_file_spoils_no_other(models, saved_models, images, files):
    encoder = hn.export.SavedModelEncoder(saved_models["48"])
    bad = [b"", b"no image", files[0][:200], files[1][:300], b"GIF89a"]
    mixed = [bad[0], files[0], *bad[1:4], files[1], bad[4]]
    outputs = encoder.run("encode_bytes", mixed)
    good = [1, 5]
    assert np.flatnonzero(outputs["ok"]).tolist() == good
    decoded = [resize_image(decode_image(file), (16, 20)) for file in files]
    expected = np.zeros((7, 6), np.uint8)
    expected[good] = models["48"].encode(np.stack(decoded))
    np.testing.assert_array_equal(outputs["codes"], expected)
    assert list(outputs["code_bytes"]) == [row.tobytes() for row in expected]
    assert (outputs["signs"][~outputs["ok"]] == 0).all()
    assert (np.abs(outputs["signs"][good]) == 1).all()
    nothing_good = encoder.run("encode_bytes", bad)
    assert not nothing_good["ok"].any() and not nothing_good["codes"].any()


@pytest.mark.parametrize("shape", [(), (2, 2)])
def test_files_must_be_a_row(shape, saved_models):
    loaded = tf.saved_model.load(str(saved_models["12"]))
    with pytest.raises((tf.errors.InvalidArgumentError, ValueError)):
        loaded.signatures["encode_bytes"](image_bytes=tf.fill(shape, b""))


def test_holds_the_weights_without_tanh_beta_and_optimizer(tmp_path, models):
    model = keras.models.clone_model(models["12"])
    model.compile("adam", hn.losses.WeightedPairwiseLoss())
    labels = np.arange(8) % 2
    model.fit(np.zeros((8, 16, 20, 3)), labels, verbose=0)
    path = hn.export.to_saved_model(model, tmp_path)
    found = tf.train.list_variables(str(path / "variables" / "variables"))
    weights = len(model.backbone.weights) + len(model.hash_layer.weights)
    assert len([v for v in found if "OBJECT_GRAPH" not in v[0]]) == weights
    graph = tf.saved_model.load(str(path)).signatures["serving_default"].graph
    nodes = graph.as_graph_def().library.function
    operators = {node.op for function in nodes for node in function.node_def}
    assert "EnsureShape" in operators and "Tanh" not in operators


def test_assets_tell_what_it_is(models, saved_models):
    path = saved_models["12"] / "assets.extra" / "hashnet.json"
    assert json.loads(path.read_text()) == {
        **description(models["12"]),
        "image_dtype": "uint8",
        "image_bytes": {
            "formats": ["JPEG", "PNG", "WebP", "BMP"],
            "max_pixels": 2**26,
            "max_side": 2**16,
        },
        "retrieval": None,
    }


@pytest.mark.parametrize("image_dtype", ["uint8", "float32"])
def test_assets_hold_a_request_for_each_signature(
    image_dtype, models, tmp_path
):
    path = hn.export.to_saved_model(
        models["12"], tmp_path / "model", image_dtype=image_dtype
    )
    expected = tmp_path / "expected"
    write_warmup(expected, warmup_requests((16, 20), image_dtype))
    found = path / "assets.extra" / "tf_serving_warmup_requests"
    assert found.read_bytes() == expected.read_bytes()


def test_assets_hold_the_retrieval_report(models, tmp_path):
    codes, labels = np.uint8([[0, 0], [255, 240]]), np.array([0, 1])
    report = hn.retrieval.evaluate(codes, codes, labels, labels, 12, at=2)
    path = hn.export.to_saved_model(models["12"], tmp_path, report=report)
    text = (path / "assets.extra" / "hashnet.json").read_text()
    told = json.loads(text)["retrieval"]
    assert hn.retrieval.RetrievalReport.from_dict(told) == report


def test_a_version_is_never_overwritten(tmp_path, models):
    first = hn.export.to_saved_model(models["zero"], tmp_path)
    before = {p: p.read_bytes() for p in first.rglob("*") if p.is_file()}
    with pytest.raises(ValueError, match="Received: version=1"):
        hn.export.to_saved_model(models["12"], tmp_path, 1)
    after = {p: p.read_bytes() for p in first.rglob("*") if p.is_file()}
    assert after == before
    assert hn.export.to_saved_model(models["12"], tmp_path, 9).name == "9"
    (tmp_path / "notes").touch()
    assert hn.export.to_saved_model(models["12"], tmp_path).name == "10"
    there = ["1", "10", "9", "notes"]
    assert sorted(p.name for p in tmp_path.iterdir()) == there


@pytest.mark.parametrize("version", [0, -1, 1.0, "1", True])
def test_refuses_a_version_that_is_no_positive_integer(
    version, tmp_path, models
):
    with pytest.raises(ValueError, match=f"Received: version={version!r}"):
        hn.export.to_saved_model(models["12"], tmp_path, version)


def test_a_failed_write_leaves_nothing(tmp_path, models, monkeypatch):
    def fail(path, model):
        raise OSError("disk full")

    monkeypatch.setattr("hashnet_tf.export.saved_model.check_signatures", fail)
    with pytest.raises(OSError, match="disk full"):
        hn.export.to_saved_model(models["12"], tmp_path)
    assert list(tmp_path.iterdir()) == []
