"""Export: the exact encoder, as it runs on servers and on devices."""

from hashnet_tf.export.bounds import broken_bounds, keep_within_bounds
from hashnet_tf.export.export_run import ExportReport, export_run
from hashnet_tf.export.image_embedder import to_image_embedder
from hashnet_tf.export.litert import to_litert
from hashnet_tf.export.litert_encoder import LiteRTEncoder
from hashnet_tf.export.load_encoder import load_encoder
from hashnet_tf.export.measurement import (
    Measurement,
    Reference,
    measure_encoders,
)
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
    "ExportReport",
    "LiteRTEncoder",
    "Measurement",
    "ParityError",
    "ParityReport",
    "Reference",
    "SavedModelEncoder",
    "ServingClient",
    "broken_bounds",
    "check_litert",
    "check_saved_model",
    "export_run",
    "keep_within_bounds",
    "load_encoder",
    "measure_encoders",
    "to_image_embedder",
    "to_litert",
    "to_saved_model",
    "write_serving_bundle",
]
