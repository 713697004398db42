"""What a folder for browsers searches: codes, names and small pictures."""

import abc
import collections.abc
import os
import pathlib
import typing

import numpy as np
import numpy.typing as npt
from PIL import Image

from hashnet_tf._framings import DECODER
from hashnet_tf.datasets.pixels.pillow import small_jpeg
from hashnet_tf.index import Index
from hashnet_tf.runs import CodeSet
from hashnet_tf.runs.encoding import images_of


class WebCodes(abc.ABC):
    """Codes with what a page shows beside them.

    Abstract: a code set or an index has them.

    Attributes:
        codes: uint8 `[n, ceil(bits / 8)]`.
        bits: Int.
        names: List of n str.
        labels: List of n str or None, what is told of each; or None.
    """

    codes: npt.NDArray[np.uint8]
    bits: int
    names: list[str]
    labels: list[str | None] | None

    @classmethod
    def at(cls, place: os.PathLike[str] | str) -> "WebCodes":
        """Returns what lies at a path: a file is an index, a folder a code set.

        Raises:
            ValueError: If it is damaged or neither.
            FileNotFoundError: If there is nothing.
        """
        if pathlib.Path(place).is_file():
            return IndexCodes(place)
        return SetCodes(CodeSet.load(place))

    @abc.abstractmethod
    def check_model(self, digest: str) -> None:
        """Refuses codes of another model.

        Args:
            digest: Str, `hashnet_tf.models.weights_digest` of the model.

        Raises:
            ValueError: If they are of another.
        """

    @abc.abstractmethod
    def thumbnails(self, side: int) -> collections.abc.Iterator[bytes]:
        """Makes small pictures, in the order of the codes.

        Args:
            side: Int, most pixels of the longer side.

        Yields:
            Bytes of a JPEG.

        Raises:
            FileNotFoundError: If an image has gone.
        """


@typing.final
class SetCodes(WebCodes):
    """Those of a code set.

    Args:
        code_set: `hashnet_tf.runs.CodeSet`.
    """

    def __init__(self, code_set: CodeSet) -> None:
        self._code_set = code_set
        self.codes, self.bits = code_set.codes, code_set.bits
        self.names, self.labels = code_set.ids, None
        if code_set.labels is not None:
            places = range(len(code_set.ids))
            self.labels = [code_set.label(place) or None for place in places]

    def check_model(self, digest: str) -> None:
        self._code_set.check_digest(digest)
        self._code_set.check_decoder(DECODER)

    def thumbnails(self, side: int) -> collections.abc.Iterator[bytes]:
        images = images_of(self._code_set, np.arange(len(self.names)))
        for _, image in images.encoded().as_numpy_iterator():
            if isinstance(image, np.ndarray):
                image = Image.fromarray(image)
            yield small_jpeg(image, side)


@typing.final
class IndexCodes(WebCodes):
    """Those of an index, whose files are named from the folder of them all.

    Args:
        path: Str or path of the index.
    """

    def __init__(self, path: os.PathLike[str] | str) -> None:
        self._path = path
        with Index.open(path) as index:
            self._digest, self.bits = index.stat()["encoder"], index.bits
            _, entries = index.page(0, len(index))
        codes = b"".join(entry.code for entry in entries)
        width = -(-self.bits // 8)
        self.codes = np.frombuffer(codes, np.uint8).reshape(-1, width)
        self._files = [entry.name for entry in entries]
        self.names = _below_their_folder(self._files)
        self.labels = [entry.label for entry in entries]

    def check_model(self, digest: str) -> None:
        if self._digest != digest:
            raise ValueError(
                "An index must be of the run's own model: begin one by `hashnet"
                " index add --model=RUN`. Received:"
                f" {self._path} of the model {self._digest} for {digest}"
            )

    def thumbnails(self, side: int) -> collections.abc.Iterator[bytes]:
        for file in self._files:
            yield small_jpeg(file, side)


def _below_their_folder(names: list[str]) -> list[str]:
    """Returns names without what they share: a page tells it to anybody."""
    if not names or not all(map(os.path.isabs, names)):
        return names
    folder = os.path.commonpath([os.path.dirname(name) for name in names])
    return [os.path.relpath(name, folder) for name in names]
