"""Export: the exact encoder, as it runs on servers and on devices."""

from hashnet_tf.export.litert import to_litert
from hashnet_tf.export.litert_encoder import LiteRTEncoder
from hashnet_tf.export.load_encoder import load_encoder
from hashnet_tf.export.parity import (
    ParityError,
    ParityReport,
    check_litert,
    check_saved_model,
)
from hashnet_tf.export.saved_model import to_saved_model
from hashnet_tf.export.saved_model_encoder import SavedModelEncoder
from hashnet_tf.export.serving.bundle import write_serving_bundle
from hashnet_tf.export.serving.client import ServingClient
from hashnet_tf.export.serving.encoded import Encoded

__all__ = [
    "Encoded",
    "LiteRTEncoder",
    "ParityError",
    "ParityReport",
    "SavedModelEncoder",
    "ServingClient",
    "check_litert",
    "check_saved_model",
    "load_encoder",
    "to_litert",
    "to_saved_model",
    "write_serving_bundle",
]
