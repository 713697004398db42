import numpy as np
import pytest
import tensorflow as tf
from tensorflow_serving.apis import prediction_log_pb2

from hashnet_tf.export.freeze import trained_size
from hashnet_tf.export.serving.warmup import warmup_requests, write_warmup

SIGNATURES = ["serving_default", "encode_images", "encode_bytes", "embed"]


def read(path):
    """Returns the requests in a file, as the server's own classes read it."""
    logs = [
        prediction_log_pb2.PredictionLog.FromString(record.numpy())
        for record in tf.data.TFRecordDataset(str(path))
    ]
    for log in logs:
        assert log.WhichOneof("log_type") == "predict_log"
        assert not log.predict_log.HasField("response")
    return [log.predict_log.request for log in logs]


def arrays(request):
    return {k: tf.make_ndarray(v) for k, v in request.inputs.items()}


def test_the_servers_classes_read_what_was_given(tmp_path):
    rng = np.random.default_rng(0)
    requests = {
        "serving_default": {
            "images": rng.integers(0, 256, (2, 3, 4, 3), dtype=np.uint8),
            "weights": rng.normal(size=(5, 2)).astype(np.float32),
        },
        # Bytes that are no text, an empty one, and zeros at the end.
        "encode_bytes": {"image_bytes": [b"\xff\xd8\x00\x00", b"", b"abc\0"]},
    }
    path = tmp_path / "warmup"
    write_warmup(path, requests)
    found = read(path)
    assert [r.model_spec.signature_name for r in found] == list(requests)
    for request, given in zip(found, requests.values(), strict=True):
        got = arrays(request)
        assert sorted(got) == sorted(given)
        for name, value in given.items():
            if isinstance(value, list):
                assert got[name].tolist() == value
            else:
                assert got[name].dtype == value.dtype
                np.testing.assert_array_equal(got[name], value)
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("dtype", ["uint8", "float32"])
def test_the_default_requests(dtype):
    requests = warmup_requests((16, 20), dtype)
    assert list(requests) == SIGNATURES
    for signature in ("serving_default", "embed"):
        (images,) = requests[signature].values()
        assert images.shape == (1, 16, 20, 3) and images.dtype == dtype
    images = requests["encode_images"]["images"]
    assert images.dtype == np.uint8 and images.shape[1:3] != (16, 20)
    png, jpeg = requests["encode_bytes"]["image_bytes"]
    assert png.startswith(b"\x89PNG") and jpeg.startswith(b"\xff\xd8\xff")


def test_the_default_file_is_the_same_each_time(tmp_path):
    for name in "ab":
        write_warmup(tmp_path / name, warmup_requests((16, 20)))
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_a_saved_model_answers_every_default_request(
    models, saved_models, tmp_path
):
    path = tmp_path / "warmup"
    write_warmup(path, warmup_requests(trained_size(models["12"])))
    requests = read(path)
    loaded = tf.saved_model.load(str(saved_models["12"]))
    asked = {r.model_spec.signature_name for r in requests}
    # By its second name it is the same.
    assert asked == set(loaded.signatures) - {"serve"}
    black = models["12"].encode(np.zeros((1, 16, 20, 3), np.uint8))
    for request in requests:
        signature = loaded.signatures[request.model_spec.signature_name]
        outputs = signature(
            **{k: tf.constant(v) for k, v in arrays(request).items()}
        )
        if "codes" in outputs:
            for row in outputs["codes"].numpy():
                np.testing.assert_array_equal(row, black[0])
        else:
            assert outputs["z"].shape == (1, 12)


def test_a_session_answers_every_default_request(saved_models, tmp_path):
    path = tmp_path / "warmup"
    write_warmup(path, warmup_requests((16, 20)))
    requests = read(path)
    with tf.compat.v1.Session(graph=tf.Graph()) as session:
        graph = tf.compat.v1.saved_model.load(
            session, ["serve"], str(saved_models["12"])
        )
        for request in requests:
            signature = graph.signature_def[request.model_spec.signature_name]
            feed = {
                signature.inputs[name].name: value
                for name, value in arrays(request).items()
            }
            names = {k: v.name for k, v in signature.outputs.items()}
            for output in session.run(names, feed).values():
                assert len(output) in (1, 2)


@pytest.mark.parametrize("n", [0, 1001])
def test_refuses_a_number_of_requests_that_the_server_does(n, tmp_path):
    requests = {str(i): {"x": np.zeros(1)} for i in range(n)}
    with pytest.raises(ValueError, match=f"Received: {n:,} requests"):
        write_warmup(tmp_path / "warmup", requests)
    assert list(tmp_path.iterdir()) == []


def test_takes_as_many_requests_as_the_server_does(tmp_path):
    path = tmp_path / "warmup"
    write_warmup(path, {str(i): {"x": np.zeros(1)} for i in range(1000)})
    assert len(list(tf.data.TFRecordDataset(str(path)))) == 1000


@pytest.mark.parametrize(
    "inputs, message",
    [
        ({}, r"requests\['embed'\]=\{\}"),
        ({"x": "text"}, r"requests\['embed'\]\['x'\]='text'"),
        ({"x": ["text"]}, r"\['x'\]=\['text'\]"),
        ({"x": np.array([b"a\0"])}, r"\['x'\]=array"),
        ({"x": [1.0]}, r"\['x'\]=\[1.0\]"),
    ],
)
def test_refuses_inputs_of_another_kind(inputs, message, tmp_path):
    path = tmp_path / "warmup"
    path.write_text("old")
    with pytest.raises(ValueError, match=message):
        write_warmup(path, {"embed": inputs})
    assert [p.read_text() for p in tmp_path.iterdir()] == ["old"]
