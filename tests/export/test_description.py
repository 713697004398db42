import keras
import tensorflow as tf

import hashnet_tf as hn
from hashnet_tf.export.freeze import description
from hashnet_tf.models import weights_digest


def test_tells_what_the_encoder_is(models):
    told = description(models["12"])
    assert told.pop("preprocessing")["channels"] == "RGB"
    assert told == {
        "bits": 12,
        "bit_order": "big",
        "image_size": [16, 20],
        "framing": "whole",
        "model_digest": weights_digest(models["12"]),
        "versions": {
            "hashnet_tf": hn.__version__,
            "keras": keras.__version__,
            "tensorflow": tf.__version__,
        },
    }
