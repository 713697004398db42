from .backbone_encoder import backbone_encoder as backbone_encoder
from .backbone_encoder import vector_encoder as vector_encoder
from .export_report import ExportReport as ExportReport
from .formats import FORMATS as FORMATS
from .from_run import export_run as export_run
from .image_embedder import to_image_embedder as to_image_embedder
from .litert import to_litert as to_litert
from .litert_encoder import LiteRTEncoder as LiteRTEncoder
from .loading import load_encoder as load_encoder
from .measurement import Measurement as Measurement
from .measurement import Reference as Reference
from .measurement import broken_bounds as broken_bounds
from .measurement import measure_encoders as measure_encoders
from .onnx_encoder import OnnxEncoder as OnnxEncoder
from .onnx_file import to_onnx as to_onnx
from .parity import ParityError as ParityError
from .parity import ParityReport as ParityReport
from .parity import check_litert as check_litert
from .parity import check_onnx as check_onnx
from .parity import check_saved_model as check_saved_model
from .saved_model import to_saved_model as to_saved_model
from .saved_model_encoder import SavedModelEncoder as SavedModelEncoder
from .serving.bundle import write_serving_bundle as write_serving_bundle
from .serving.client import Encoded as Encoded
from .serving.client import ServingClient as ServingClient
from .web import write_web as write_web
from .web_file import to_web as to_web

__all__ = [
    "FORMATS",
    "Encoded",
    "ExportReport",
    "LiteRTEncoder",
    "Measurement",
    "OnnxEncoder",
    "ParityError",
    "ParityReport",
    "Reference",
    "SavedModelEncoder",
    "ServingClient",
    "backbone_encoder",
    "broken_bounds",
    "check_litert",
    "check_onnx",
    "check_saved_model",
    "export_run",
    "load_encoder",
    "measure_encoders",
    "to_image_embedder",
    "to_litert",
    "to_onnx",
    "to_saved_model",
    "to_web",
    "vector_encoder",
    "write_serving_bundle",
    "write_web",
]
