"""What the server itself speaks: the stand-in must speak as the real one."""

import base64

import grpc
import numpy as np
import pytest
import requests
import tensorflow as tf
from tensorflow_serving.apis import (
    get_model_metadata_pb2,
    predict_pb2,
    prediction_service_pb2_grpc,
)


@pytest.fixture
def stub(server):
    address = server["grpc"].removeprefix("grpc://")
    with grpc.insecure_channel(address) as channel:
        yield prediction_service_pb2_grpc.PredictionServiceStub(channel)


@pytest.fixture
def post(server):
    def post(body, choice="/versions/1"):
        url = f"{server['http']}/v1/models/hashnet{choice}:predict"
        return requests.post(url, json=body, timeout=60)

    return post


def b64(content):
    return {"b64": base64.b64encode(content).decode()}


def png(image):
    return tf.io.encode_png(image).numpy()


@pytest.fixture(scope="module")
def expected(models, images):
    codes = models["12"].encode(images[:2])
    signs = models["12"].logits(images[:2], training=False) >= 0
    return {
        "codes": codes.tolist(),
        "code_bytes": [b64(row.tobytes()) for row in codes],
        "signs": np.where(signs, 1, -1).tolist(),
    }


def test_rest_takes_columns(post, images, expected):
    body = {"signature_name": "encode_images", "inputs": images[:2].tolist()}
    answer = post(body)
    assert answer.status_code == 200
    assert answer.json() == {"outputs": expected}
    body["inputs"] = {"images": body["inputs"]}
    assert post(body).json() == {"outputs": expected}


def test_rest_takes_rows(post, images, expected):
    rows = [
        dict(zip(expected, values, strict=True), ok=True)
        for values in zip(*expected.values(), strict=True)
    ]
    files = [b64(png(image)) for image in images[:2]]
    body = {"signature_name": "encode_bytes", "instances": files}
    assert post(body).json() == {"predictions": rows}
    body["instances"] = [{"image_bytes": file} for file in files]
    assert post(body).json() == {"predictions": rows}


@pytest.mark.parametrize(
    "choice, body, status",
    [
        ("", {"inputs": [], "instances": []}, 400),
        ("", {}, 400),
        ("", {"signature_name": "nope", "inputs": [[1]]}, 400),
        ("", {"signature_name": "encode_bytes", "inputs": {"x": [1]}}, 400),
        ("", {"signature_name": "encode_images", "inputs": ["a"]}, 400),
        ("", {"signature_name": "encode_images", "inputs": [[1]]}, 400),
        ("/versions/9", {"inputs": [[1]]}, 404),
        ("/labels/nope", {"inputs": [[1]]}, 400),
    ],
)
def test_rest_refuses(choice, body, status, post):
    answer = post(body, choice)
    assert answer.status_code == status
    assert answer.json()["error"]


def predict(stub, tensor, name="images", signature="encode_images", outputs=()):
    request = predict_pb2.PredictRequest(output_filter=outputs)
    request.model_spec.name = "hashnet"
    request.model_spec.version_label = "stable"
    request.model_spec.signature_name = signature
    request.inputs[name].CopyFrom(tensor)
    return stub.Predict(request, timeout=60)


def test_grpc_gives_all_outputs_and_the_version(stub, images, expected):
    response = predict(stub, tf.make_tensor_proto(images[:2]))
    assert response.model_spec.version.value == 1
    outputs = {k: tf.make_ndarray(v) for k, v in response.outputs.items()}
    assert outputs["codes"].dtype == np.uint8
    assert outputs["codes"].tolist() == expected["codes"]
    assert outputs["signs"].dtype == np.int8
    assert outputs["signs"].tolist() == expected["signs"]
    given = [b64(value) for value in outputs["code_bytes"]]
    assert given == expected["code_bytes"]


def test_grpc_gives_the_outputs_asked_for(stub, images):
    tensor = tf.make_tensor_proto(images[:2])
    response = predict(stub, tensor, outputs=["signs"])
    assert list(response.outputs) == ["signs"]


def test_grpc_takes_typed_values_and_one_for_all(stub, models):
    tensor = tf.make_tensor_proto(0, tf.uint8, shape=[2, 16, 20, 3])
    assert len(tensor.int_val) == 1
    response = predict(stub, tensor)
    black = np.zeros((2, 16, 20, 3), np.uint8)
    np.testing.assert_array_equal(
        tf.make_ndarray(response.outputs["codes"]), models["12"].encode(black)
    )


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"name": "x"}, "alias not found in signature: x"),
        ({"outputs": ["y"]}, "alias not found in signature: y"),
        ({"signature": "nope"}, "nope"),
    ],
)
def test_grpc_refuses_unknown_names(arguments, message, stub, images):
    with pytest.raises(grpc.RpcError) as error:
        predict(stub, tf.make_tensor_proto(images[:1]), **arguments)
    assert error.value.code() in (
        grpc.StatusCode.INVALID_ARGUMENT,
        grpc.StatusCode.FAILED_PRECONDITION,
    )
    assert message in error.value.details()


@pytest.mark.parametrize(
    "images, message",
    [
        (np.zeros((1, 16, 20, 3), np.float32), "to be uint8 but float"),
        (np.zeros((1, 16, 20, 1), np.uint8), "3"),
    ],
)
def test_grpc_passes_on_what_the_graph_refuses(images, message, stub):
    with pytest.raises(grpc.RpcError) as error:
        predict(stub, tf.make_tensor_proto(images))
    assert error.value.code() == grpc.StatusCode.INVALID_ARGUMENT
    assert message in error.value.details()


def test_grpc_tells_the_signatures(stub):
    request = get_model_metadata_pb2.GetModelMetadataRequest(
        metadata_field=["signature_def"]
    )
    request.model_spec.name = "hashnet"
    response = stub.GetModelMetadata(request, timeout=60)
    assert response.model_spec.version.value == 2
    signatures = get_model_metadata_pb2.SignatureDefMap()
    assert response.metadata["signature_def"].Unpack(signatures)
    encode = signatures.signature_def["encode_bytes"]
    assert encode.inputs["image_bytes"].dtype == tf.string.as_datatype_enum
    assert [d.size for d in encode.outputs["codes"].tensor_shape.dim][1] == 2
