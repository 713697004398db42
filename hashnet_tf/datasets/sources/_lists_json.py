"""What stands beside lists of images, in `lists.json`."""

import dataclasses
import json
import os
import pathlib
from typing import Any

from hashnet_tf.datasets.protocol import OVERLAPS

LISTS_JSON = "lists.json"


@dataclasses.dataclass(frozen=True)
class ListsJson:
    """Whose images are listed, and what is known of them.

    Attributes:
        images: Str, the folder that the paths are relative to, absolute or
            relative to the folder of the lists; None for that folder.
        data: Str, the word of a source whose images are listed by their names
            ("tfds:cifar10"); None where files are listed.
        classes: List of str, the names of the labels, or None.
        protocol: Str, how the parts were drawn, or None.
        remarks: List of str, what was missing or left out, or None.
        digest: Str, of the listed images of `data`, or None: another version
            of the source may give their names to others.
        at: Positive int R of the protocol's MAP@R, or None.
        overlaps: List of str, as in `RetrievalDataset`, or None.

    Raises:
        ValueError: If a value is not as above, or both `images` and `data` are
            given.

    Example:

    >>> from hashnet_tf.datasets.sources._lists_json import ListsJson
    >>> ListsJson(images="../photos", at=5000).at
    5000
    """

    images: str | None = None
    data: str | None = None
    classes: list[str] | None = None
    protocol: str | None = None
    remarks: list[str] | None = None
    digest: str | None = None
    at: int | None = None
    overlaps: list[str] | None = None

    def __post_init__(self) -> None:
        for name, good, wanted in (
            ("images", _is_text, "a text"),
            ("data", _is_text, "a text"),
            ("classes", _is_texts, "a list of texts"),
            ("protocol", _is_text, "a text"),
            ("remarks", _is_texts, "a list of texts"),
            ("digest", _is_text, "a text"),
            ("at", lambda at: type(at) is int and at > 0, "a positive int"),
            ("overlaps", _are_overlaps, f"a list of {', '.join(OVERLAPS)}"),
        ):
            value = getattr(self, name)
            if value is not None and not good(value):
                raise ValueError(
                    f'"{name}" must be {wanted}. Received: {name}={value!r}'
                )
        if self.images is not None and self.data is not None:
            raise ValueError(
                '"images" is for files and "data" for the images of another'
                f" source: one of them is needed. Received: images="
                f"{self.images!r}, data={self.data!r}"
            )

    def known(self) -> dict[str, Any]:
        """Returns what is not None, as a dict."""
        values = dataclasses.asdict(self)
        return {k: value for k, value in values.items() if value is not None}


def read_lists_json(folder: str | os.PathLike[str]) -> ListsJson:
    """Reads the `lists.json` of a folder of lists.

    Args:
        folder: Str or path.

    Returns:
        `ListsJson`, of nothing but None if there is no such file.

    Raises:
        ValueError: If it is no JSON, has other keys or values than a
            `ListsJson`, or names a folder of images that is not there.

    Example:

    >>> import pathlib, tempfile
    >>> from hashnet_tf.datasets.sources._lists_json import read_lists_json
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = pathlib.Path(folder, "lists.json")
    ...     _ = file.write_text('{"data": "digits", "at": 7}')
    ...     read_lists_json(folder).data
    'digits'
    """
    file = pathlib.Path(folder) / LISTS_JSON
    if not file.is_file():
        return ListsJson()
    keys = [field.name for field in dataclasses.fields(ListsJson)]
    try:
        values = json.loads(file.read_text(encoding="utf-8-sig"))
        if not isinstance(values, dict) or not set(values) <= set(keys):
            raise ValueError(
                f"an object with keys of {', '.join(keys)} is needed."
                f" Received: {values!r}"
            )
        said = ListsJson(**values)
        if said.images is not None and not (file.parent / said.images).is_dir():
            raise ValueError(
                '"images" must be an existing folder.'
                f" Received: {file.parent / said.images}"
            )
    except ValueError as error:
        raise ValueError(f"{file}: {error}") from error
    return said


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value)


def _is_texts(value: Any) -> bool:
    return isinstance(value, list) and all(map(_is_text, value))


def _are_overlaps(value: Any) -> bool:
    return isinstance(value, list) and all(pair in OVERLAPS for pair in value)
