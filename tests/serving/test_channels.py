"""An index of images of 13 channels that is served."""

import io

import keras
import numpy as np
import pytest
from PIL import Image

import hashnet_tf as hn

SCENES = np.random.default_rng(0).integers(0, 256, (6, 4, 4, 13), "uint8")


@pytest.fixture(scope="module")
def scenes(tmp_path_factory):
    """File of an index of codes, whose encoder lies in it."""
    folder = tmp_path_factory.mktemp("scenes")
    inputs = keras.Input((4, 4, 13), name="scenes")
    features = keras.layers.Flatten()(keras.layers.Rescaling(1 / 255)(inputs))
    model = hn.HashNet(keras.Model(inputs, features), 16)
    hn.export.to_litert(model, folder / "a.tflite")
    encoder = hn.export.LiteRTEncoder(folder / "a.tflite")
    with hn.Index.open(folder / "a.index", encoder=encoder) as index:
        index.add(list("abcdef"), encoder.encode(SCENES))
        (hit,) = index.search(SCENES[2], k=1)
        assert (hit.name, hit.distance) == ("c", 0)
    return folder / "a.index"


def test_a_picture_is_refused(scenes, service_of):
    file = io.BytesIO()
    Image.new("RGB", (9, 7)).save(file, "PNG")
    with service_of(scenes) as client:
        first, *_ = client.get("/items").json()["items"]
        assert client.get(f"/like/{first['id']}?k=2").status_code == 200
        for path in ("/search", "/codes"):
            answer = client.post(
                path,
                content=file.getvalue(),
                headers={"Content-Type": "image/png"},
            )
            assert answer.status_code == 409
            assert answer.text.count("RGB as of every image file") == 1
