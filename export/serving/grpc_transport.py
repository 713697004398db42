"""Predict over gRPC."""

import json
from typing import Any

import grpc
import numpy as np
import tensorflow as tf
from tensorflow_serving.apis import predict_pb2, prediction_service_pb2_grpc

from hashnet_tf.export.serving.client import Deadline
from hashnet_tf.export.serving.transport import (
    FIRST_PAUSE,
    LONGEST_PAUSE,
    ServedModel,
    Transport,
)

# A request that gRPC could not keep until its answer would not be sent again.
# By default it keeps 256 KiB, fewer than two photographs of 224 x 224.
RETRY_BUFFER_BYTES = 64 * 2**20

REFUSED = {
    grpc.StatusCode.FAILED_PRECONDITION,
    grpc.StatusCode.INVALID_ARGUMENT,
    grpc.StatusCode.NOT_FOUND,
    grpc.StatusCode.OUT_OF_RANGE,
    grpc.StatusCode.UNIMPLEMENTED,
}


class GrpcTransport(Transport):
    """Predict over gRPC, whose own machinery retries and keeps time.

    Args:
        address: Str, `host:port`.
        secure: Bool, TLS by the roots that gRPC trusts.
        model: `ServedModel`.
        retries: Int from 0 to 4.
    """

    def __init__(
        self, address: str, secure: bool, model: ServedModel, retries: int
    ):
        options: list[tuple[str, Any]] = [
            ("grpc.max_send_message_length", -1),
            ("grpc.max_receive_message_length", -1),
            ("grpc.per_rpc_retry_buffer_size", RETRY_BUFFER_BYTES),
            # Else an attempt after a pause could find a connection that was
            # not tried again, since gRPC itself pauses for a second.
            ("grpc.initial_reconnect_backoff_ms", int(1000 * FIRST_PAUSE)),
        ]
        if retries:
            config = json.dumps(_service_config(retries))
            options.append(("grpc.service_config", config))
        if secure:
            credentials = grpc.ssl_channel_credentials()
            self._channel = grpc.secure_channel(address, credentials, options)
        else:
            self._channel = grpc.insecure_channel(address, options)
        stub = prediction_service_pb2_grpc.PredictionServiceStub(self._channel)
        self._predict = stub.Predict
        self._model = model

    def predict(
        self,
        signature: str,
        name: str,
        values: Any,
        outputs: list[str],
        deadline: Deadline,
    ) -> dict[str, np.ndarray]:
        # Generated at import, where no type checker sees it.
        request = predict_pb2.PredictRequest(  # pyright: ignore[reportAttributeAccessIssue]
            output_filter=outputs
        )
        request.model_spec.name = self._model.name
        request.model_spec.signature_name = signature
        if self._model.version is not None:
            request.model_spec.version.value = self._model.version
        if self._model.label is not None:
            request.model_spec.version_label = self._model.label
        # Of no dtype, a list would first become an array as wide as its
        # longest string.
        dtype = tf.string if isinstance(values, list) else tf.uint8
        request.inputs[name].CopyFrom(tf.make_tensor_proto(values, dtype))
        try:
            response = self._predict(request, timeout=deadline.remaining())
        except grpc.RpcError as error:
            raise _translated(error, deadline) from error
        return {
            name: tf.make_ndarray(response.outputs[name]) for name in outputs
        }

    def close(self) -> None:
        self._channel.close()


def _service_config(retries: int) -> dict[str, Any]:
    policy = {
        "maxAttempts": 1 + retries,
        "initialBackoff": f"{FIRST_PAUSE}s",
        "maxBackoff": f"{LONGEST_PAUSE}s",
        "backoffMultiplier": 2,
        "retryableStatusCodes": ["UNAVAILABLE"],
    }
    service = {"service": "tensorflow.serving.PredictionService"}
    return {"methodConfig": [{"name": [service], "retryPolicy": policy}]}


def _translated(error: Any, deadline: Deadline) -> Exception:
    code, message = error.code(), error.details()
    if code == grpc.StatusCode.DEADLINE_EXCEEDED:
        return deadline.exceeded()
    if code == grpc.StatusCode.UNAVAILABLE:
        return ConnectionError(f"The server is unavailable: {message}")
    if code in REFUSED:
        return ValueError(f"The server refused the request: {message}")
    return RuntimeError(f"The server failed: {code.name}: {message}")
