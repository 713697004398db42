import concurrent.futures
import threading

import grpc
import numpy as np
import pytest
import tensorflow as tf
from tensorflow_serving.apis import predict_pb2, prediction_service_pb2_grpc

from hashnet_tf.export import ServingClient

CODES = np.uint8([[1, 2], [3, 255]])
IMAGES = np.zeros((2, 4, 4, 3), np.uint8)


class Scripted(prediction_service_pb2_grpc.PredictionServiceServicer):
    """Answers with one status after another, then with `CODES`.

    `None` in the script stands for no answer at all.
    """

    def __init__(self, script):
        self.script = list(script)
        self.requests = []
        self.ended = threading.Event()

    def Predict(self, request, context):
        self.requests.append(request)
        if self.script:
            code = self.script.pop(0)
            if code is None:
                self.ended.wait()
            else:
                context.abort(code, "as scripted")
        (tensor,) = request.inputs.values()
        n = tensor.tensor_shape.dim[0].size
        response = predict_pb2.PredictResponse()
        answers = {"codes": CODES[:n], "ok": np.arange(n) == 0}
        for name in request.output_filter:
            tensor = tf.make_tensor_proto(answers[name])
            response.outputs[name].CopyFrom(tensor)
        return response


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    pause = "hashnet_tf.export.serving.grpc_transport.FIRST_PAUSE"
    monkeypatch.setattr(pause, 0.01)


@pytest.fixture
def scripted():
    """Returns a client of a `Scripted`, and that."""
    ends = []

    def start(script, secure=None, **arguments):
        service = Scripted(script)
        server = grpc.server(
            concurrent.futures.ThreadPoolExecutor(2),
            options=[("grpc.max_receive_message_length", -1)],
        )
        prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(
            service, server
        )
        if secure:
            service.port = server.add_secure_port("127.0.0.1:0", secure)
        else:
            service.port = server.add_insecure_port("127.0.0.1:0")
        server.start()
        client = ServingClient(
            f"grpc{'s' if secure else ''}://127.0.0.1:{service.port}",
            "hashnet",
            **{"timeout": 60.0, **arguments},
        )
        ends.extend(
            [client.close, service.ended.set, lambda: server.stop(0).wait()]
        )
        return client, service

    yield start
    for end in ends:
        end()


UNAVAILABLE = grpc.StatusCode.UNAVAILABLE


@pytest.mark.parametrize("bytes_", [100, 2 * 2**20, 5 * 2**20])
def test_asks_again_while_the_server_is_unavailable(bytes_, scripted):
    client, service = scripted([UNAVAILABLE, UNAVAILABLE])
    encoded = client.encode_bytes([bytes(bytes_)])
    np.testing.assert_array_equal(encoded.codes, CODES[:1])
    assert encoded.ok.tolist() == [True]
    assert len(service.requests) == 3


@pytest.mark.parametrize("retries", [0, 1, 4])
def test_gives_up_after_its_retries(retries, scripted):
    client, service = scripted([UNAVAILABLE] * 9, retries=retries)
    with pytest.raises(ConnectionError, match="unavailable: as scripted"):
        client.encode_images(IMAGES)
    assert len(service.requests) == 1 + retries


@pytest.mark.parametrize(
    "code, error",
    [
        ("INVALID_ARGUMENT", ValueError),
        ("NOT_FOUND", ValueError),
        ("FAILED_PRECONDITION", ValueError),
        ("UNIMPLEMENTED", ValueError),
        ("INTERNAL", RuntimeError),
        ("RESOURCE_EXHAUSTED", RuntimeError),
        ("DEADLINE_EXCEEDED", TimeoutError),
    ],
)
def test_another_failure_is_final(code, error, scripted):
    client, service = scripted([grpc.StatusCode[code]])
    with pytest.raises(error, match="as scripted|timeout=60.0"):
        client.encode_images(IMAGES)
    assert len(service.requests) == 1


def test_a_server_that_never_answers_runs_into_the_deadline(scripted):
    client, service = scripted([None], timeout=0.3)
    with pytest.raises(TimeoutError, match="Received: timeout=0.3"):
        client.encode_images(IMAGES)


def test_the_deadline_holds_for_the_pauses_too(scripted, monkeypatch):
    pause = "hashnet_tf.export.serving.grpc_transport.FIRST_PAUSE"
    # It is cut to two seconds.
    monkeypatch.setattr(pause, 60)
    client, service = scripted([UNAVAILABLE], timeout=0.3)
    with pytest.raises(TimeoutError, match="Received: timeout=0.3"):
        client.encode_images(IMAGES)
    assert len(service.requests) == 1


def test_nobody_there_is_a_connection_error():
    with (
        ServingClient("grpc://127.0.0.1:1", "hashnet", retries=1) as client,
        pytest.raises(ConnectionError, match="unavailable"),
    ):
        client.encode_images(IMAGES)


def test_a_plain_server_is_not_taken_for_a_secure_one(scripted):
    _, service = scripted([])
    address = f"grpcs://127.0.0.1:{service.port}"
    with (
        ServingClient(address, "hashnet", retries=0) as client,
        pytest.raises(ConnectionError, match="unavailable"),
    ):
        client.encode_images(IMAGES)
    assert service.requests == []


def test_speaks_tls(scripted, certificate, monkeypatch):
    public, key = (path.read_bytes() for path in certificate)
    credentials = grpc.ssl_server_credentials([(key, public)])
    client, _ = scripted([], secure=credentials, retries=0)
    with pytest.raises(ConnectionError, match="unavailable"):
        client.encode_images(IMAGES)
    trusting = grpc.ssl_channel_credentials(root_certificates=public)
    monkeypatch.setattr(grpc, "ssl_channel_credentials", lambda: trusting)
    client, _ = scripted([], secure=credentials)
    np.testing.assert_array_equal(client.encode_images(IMAGES), CODES)


@pytest.mark.parametrize(
    "choice, version, label",
    [({}, 0, ""), ({"version": 7}, 7, ""), ({"label": "new"}, 0, "new")],
)
def test_asks_for_what_it_needs_and_no_more(choice, version, label, scripted):
    client, service = scripted([], **choice)
    client.encode_bytes([b"a\0", b"\0"])
    client.encode_images(IMAGES)
    for request in service.requests:
        assert request.model_spec.name == "hashnet"
        assert request.model_spec.version.value == version
        assert request.model_spec.version_label == label
    of_bytes, of_images = service.requests
    assert of_bytes.inputs["image_bytes"].string_val == [b"a\0", b"\0"]
    assert of_bytes.model_spec.signature_name == "encode_bytes"
    assert list(of_bytes.output_filter) == ["codes", "ok"]
    assert of_images.model_spec.signature_name == "encode_images"
    assert list(of_images.output_filter) == ["codes"]
