"""Predict over REST."""

import base64
import json
import random
import time
import urllib.parse
from typing import Any

import numpy as np
import requests
import urllib3

from hashnet_tf.export.serving.client import Deadline
from hashnet_tf.export.serving.transport import (
    FIRST_PAUSE,
    LONGEST_PAUSE,
    ServedModel,
    Transport,
)

UNAVAILABLE = 503
TIMEOUT = 504


class RestTransport(Transport):
    """Predict over REST, in the columnar format.

    Args:
        address: Str, `host:port`.
        secure: Bool, whether by https.
        model: `ServedModel`.
        retries: Int, 0 or more.
    """

    def __init__(
        self, address: str, secure: bool, model: ServedModel, retries: int
    ):
        scheme = "https" if secure else "http"
        self._url = (
            f"{scheme}://{address}/v1/models/{_quoted(model.name)}"
            f"{_choice(model)}:predict"
        )
        self._retries = retries
        self._session = requests.Session()

    def predict(
        self,
        signature: str,
        name: str,
        values: Any,
        outputs: list[str],
        deadline: Deadline,
    ) -> dict[str, np.ndarray]:
        body = {"signature_name": signature, "inputs": {name: _plain(values)}}
        response = self._post(json.dumps(body), deadline)
        if not response.ok:
            raise _translated(response, deadline)
        found = _parsed(response).get("outputs")
        if not isinstance(found, dict) or not set(outputs) <= set(found):
            raise ValueError(
                f"{self._url} must give the outputs {outputs} of signature"
                f" {signature}, as an encoder of `to_saved_model` does."
                f" Received: {response.text[:200]!r}"
            )
        return {name: np.asarray(found[name]) for name in outputs}

    def close(self) -> None:
        self._session.close()

    def _post(self, body: str, deadline: Deadline) -> requests.Response:
        # Not urllib3's Retry, which gives each attempt the whole of the time.
        failure: Exception | None = None
        for attempt in range(1 + self._retries):
            if attempt:
                pause = min(FIRST_PAUSE * 2 ** (attempt - 1), LONGEST_PAUSE)
                # Clients that failed together shall not return together.
                pause *= random.uniform(0.8, 1.2)
                time.sleep(min(pause, deadline.remaining()))
            # requests passes it on, though its types do not say so.
            timeout: Any = urllib3.Timeout(total=deadline.remaining())
            try:
                response = self._session.post(
                    self._url, data=body, timeout=timeout
                )
            except requests.Timeout as error:
                raise deadline.exceeded() from error
            except (
                requests.ConnectionError,
                requests.exceptions.ChunkedEncodingError,
            ) as error:
                failure = error
            else:
                if response.status_code != UNAVAILABLE:
                    return response
                failure = ConnectionError(_message(response))
        # Time that runs out within an answer comes as a ConnectionError.
        deadline.remaining()
        raise ConnectionError(
            f"The server is unavailable: {failure}"
        ) from failure


def _quoted(text: str) -> str:
    return urllib.parse.quote(text, safe="")


def _choice(model: ServedModel) -> str:
    if model.version is not None:
        return f"/versions/{model.version}"
    if model.label is not None:
        return f"/labels/{_quoted(model.label)}"
    return ""


def _plain(values: Any) -> list[Any]:
    if isinstance(values, np.ndarray):
        return values.tolist()
    return [{"b64": base64.b64encode(value).decode()} for value in values]


def _parsed(response: requests.Response) -> dict[str, Any]:
    try:
        parsed = response.json()
    except requests.JSONDecodeError:
        parsed = None
    return parsed if isinstance(parsed, dict) else {}


def _message(response: requests.Response) -> str:
    return _parsed(response).get("error") or (
        f"HTTP {response.status_code} {response.reason}"
    )


def _translated(response: requests.Response, deadline: Deadline) -> Exception:
    if response.status_code == TIMEOUT:
        return deadline.exceeded()
    if 400 <= response.status_code < 500:
        return ValueError(
            f"The server refused the request: {_message(response)}"
        )
    return RuntimeError(f"The server failed: {_message(response)}")
