"""Proof that an artefact gives the model's bits."""

import dataclasses
import os
from typing import Any

import keras
import numpy as np

from hashnet_tf.export.freeze import inputs_of
from hashnet_tf.export.litert_encoder import LiteRTEncoder
from hashnet_tf.export.onnx_encoder import OnnxEncoder
from hashnet_tf.export.saved_model_encoder import SavedModelEncoder
from hashnet_tf.models import HashNet
from hashnet_tf.retrieval import pack
from hashnet_tf.retrieval.evaluation import two_standard_errors

# Kernels differ in their last digits, so a bit whose z is this close to 0,
# relative to the largest |z|, may fall on either side.
TOLERANCE = 1e-4


class ParityError(RuntimeError):
    """An artefact that promises the model's bits gives others."""


@dataclasses.dataclass(frozen=True)
class ParityReport:
    """How the bits of an artefact compare with the model's.

    Attributes:
        artefact: Str, the path.
        bits_compared: Int, items times bits.
        bits_moved: Int, how many of them differ.
        largest_moved_z: Float, the largest |z| of a bit that differs; 0 if
            none does.
        median_moved_z: Float, the median of them; 0 if none does.
        error: Float, two standard errors of `share` over the items: the bits of
            one move together.

    Example:

    >>> from hashnet_tf.export import ParityReport
    >>> ParityReport("encoder.tflite", 4800, 12, 0.003).share
    0.0025
    """

    artefact: str
    bits_compared: int
    bits_moved: int
    largest_moved_z: float
    median_moved_z: float = 0.0
    error: float = 0.0

    @property
    def share(self) -> float:
        """Float in [0, 1], the share of the bits that moved."""
        return self.bits_moved / self.bits_compared


def check_saved_model(
    path: os.PathLike[str] | str, model: HashNet, images: Any
) -> ParityReport:
    """Compares a SavedModel's bits with `model.encode`.

    Args:
        path: Folder of one version, as `to_saved_model` returned it.
        model: `HashNet`.
        images: uint8 array `[n, height, width, 3]` of the trained size, n >= 1;
            of another model inputs as `model.encode` takes them.

    Returns:
        `ParityReport`.

    Raises:
        ParityError: If a bit differs whose |z| is above 1e-4 of the largest,
            or the codes have another length.
        ValueError: If `images` are not such, or the model's z are not finite.

    Example:

    ```python
    path = hn.export.to_saved_model(model, "encoder")
    hn.export.check_saved_model(path, model, images).bits_moved  # 0
    ```
    """
    images = _check(images, model)
    codes = SavedModelEncoder(path).encode(images)
    return _compare(path, codes, model, images, exact=True)


def check_litert(
    path: os.PathLike[str] | str, model: HashNet, images: Any
) -> ParityReport:
    """Compares a LiteRT file's bits with `model.encode`.

    Of a quantised file the report only tells how many bits moved; how many
    are too many is for the caller to say.

    Args:
        path: File that `to_litert` or `to_web` wrote.
        model: `HashNet`.
        images: uint8 array `[n, height, width, 3]` of the trained size, n >= 1;
            of another model inputs as `model.encode` takes them.

    Returns:
        `ParityReport`.

    Raises:
        ParityError: If in an unquantised file a bit differs whose |z| is
            above 1e-4 of the largest, the codes have another length, or the
            file's codes, signs and z disagree.
        ValueError: If the file is no encoder of such images, `images` are not
            such, or the model's z are not finite.

    Example:

    ```python
    path = hn.export.to_litert(model, "encoder_float16.tflite", "float16")
    hn.export.check_litert(path, model, images).share  # 0.0002
    ```
    """
    images = _check(images, model)
    encoder = LiteRTEncoder(path)
    outputs = encoder.run(images)
    exact = encoder.quantize is None
    report = _compare(path, outputs["codes"], model, images, exact)
    features = outputs.pop("features", np.zeros(0))
    if not np.isfinite(features).all():
        raise ParityError(f"{path} gives features that are no numbers.")
    _check_agreement(path, **outputs)
    return report


def check_onnx(
    path: os.PathLike[str] | str, model: HashNet, images: Any
) -> ParityReport:
    """Compares an ONNX file's bits with `model.encode`.

    Args:
        path: File that `to_onnx` wrote.
        model: `HashNet`.
        images: uint8 array `[n, height, width, 3]` of the trained size, n >= 1;
            of another model inputs as `model.encode` takes them.

    Returns:
        `ParityReport`.

    Raises:
        ParityError: If a bit differs whose |z| is above 1e-4 of the largest,
            the codes have another length, or codes and signs disagree.
        ValueError: If the file is no encoder of such images, `images` are not
            such, or the model's z are not finite.
        ImportError: If ONNX Runtime is not installed.

    Example:

    ```python
    path = hn.export.to_onnx(model, "encoder.onnx")
    hn.export.check_onnx(path, model, images).bits_moved  # 0
    ```
    """
    images = _check(images, model)
    outputs = OnnxEncoder(path).run(images)
    report = _compare(path, outputs["codes"], model, images, exact=True)
    _check_agreement(path, **outputs)
    return report


def _check_agreement(
    path: os.PathLike[str] | str,
    codes: np.ndarray,
    signs: np.ndarray | None = None,
    z: np.ndarray | None = None,
) -> None:
    """Checks that the outputs of a file tell the same bits."""
    if signs is None:
        return
    wrong = (np.abs(signs) != 1).any() or (pack(signs) != codes).any()
    if z is not None:
        # Whether a subnormal is 0 differs between processors.
        told = np.abs(z) >= np.finfo(np.float32).tiny
        wrong |= not np.isfinite(z).all() or (z * signs < 0)[told].any()
    if wrong:
        raise ParityError(f"{path} gives codes, signs and z that disagree.")


def _check(images: Any, model: HashNet) -> Any:
    inputs = inputs_of(model)
    images = inputs.kept(images)
    if not any(True for _ in inputs.batches(images)):
        raise ValueError(
            f"`{inputs.noun}` must be at least one. Received:"
            f" images.shape={getattr(images, 'shape', (0,))}"
        )
    return images


def _compare(
    path: os.PathLike[str] | str,
    codes: np.ndarray,
    model: HashNet,
    images: Any,
    exact: bool,
) -> ParityReport:
    return compare_codes(path, codes, *model_bits(model, images), exact)


def model_bits(model: HashNet, images: Any) -> tuple[np.ndarray, np.ndarray]:
    """Returns what an artefact's bits are compared with.

    Args:
        model: `HashNet`.
        images: uint8 array `[n, height, width, 3]` of the trained size; of
            another model inputs as `model.encode` takes them.

    Returns:
        `(codes, size)`: the packed codes of `model.encode`, and |z|, float32
        `[n, bits]`.

    Raises:
        ValueError: If the model's z are not finite.

    Example:

    >>> import numpy as np, hashnet_tf as hn
    >>> from hashnet_tf.export.parity import model_bits
    >>> model = hn.HashNet(hn.models.backbone("small_cnn", (16, 16, 3)), 12)
    >>> images = np.zeros((2, 16, 16, 3), dtype="uint8")
    >>> [array.shape for array in model_bits(model, images)]
    [(2, 2), (2, 12)]
    """
    return model.encode(images), np.abs(finite_z(model, images))


def compare_codes(
    artefact: os.PathLike[str] | str,
    codes: np.ndarray,
    expected: np.ndarray,
    size: np.ndarray,
    exact: bool,
) -> ParityReport:
    """Compares an artefact's codes with the model's.

    Args:
        artefact: Str or path, for the report.
        codes: uint8 array `[n, ceil(bits / 8)]`.
        expected: The model's, such an array.
        size: |z|, array `[n, bits]`.
        exact: Whether the artefact promises the model's bits.

    Returns:
        `ParityReport`.

    Raises:
        ParityError: If the shapes differ, or the artefact breaks its promise
            where |z| is above 1e-4 of the largest.

    Example:

    >>> import numpy as np
    >>> from hashnet_tf.export.parity import compare_codes
    >>> codes, expected = np.uint8([[0b1000]]), np.uint8([[0b1001]])
    >>> size = np.ones((1, 8))
    >>> compare_codes("int8", codes, expected, size, exact=False).bits_moved
    1
    """
    if codes.shape != expected.shape:
        raise ParityError(
            f"{artefact} does not fit the model: codes of shape"
            f" {codes.shape} rather than {expected.shape}."
        )
    differ = np.bitwise_xor(codes, expected, dtype=np.uint8)
    moved = np.unpackbits(differ, axis=1, count=size.shape[1]) == 1
    wrong = np.sum(moved & (size > TOLERANCE * size.max()))
    if exact and wrong:
        raise ParityError(
            f"{artefact} does not give the model's bits: {wrong} of"
            f" {moved.size} differ where |z| is above {TOLERANCE:g} of the"
            " largest."
        )
    return ParityReport(
        artefact=str(artefact),
        bits_compared=moved.size,
        bits_moved=int(moved.sum()),
        largest_moved_z=float(size[moved].max(initial=0.0)),
        median_moved_z=float(np.median(size[moved])) if moved.any() else 0.0,
        error=two_standard_errors(moved.mean(axis=1)),
    )


def finite_z(model: HashNet, images: Any) -> np.ndarray:
    """Returns z of images or other inputs, float32 `[n, K]`.

    Raises:
        ValueError: If NaN or infinity is among them.
    """
    inputs = inputs_of(model)
    batches: list[Any] = [
        keras.ops.convert_to_numpy(
            model.logits(inputs.packed(batch), training=False)
        )
        for batch in inputs.batches(images)
    ]
    z = np.concatenate(batches).astype(np.float32)
    if not np.isfinite(z).all():
        rows = np.flatnonzero(~np.isfinite(z).all(axis=1))
        raise ValueError(
            "`model` must give finite z. Received: NaN or infinity for"
            f" {len(rows)} {inputs.noun}, the first of them {rows[0]}"
        )
    return z
