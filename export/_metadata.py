"""What an exported file says of itself, and the digest that it is whole by."""

import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any

NAME = "hashnet.json"
# Of the file with zeros in its place.
DIGEST = "file_digest"
ZEROS = "0" * 64


def unsealed_text(values: Mapping[str, Any]) -> str:
    """Returns the JSON that goes into a file, its digest still zeros.

    Args:
        values: Dict that JSON takes.

    Example:

    >>> from hashnet_tf.export._metadata import unsealed_text
    >>> unsealed_text({"bits": 48})[:32]
    '{"bits": 48, "file_digest": "000'
    """
    return json.dumps({**values, DIGEST: ZEROS})


def sealed(content: bytes) -> bytes:
    """Puts the digest of a file into it.

    Args:
        content: Bytes of the file, among them an `unsealed_text`.

    Example:

    >>> from hashnet_tf.export import _metadata
    >>> text = _metadata.unsealed_text({"bits": 48})
    >>> _metadata.check_seal(_metadata.sealed(b"weights" + text.encode()))
    """
    return _with_digest(content, ZEROS, hashlib.sha256(content).hexdigest())


def check_seal(content: bytes) -> None:
    """Checks that a file is as it was sealed, before anything parses it.

    Args:
        content: Bytes of the file.

    Raises:
        ValueError: If it holds no digest, or has changed since.

    Example:

    >>> from hashnet_tf.export._metadata import check_seal
    >>> check_seal(b"weights")
    Traceback (most recent call last):
    ...
    ValueError: the file has no digest in hashnet.json
    """
    found = re.search(f'"{DIGEST}": "([0-9a-f]{{64}})"'.encode(), content)
    if found is None:
        raise ValueError(f"the file has no digest in {NAME}")
    check_digest(content, found[1].decode())


def check_digest(content: bytes, digest: str) -> None:
    """Checks that a file is that of a digest.

    Args:
        content: Bytes of the file.
        digest: Str, the digest that it holds.

    Raises:
        ValueError: If it has changed since.
    """
    as_written = _with_digest(content, digest, ZEROS)
    if hashlib.sha256(as_written).hexdigest() != digest:
        raise ValueError("the file has changed since it was written")


def _with_digest(content: bytes, old: str, new: str) -> bytes:
    told = f'"{DIGEST}": "{{}}"'
    return content.replace(told.format(old).encode(), told.format(new).encode())
