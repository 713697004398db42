import pathlib

import numpy as np
import pytest

import hashnet_tf as hn


class Reader:
    """An encoder of 16 bits that takes the first two bytes of a file.

    One that begins with "no" is no image. It counts the files that it reads.
    """

    bits = 16
    image_size = (4, 4)
    framing = "whole"

    def __init__(self, model_digest="a"):
        self.model_digest = model_digest
        self.read = []

    def encode(self, images):
        return np.array([[image[0, 0, 0], 0] for image in images], np.uint8)

    def encode_files(self, paths):
        contents = [pathlib.Path(path).read_bytes() for path in paths]
        for path, content in zip(paths, contents, strict=True):
            if content.startswith(b"no"):
                raise ValueError(f"no image. Received: {path}")
        self.read += [pathlib.Path(path).name for path in paths]
        return np.array([list(c[:2]) for c in contents], np.uint8)


@pytest.fixture
def reader():
    return Reader


@pytest.fixture
def index(tmp_path):
    """An empty index of 16 bits."""
    with hn.Index.open(tmp_path / "a.index", bits=16) as index:
        yield index
