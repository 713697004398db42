"""A stand-in for tensorflow_model_server: the real protos, a C session.

Takes those of its flags that the tests need. It does not batch, warm up or
watch folders. Runs in a process of its own.
"""

import argparse
import concurrent.futures
import threading

import grpc
from c_api import StatusError
from rest_endpoint import rest_server
from served_models import ServedModels
from tensor_proto import from_proto, to_proto
from tensorflow_serving.apis import (
    get_model_metadata_pb2,
    predict_pb2,
    prediction_service_pb2_grpc,
)

CODES = {code.value[0]: code for code in grpc.StatusCode}


class PredictionService(prediction_service_pb2_grpc.PredictionServiceServicer):
    """Predict and GetModelMetadata over `ServedModels`."""

    def __init__(self, models):
        self._models = models

    def Predict(self, request, context):
        try:
            version, session = self._find(request.model_spec)
            inputs = {k: from_proto(v) for k, v in request.inputs.items()}
            signature = request.model_spec.signature_name or "serving_default"
            outputs = session.run(signature, inputs, request.output_filter)
        except StatusError as error:
            context.abort(CODES[error.code], error.message)
        response = predict_pb2.PredictResponse()
        response.model_spec.name = request.model_spec.name
        response.model_spec.version.value = version
        response.model_spec.signature_name = signature
        for name, array in outputs.items():
            response.outputs[name].CopyFrom(to_proto(array))
        return response

    def GetModelMetadata(self, request, context):
        if list(request.metadata_field) != ["signature_def"]:
            context.abort(
                grpc.StatusCode.INVALID_ARGUMENT,
                f"Metadata field {list(request.metadata_field)} is not"
                " supported",
            )
        try:
            version, session = self._find(request.model_spec)
        except StatusError as error:
            context.abort(CODES[error.code], error.message)
        signatures = get_model_metadata_pb2.SignatureDefMap(
            signature_def=session.signatures
        )
        response = get_model_metadata_pb2.GetModelMetadataResponse()
        response.model_spec.name = request.model_spec.name
        response.model_spec.version.value = version
        response.metadata["signature_def"].Pack(signatures)
        return response

    def _find(self, spec):
        choice = spec.WhichOneof("version_choice")
        return self._models.find(
            spec.name,
            spec.version.value if choice == "version" else None,
            spec.version_label if choice == "version_label" else None,
        )


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--rest_api_port", type=int, required=True)
    parser.add_argument("--model_config_file", required=True)
    # Here a version is always there before its label is asked for.
    parser.add_argument("--allow_version_labels_for_unavailable_models")
    flags = parser.parse_args()
    models = ServedModels(flags.model_config_file)
    server = grpc.server(
        concurrent.futures.ThreadPoolExecutor(4),
        options=[("grpc.max_receive_message_length", -1)],
    )
    prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(
        PredictionService(models), server
    )
    server.add_insecure_port(f"127.0.0.1:{flags.port}")
    server.start()
    rest = rest_server(models, flags.rest_api_port)
    threading.Thread(target=rest.serve_forever, daemon=True).start()
    server.wait_for_termination()


if __name__ == "__main__":
    main()
