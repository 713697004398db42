import functools
import hashlib
import json
import pathlib
import resource
import shutil
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf

import hashnet_tf as hn
from hashnet_tf.datasets.pixels.decoding import decode_image, resize_image
from hashnet_tf.datasets.pixels.framing import frame_image
from hashnet_tf.export import freeze, saved_model
from hashnet_tf.export.freeze import description
from hashnet_tf.export.saved_model import check_signatures
from hashnet_tf.export.serving.warmup import warmup_requests, write_warmup

# Those that give bits.
SIGNATURES = ("serving_default", "serve", "encode_images", "encode_bytes")
# TensorFlow in Python loads slowly: there one of the models is enough.
STRANGERS = {
    "run_saved_model.py": ["12"],
    "run_c_session.py": ["12", "48", "zero"],
}
LOADERS = [
    pytest.param("in_python", "run_saved_model.py", marks=pytest.mark.slow),
    pytest.param("in_session", "run_saved_model.py", marks=pytest.mark.slow),
    pytest.param("in_c_session", "run_c_session.py"),
]


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
        "serve/trained": images,
        "embed/trained": images,
        "encode_images/trained": images,
        "encode_images/large": large(images),
        "encode_bytes/trained": [tf.io.encode_png(i).numpy() for i in images],
        "encode_bytes/files": files,
    }


def large(images):
    return images.repeat(3, axis=1).repeat(2, axis=2)[:5]


@pytest.fixture(scope="module")
def outputs_of(saved_models, inputs, tmp_path_factory):
    """Gives all outputs of SavedModels in a stranger, without hashnet_tf."""
    folder = tmp_path_factory.mktemp("stranger")
    np.savez(folder / "inputs.npz", **inputs)

    @functools.cache
    def outputs_of(stranger):
        command = [
            sys.executable,
            pathlib.Path(__file__).with_name(stranger),
            folder / "inputs.npz",
            folder / "outputs.npz",
            *(saved_models[name] for name in STRANGERS[stranger]),
        ]
        subprocess.run([*map(str, command)], check=True, cwd=folder)
        return dict(np.load(folder / "outputs.npz"))

    return outputs_of


def check_bits(outputs, key, expected, bits):
    codes, signs = outputs[f"{key}/codes"], outputs[f"{key}/signs"]
    assert codes.dtype == np.uint8 and signs.dtype == np.int8
    np.testing.assert_array_equal(codes, expected)
    np.testing.assert_array_equal(signs, hn.retrieval.unpack(codes, bits))
    # Strings, of which a converter has no notion, stand apart.
    assert (f"{key}/code_bytes" in outputs) == ("/encode_" in key)
    np.testing.assert_array_equal(
        outputs.get(f"{key}/code_bytes", codes), codes
    )


@pytest.mark.parametrize("loader, stranger", LOADERS)
def test_every_signature_gives_the_models_bits(
    loader, stranger, models, saved_models, images, files, outputs_of
):
    outputs = outputs_of(stranger)
    for name in STRANGERS[stranger]:
        check_signatures_of(
            outputs,
            f"{saved_models[name]}/{loader}",
            models[name],
            images,
            files,
        )


def check_signatures_of(outputs, start, model, images, files):
    expected = model.encode(images)
    for signature in SIGNATURES:
        key = f"{start}/{signature}/trained"
        check_bits(outputs, key, expected, model.bits)
    resized = resize_image(large(images), (16, 20)).numpy()
    key = f"{start}/encode_images/large"
    check_bits(outputs, key, model.encode(resized), model.bits)
    decoded = [resize_image(decode_image(f), (16, 20)) for f in files]
    key = f"{start}/encode_bytes/files"
    check_bits(outputs, key, model.encode(np.stack(decoded)), model.bits)


@pytest.mark.parametrize("loader, stranger", LOADERS)
def test_embed_gives_z(
    loader, stranger, models, saved_models, images, outputs_of
):
    outputs = outputs_of(stranger)
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


@pytest.fixture(scope="module")
def loaded(saved_models):
    return tf.saved_model.load(str(saved_models["12"]))


@pytest.mark.parametrize("signature", ["serving_default", "embed"])
def test_another_size_is_refused_in_the_graph(signature, saved_models, loaded):
    path, wrong = str(saved_models["12"]), np.zeros((2, 20, 20, 3), np.uint8)
    with pytest.raises(tf.errors.InvalidArgumentError, match="expected shape"):
        loaded.signatures[signature](images=tf.constant(wrong))
    with tf.compat.v1.Session(graph=tf.Graph()) as session:
        graph = tf.compat.v1.saved_model.load(session, ["serve"], path)
        tensors = graph.signature_def[signature]
        feed = {tensors.inputs["images"].name: wrong}
        for output in tensors.outputs.values():
            with pytest.raises((ValueError, tf.errors.InvalidArgumentError)):
                session.run(output.name, feed)


def test_images_may_be_floats(trained_model, trained_saved_model, images):
    # In a folder whose name is a pattern.
    assert trained_saved_model.parts[-3:] == ("run[48]b*c?", "a\\b", "10")
    encoder = hn.export.SavedModelEncoder(trained_saved_model)
    # Between two bytes too.
    shifted = images.astype(np.float32) / 1.01
    z = trained_model.logits(shifted, training=False).numpy()
    found = encoder.run("embed", shifted)["z"]
    np.testing.assert_allclose(found, z, atol=1e-6)
    clear = np.abs(z) > 1e-5
    assert clear.mean() > 0.99
    signs = encoder.run("serving_default", shifted)["signs"]
    np.testing.assert_array_equal((signs > 0)[clear], z[clear] > 0)
    np.testing.assert_array_equal(
        encoder.encode(images), trained_model.encode(images)
    )


def test_frames_images_and_files_as_the_model_was_tested(
    trained_model, trained_saved_model, models
):
    large = np.random.default_rng(3).integers(0, 256, (40, 30, 45, 3), np.uint8)
    encoder = hn.export.SavedModelEncoder(trained_saved_model)
    assert encoder.framing == trained_model.framing == "modern"
    pixels = frame_image(large, (16, 20), "modern").numpy()
    expected = trained_model.encode(pixels)
    warped = frame_image(large, (16, 20)).numpy()
    assert (trained_model.encode(warped) != expected).any()
    files = [tf.io.encode_png(image).numpy() for image in large]
    for signature, values in {
        "serving_default": pixels.astype(np.float32),
        "encode_images": large,
        "encode_bytes": files,
    }.items():
        codes = encoder.run(signature, values)["codes"]
        np.testing.assert_array_equal(codes, expected)


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
def test_files_must_be_a_row(shape, loaded):
    with pytest.raises((tf.errors.InvalidArgumentError, ValueError)):
        loaded.signatures["encode_bytes"](image_bytes=tf.fill(shape, b""))


def test_holds_the_weights_without_tanh_beta_and_optimizer(
    trained_model, trained_saved_model, copied
):
    # From a folder whose name is no pattern, which TensorFlow reads itself.
    model, path = trained_model, copied(trained_saved_model)
    assert model.optimizer.iterations > 0
    found = tf.train.list_variables(str(path / "variables" / "variables"))
    weights = len(model.backbone.weights) + len(model.hash_layer.weights)
    assert len([v for v in found if "OBJECT_GRAPH" not in v[0]]) == weights
    graph = tf.saved_model.load(str(path)).signatures["serving_default"].graph
    nodes = graph.as_graph_def().library.function
    operators = {node.op for function in nodes for node in function.node_def}
    assert "EnsureShape" in operators and "Tanh" not in operators


def test_assets_tell_what_it_is(models, saved_models):
    path = saved_models["12"] / "assets.extra" / "hashnet.json"
    told = json.loads(path.read_text())
    digests = told.pop("digests")
    assert set(digests) == {
        "saved_model.pb",
        "variables/variables.index",
        "variables/variables.data-00000-of-00001",
    }
    for name, digest in digests.items():
        content = (saved_models["12"] / name).read_bytes()
        assert hashlib.sha256(content).hexdigest() == digest
    assert told == {
        **description(models["12"]),
        "image_dtype": "uint8",
        "image_bytes": {
            "formats": ["JPEG", "PNG", "WebP", "BMP"],
            "decoder": 2,
            "max_pixels": 2**26,
            "max_pixels_of_jpeg": 2**28,
            "max_side": 2**16,
        },
        "retrieval": None,
    }


@pytest.mark.parametrize("image_dtype", ["uint8", "float32"])
def test_assets_hold_a_request_for_each_signature(
    image_dtype, saved_models, trained_saved_model, tmp_path
):
    path = {"uint8": saved_models["12"], "float32": trained_saved_model}
    write_warmup(tmp_path / "a", warmup_requests((16, 20), image_dtype))
    found = path[image_dtype] / "assets.extra" / "tf_serving_warmup_requests"
    assert found.read_bytes() == (tmp_path / "a").read_bytes()


def test_assets_hold_the_retrieval_report(trained_saved_model, trained_report):
    text = (trained_saved_model / "assets.extra" / "hashnet.json").read_text()
    told = json.loads(text)
    assert told["image_dtype"] == "float32"
    report = hn.retrieval.RetrievalReport.from_dict(told["retrieval"])
    assert report == trained_report


def test_the_next_version_is_the_one_after_the_highest(trained_saved_model):
    assert trained_saved_model.name == "10"
    there = sorted(path.name for path in trained_saved_model.parent.iterdir())
    assert there == ["1", "10", "9", "notes"]


def test_a_full_disk_leaves_nothing(models, tmp_path):
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    # As many bytes as a file may have: the graph alone takes more.
    resource.setrlimit(resource.RLIMIT_FSIZE, (2**12, hard))
    try:
        with pytest.raises((OSError, tf.errors.OpError)):
            hn.export.to_saved_model(models["12"], tmp_path / "a")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert list((tmp_path / "a").iterdir()) == []


def test_a_version_is_never_overwritten(models, tmp_path):
    (tmp_path / "1").mkdir()
    (tmp_path / "1" / "a").write_text("of before")
    with pytest.raises(ValueError, match="Received: version=1"):
        hn.export.to_saved_model(models["12"], tmp_path, 1)
    assert [p.name for p in tmp_path.rglob("*")] == ["1", "a"]


@pytest.mark.parametrize("version", [0, -1, 1.0, "1", True])
def test_refuses_a_version_that_is_no_positive_integer(
    version, tmp_path, models
):
    with pytest.raises(ValueError, match=f"Received: version={version!r}"):
        hn.export.to_saved_model(models["12"], tmp_path, version)


class Disturbed(hn.export.SavedModelEncoder):
    """An encoder one of whose outputs is wrong."""

    wrong = None

    def run(self, signature, values):
        outputs = super().run(signature, values)
        at, name, change = self.wrong
        if at == signature:
            outputs = {**outputs, name: change(outputs[name])}
        return outputs


@pytest.mark.slow
@pytest.mark.parametrize(
    "wrong, message",
    [
        (("serving_default", "codes", np.invert), "serving_default, does not"),
        (("encode_images", "codes", np.invert), "encode_images, does not"),
        (("encode_bytes", "codes", lambda c: c[::-1]), "encode_bytes, does"),
        (("encode_bytes", "ok", np.ones_like), "images from other files"),
        (("embed", "z", lambda z: z * 1.01), "embed, does not give"),
        (("embed", "z", lambda z: z * np.nan), "embed, does not give"),
        (None, None),
    ],
)
def test_a_mistake_in_an_output_is_found(
    wrong, message, models, saved_models, monkeypatch
):
    monkeypatch.setattr(saved_model, "SavedModelEncoder", Disturbed)
    monkeypatch.setattr(Disturbed, "wrong", wrong or ("", "", None))
    if wrong is None:
        check_signatures(saved_models["12"], models["12"])
        return
    with pytest.raises(hn.export.ParityError, match=message):
        check_signatures(saved_models["12"], models["12"])


def test_one_of_other_weights_is_found(saved_models, models):
    with pytest.raises(hn.export.ParityError, match="serving_default, does"):
        check_signatures(saved_models["12"], models["other"])


def test_lost_variables_are_found(saved_models, models, copied):
    path = copied(saved_models["12"])
    shutil.rmtree(path / "variables")
    with pytest.raises(ValueError, match="variables.* has gone"):
        check_signatures(path, models["12"])


@pytest.mark.slow
def test_a_size_that_is_not_enforced_is_found_and_nothing_stays(
    models, tmp_path, monkeypatch
):
    ensure_shape = tf.ensure_shape

    def no_check(images, shape):
        if len(shape) != 4:
            return ensure_shape(images, shape)
        return images[:, : shape[1], : shape[2]]

    monkeypatch.setattr(freeze.tf, "ensure_shape", no_check)
    with pytest.raises(hn.export.ParityError, match="of another size"):
        hn.export.to_saved_model(models["12"], tmp_path)
    assert list(tmp_path.iterdir()) == []
