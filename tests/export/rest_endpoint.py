"""The server's REST endpoint over `ServedModels`: status and predict.

Finite numbers only. For a process of its own, like `c_api`.
"""

import base64
import http.server
import json
import re

import numpy as np
from c_api import StatusError
from c_session import INVALID_ARGUMENT
from c_tensor import DTYPES
from served_models import NOT_FOUND

STATUS = {INVALID_ARGUMENT: 400, NOT_FOUND: 404}
PATH = re.compile(
    r"/v1/models/(?P<name>[^/:]+)"
    r"(/versions/(?P<version>\d+)|/labels/(?P<label>[^/:]+))?"
    r"(?P<method>:predict)?"
)


def rest_server(models, port):
    """Returns a server bound to `port`, not yet serving."""
    handler = type("Handler", (RestHandler,), {"models": models})
    return http.server.ThreadingHTTPServer(("127.0.0.1", port), handler)


class RestHandler(http.server.BaseHTTPRequestHandler):
    """One request.

    Attributes:
        models: `ServedModels`.
    """

    models = None
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self._answer(self._model_status)

    def do_POST(self):
        size = int(self.headers["Content-Length"])
        body = self.rfile.read(size)
        self._answer(lambda path: self._predict(path, body))

    def log_message(self, format, *args):
        """Says nothing: an error is for the client to tell."""

    def _answer(self, function):
        path = PATH.fullmatch(self.path)
        try:
            if path is None or (path["method"] is None) != (
                self.command == "GET"
            ):
                raise StatusError(
                    INVALID_ARGUMENT,
                    f"Malformed request: {self.command} {self.path}",
                )
            status, answer = 200, function(path)
        except StatusError as error:
            status = STATUS.get(error.code, 500)
            answer = {"error": error.message}
        content = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def _find(self, path):
        version = path["version"] and int(path["version"])
        return self.models.find(path["name"], version, path["label"])[1]

    def _model_status(self, path):
        self._find(path)
        return {
            "model_version_status": [
                {"version": str(version), "state": "AVAILABLE"}
                for version in self.models.sessions[path["name"]]
            ]
        }

    def _predict(self, path, body):
        session = self._find(path)
        request = _parsed(body)
        name = request.get("signature_name", "serving_default")
        inputs = (
            session.signatures[name].inputs
            if (name in session.signatures)
            else {}
        )
        rows = "instances" in request
        if rows == ("inputs" in request):
            raise StatusError(
                INVALID_ARGUMENT, "Wanted one of 'instances' and 'inputs'"
            )
        values = _columns(request, list(inputs))
        arrays = {
            key: _array(value, DTYPES[inputs[key].dtype])
            for key, value in values.items()
            if key in inputs
        }
        outputs = {
            key: _jsonable(key, array)
            for key, array in session.run(name, arrays).items()
        }
        if not rows:
            return {"outputs": _alone(outputs)}
        items = zip(*outputs.values(), strict=True)
        return {
            "predictions": [
                _alone(dict(zip(outputs, item, strict=True))) for item in items
            ]
        }


def _parsed(body):
    try:
        request = json.loads(body)
    except ValueError as error:
        raise StatusError(
            INVALID_ARGUMENT, f"JSON Parse error: {error}"
        ) from error
    if not isinstance(request, dict):
        raise StatusError(INVALID_ARGUMENT, "Request must be a JSON object")
    return request


def _columns(request, names):
    if "inputs" in request:
        values = request["inputs"]
        return values if _named(values) else dict.fromkeys(names, values)
    rows = request["instances"]
    if rows and _named(rows[0]):
        return {key: [row[key] for row in rows] for key in rows[0]}
    return dict.fromkeys(names, rows)


def _named(value):
    return isinstance(value, dict) and set(value) != {"b64"}


def _array(value, dtype):
    try:
        if dtype.kind != "O":
            return np.asarray(value, dtype)
        array = np.empty(len(value), object)
        array[:] = [_bytes(item) for item in value]
        return array
    except (ValueError, TypeError, OverflowError) as error:
        raise StatusError(
            INVALID_ARGUMENT, f"JSON Value is not of type {dtype}: {error}"
        ) from error


def _bytes(value):
    if isinstance(value, dict):
        return base64.b64decode(value["b64"], validate=True)
    return value.encode()


def _jsonable(name, array):
    if array.dtype != object:
        return array.tolist()
    if name.endswith("_bytes"):
        return [{"b64": base64.b64encode(value).decode()} for value in array]
    return [value.decode() for value in array]


def _alone(outputs):
    return outputs if len(outputs) > 1 else next(iter(outputs.values()))
