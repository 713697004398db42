import io

import numpy as np
import pytest
from PIL import Image

import hashnet_tf as hn


@pytest.fixture
def picture():
    """Function to the bytes of a picture of one grey, as many for each."""

    def written(number):
        file = io.BytesIO()
        Image.new("RGB", (4, 4), (number, number, number)).save(file, "PNG")
        return file.getvalue().ljust(200, b"\0")

    return written


class Reader:
    """An encoder of 16 bits that takes the first pixel of an image.

    It notes what it was given.
    """

    bits = 16
    image_size = (4, 4)
    framing = "whole"

    def __init__(self, model_digest="a"):
        self.model_digest = model_digest
        self.read = []

    def encode(self, images):
        self.read += [int(image[0, 0, 0]) for image in images]
        return np.array([[image[0, 0, 0], 0] for image in images], np.uint8)

    def encode_files(self, paths):
        raise NotImplementedError


@pytest.fixture
def reader():
    return Reader


@pytest.fixture
def index(tmp_path):
    """An empty index of 16 bits."""
    with hn.Index.open(tmp_path / "a.index", bits=16) as index:
        yield index
