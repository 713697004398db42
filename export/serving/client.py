"""Asks an encoder that TensorFlow Serving serves."""

import dataclasses
import math
import os
import pathlib
import time
import urllib.parse
from collections.abc import Iterable, Iterator, Sequence, Sized
from typing import Any

import numpy as np
import numpy.typing as npt

from hashnet_tf.export.images import BATCH_SIZE
from hashnet_tf.export.serving.transport import ServedModel, Transport

MOST_BYTES = 3 * 2**20

SCHEMES = ("grpc", "grpcs", "http", "https")
# gRPC makes no more than five attempts, whatever it is told.
MOST_RETRIES = 4


class Deadline:
    """The end of a call, counted from when it is made.

    Args:
        seconds: Positive number.

    Example:

    >>> from hashnet_tf.export.serving.client import Deadline
    >>> 0 < Deadline(60).remaining() <= 60
    True
    """

    def __init__(self, seconds: float):
        self._seconds = seconds
        self._end = time.monotonic() + seconds

    def remaining(self) -> float:
        """Returns the seconds that are left, more than 0.

        Raises:
            TimeoutError: If none are.
        """
        seconds = self._end - time.monotonic()
        if seconds <= 0:
            raise self.exceeded()
        return seconds

    def exceeded(self) -> TimeoutError:
        """Returns the `TimeoutError` of this deadline."""
        return TimeoutError(
            "The server did not answer the whole call within its deadline."
            f" Received: timeout={self._seconds}"
        )


@dataclasses.dataclass(frozen=True, eq=False)
class Encoded:
    """What an encoder made of n files.

    Attributes:
        codes: uint8 array `[n, ceil(K / 8)]`; rows that are not ok are zero.
        ok: Bool array `[n]`, whether the file is an image that decodes.

    Example:

    >>> import numpy as np
    >>> from hashnet_tf.export.serving.client import Encoded
    >>> encoded = Encoded(np.uint8([[160], [0]]), np.array([True, False]))
    >>> encoded.codes[encoded.ok].tolist()
    [[160]]
    """

    codes: np.ndarray
    ok: np.ndarray


def request_batches(images: Iterable[Any]) -> Iterator[list[Any]]:
    """Yields lists of at most 32 images and 3 MiB.

    That is below the 4 MB which gRPC lets through by default on servers and
    proxies. An image that alone is larger goes alone.

    Args:
        images: Iterable of bytes or of arrays.

    Example:

    >>> from hashnet_tf.export.serving.client import request_batches
    >>> [len(batch) for batch in request_batches([bytes(2**20)] * 5)]
    [3, 2]
    """
    batch, size = [], 0
    for image in images:
        more = memoryview(image).nbytes
        if batch and (len(batch) == BATCH_SIZE or size + more > MOST_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(image)
        size += more
    if batch:
        yield batch


class ServingClient:
    """A client of TensorFlow Serving: images in, packed codes out.

    It sends at most 32 images a request. Prefer gRPC for arrays, which JSON
    spells out number by number.

    ```python
    with hn.export.ServingClient("grpc://localhost:8500", "hashnet") as client:
        encoded = client.encode_files(["cat.jpg", "dog.png"])
        codes = client.encode_images(np.zeros((2, 300, 400, 3), "uint8"))
    ```

    Args:
        address: Str, `scheme://host:port`. By default the server listens to
            gRPC at 8500 and to REST at 8501. The schemes are grpc and http,
            with TLS grpcs and https.
        model: Str, the name of a model that `to_saved_model` wrote.
        version: Int, or None for the latest.
        label: Str, a version's name in the server's models.config, or None.
        timeout: Number of seconds within which each call of a method must be
            done, with all its requests and their retries; more for thousands
            of images. Over REST a server that trickles its answer out may
            take longer.
        retries: Int from 0 to 4, how often a request is sent again when the
            server is unavailable, after pauses from 0.2 seconds, doubling.

    Raises:
        ValueError: If an argument is not such.
    """

    def __init__(
        self,
        address: str,
        model: str,
        version: int | None = None,
        label: str | None = None,
        timeout: float = 10.0,
        retries: int = 3,
    ):
        scheme, host = _split(address)
        served = ServedModel(model, version, label)
        if not _is_number(timeout) or not 0 < timeout < math.inf:
            raise ValueError(
                "`timeout` must be a positive number of seconds."
                f" Received: timeout={timeout!r}"
            )
        if type(retries) is not int or not 0 <= retries <= MOST_RETRIES:
            raise ValueError(
                f"`retries` must be an integer from 0 to {MOST_RETRIES}."
                f" Received: retries={retries!r}"
            )
        self._timeout = timeout
        self._transport = _transport_class(scheme)(
            host, scheme.endswith("s"), served, retries
        )

    def encode_files(self, paths: Sequence[os.PathLike[str] | str]) -> Encoded:
        """Encodes image files.

        Args:
            paths: List of paths of JPEG, PNG, WebP or BMP files, one at least.

        Returns:
            `Encoded`: codes, and which files were images.

        Raises:
            FileNotFoundError: If a file is missing; then nothing is sent.
            ValueError, TimeoutError, ConnectionError, RuntimeError: As
                `encode_bytes`.
        """
        if isinstance(paths, (str, pathlib.Path)):
            raise ValueError(
                f"`paths` must be a list of paths. Received: paths={paths!r}"
            )
        paths = [pathlib.Path(path) for path in paths]
        missing = [str(path) for path in paths if not path.is_file()]
        if missing:
            raise FileNotFoundError(
                "`paths` must be files that are there."
                f" Received: {len(missing)} that are not, first {missing[0]}"
            )
        _check_some(paths, "paths")
        # One batch at a time: a folder may not fit in memory.
        return self._encode_bytes(path.read_bytes() for path in paths)

    def encode_bytes(self, image_bytes: Sequence[bytes]) -> Encoded:
        """Encodes images as the bytes of their files.

        Args:
            image_bytes: List of bytes: JPEG, PNG, WebP or BMP, one at least.

        Returns:
            `Encoded`: codes, and which bytes were images.

        Raises:
            ValueError: If they are not such, or the server refuses them.
            TimeoutError: If the call is not done in time.
            ConnectionError: If the server stays unavailable.
            RuntimeError: If the server fails.
        """
        if not isinstance(image_bytes, (list, tuple)) or not all(
            isinstance(image, bytes) for image in image_bytes
        ):
            raise ValueError(
                "`image_bytes` must be a list of bytes."
                f" Received: image_bytes of {type(image_bytes).__name__}"
            )
        _check_some(image_bytes, "image_bytes")
        return self._encode_bytes(image_bytes)

    def encode_images(self, images: npt.ArrayLike) -> np.ndarray:
        """Encodes decoded images, which the server resizes.

        Args:
            images: uint8 array `[n, height, width, 3]`, RGB, of any size and
                n >= 1.

        Returns:
            Codes, uint8 array `[n, ceil(K / 8)]`.

        Raises:
            ValueError, TimeoutError, ConnectionError, RuntimeError: As
                `encode_bytes`.
        """
        images = np.asarray(images)
        if (
            images.dtype != np.uint8
            or images.ndim != 4
            or images.shape[3] != 3
            or not images.size
        ):
            raise ValueError(
                "`images` must be uint8 of shape [n, height, width, 3], none"
                f" of them 0. Received: images.shape={images.shape},"
                f" images.dtype={images.dtype}"
            )
        deadline = Deadline(self._timeout)
        return np.concatenate(
            [
                self._predict("images", np.stack(batch), deadline)["codes"]
                for batch in request_batches(images)
            ]
        )

    def close(self) -> None:
        """Closes the connection; the client is of no use after it."""
        self._transport.close()

    def __enter__(self) -> "ServingClient":
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def _encode_bytes(self, image_bytes: Iterable[bytes]) -> Encoded:
        deadline = Deadline(self._timeout)
        answers = [
            self._predict("image_bytes", batch, deadline)
            for batch in request_batches(image_bytes)
        ]
        return Encoded(
            codes=np.concatenate([answer["codes"] for answer in answers]),
            ok=np.concatenate([answer["ok"] for answer in answers]),
        )

    def _predict(
        self, name: str, values: Any, deadline: Deadline
    ) -> dict[str, np.ndarray]:
        signature, outputs = {
            "images": ("encode_images", ["codes"]),
            "image_bytes": ("encode_bytes", ["codes", "ok"]),
        }[name]
        answer = self._transport.predict(
            signature, name, values, outputs, deadline
        )
        # JSON knows numbers, but not of which size.
        return {**answer, "codes": answer["codes"].astype(np.uint8)}


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _check_some(items: Sized, name: str) -> None:
    if not len(items):
        raise ValueError(
            f"`{name}` must be at least one image. Received: {name}={items!r}"
        )


def _split(address: str) -> tuple[str, str]:
    try:
        parts = urllib.parse.urlsplit(address)
        complete = parts.scheme in SCHEMES and parts.hostname and parts.port
        if complete and address == f"{parts.scheme}://{parts.netloc}":
            return parts.scheme, parts.netloc
    # What is no str, and a port that is no number.
    except (AttributeError, TypeError, ValueError):
        pass
    raise ValueError(
        f"`address` must be scheme://host:port, the scheme one of"
        f" {SCHEMES}. Received: address={address!r}"
    )


def _transport_class(scheme: str) -> type[Transport]:
    # Where used: REST needs no gRPC and no TensorFlow.
    if scheme.startswith("grpc"):
        from hashnet_tf.export.serving.grpc_transport import GrpcTransport

        return GrpcTransport
    from hashnet_tf.export.serving.rest_transport import RestTransport

    return RestTransport
