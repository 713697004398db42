"""The formats that an encoder is exported to, in one registry.

It names functions by their path, so that the formats can be listed without
waiting for TensorFlow. To add a format, write one module with three functions,
as `ExportFormat` tells, and add one line to `FORMATS`.
"""

import dataclasses
import os
import pathlib
import pkgutil
from collections.abc import Mapping
from typing import Any


@dataclasses.dataclass(frozen=True)
class Bound:
    """The limits of one way to quantise.

    Attributes:
        share: Float, the largest share of the bits that may move.
        map_fall: Float, how far MAP may lie below the model's own.
    """

    share: float
    map_fall: float = 0.01


@dataclasses.dataclass(frozen=True)
class ExportFormat:
    """A format: what writes it, checks it and opens it, and its bounds.

    The functions are named "module:function" and imported when they are used.

    Attributes:
        title: Str, its name in a sentence.
        write: Function `write(model, path, **options) -> path`. It writes the
            frozen encoder of a `HashNet` and returns where it wrote.
        check: Function `check(path, model, images)`. It raises
            `hashnet_tf.export.ParityError` where the bits are not as promised.
        open: Function from a path to an encoder, as `LiteRTEncoder` is one.
        options: Tuple of str, which of the options of `export_run` its `write`
            takes: of "quantize", "representative", "z", "batch_size",
            "image_dtype" and "report".
        extra: Str, of the package's extras, what it needs; empty where it is
            among what is written if no format is named.
        suffix: Str, with the dot, of the file or folder that it writes; empty
            for a folder of versions.
        bounds: Dict from each way to quantise to the `Bound` of what may
            change, or to None where the bits are the model's own. The way None
            is not to quantise.

    Example:

    >>> import hashnet_tf as hn
    >>> hn.export.FORMATS["litert"].bounds["int8"].share
    0.03
    """

    title: str
    write: str
    check: str
    open: str
    options: tuple[str, ...] = ()
    extra: str = ""
    suffix: str = ""
    bounds: Mapping[str | None, Bound | None] = dataclasses.field(
        default_factory=lambda: {None: None}
    )

    def file_name(self, name: str, quantize: str | None = None) -> str:
        """Returns what it is called in the folder `export/` of a run.

        Args:
            name: Str, the format's name in `FORMATS`.
            quantize: Str, the way to quantise, or None.

        Returns:
            Str: with a suffix "encoder.SUFFIX" or "encoder_QUANTIZE.SUFFIX",
            and the format's name without.
        """
        if not self.suffix:
            return name
        way = f"_{quantize}" if quantize else ""
        return f"encoder{way}{self.suffix}"

    def function(self, role: str) -> Any:
        """Imports one of its functions.

        Args:
            role: Str, "write", "check" or "open".
        """
        return pkgutil.resolve_name(getattr(self, role))


FORMATS: dict[str, ExportFormat] = {
    "saved_model": ExportFormat(
        title="SavedModel",
        write="hashnet_tf.export.saved_model:to_saved_model",
        check="hashnet_tf.export.parity:check_saved_model",
        open="hashnet_tf.export.saved_model_encoder:open_version",
        options=("image_dtype", "report"),
    ),
    "litert": ExportFormat(
        title="LiteRT",
        write="hashnet_tf.export.litert:to_litert",
        check="hashnet_tf.export.parity:check_litert",
        open="hashnet_tf.export.litert_encoder:LiteRTEncoder",
        options=("quantize", "representative", "z", "batch_size"),
        suffix=".tflite",
        # What was measured is .3 % at most of float16, 1.3 % of dynamic, with
        # its biases corrected, and of int8 1.3 % of fine-tuned networks but
        # 2.2 % of frozen ones. MAP fell by .007 where .8 % moved: a tighter
        # bound would refuse what is as good as it gets.
        bounds={
            None: None,
            "float16": Bound(0.005),
            "dynamic": Bound(0.02),
            "int8": Bound(0.03),
        },
    ),
    "web": ExportFormat(
        title="LiteRT for browsers",
        write="hashnet_tf.export.web_file:to_web",
        check="hashnet_tf.export.parity:check_litert",
        open="hashnet_tf.export.litert_encoder:LiteRTEncoder",
        suffix="_web.tflite",
    ),
    "onnx": ExportFormat(
        title="ONNX",
        write="hashnet_tf.export.onnx_file:to_onnx",
        check="hashnet_tf.export.parity:check_onnx",
        open="hashnet_tf.export.onnx_encoder:OnnxEncoder",
        extra="onnx",
        suffix=".onnx",
    ),
}


def usual_formats() -> tuple[str, ...]:
    """Returns the names of the formats that need no extra.

    Example:

    >>> from hashnet_tf.export.formats import usual_formats
    >>> usual_formats()
    ('saved_model', 'litert', 'web')
    """
    return tuple(name for name, kind in FORMATS.items() if not kind.extra)


def ways_to_quantize() -> tuple[str | None, ...]:
    """Returns the ways to quantise of all formats; None is not to quantise.

    Example:

    >>> from hashnet_tf.export.formats import ways_to_quantize
    >>> ways_to_quantize()
    (None, 'float16', 'dynamic', 'int8')
    """
    ways = [way for kind in FORMATS.values() for way in kind.bounds]
    return tuple(dict.fromkeys(ways))


def format_of(path: os.PathLike[str] | str) -> ExportFormat:
    """Returns the format of an exported encoder.

    Args:
        path: The file or folder, known by its suffix.

    Returns:
        `ExportFormat`, of two suffixes that fit the longer's. What has no
        suffix of a format is the SavedModel if it is a folder, and else a
        LiteRT file.

    Example:

    >>> from hashnet_tf.export.formats import format_of
    >>> format_of("encoder_int8.tflite").title
    'LiteRT'
    """
    path = pathlib.Path(path)
    fitting = [
        kind
        for kind in FORMATS.values()
        if kind.suffix and path.name.endswith(kind.suffix)
    ]
    if fitting:
        return max(fitting, key=lambda kind: len(kind.suffix))
    return FORMATS["saved_model" if path.is_dir() else "litert"]
