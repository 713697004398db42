"""Runs an encoder's LiteRT file."""

import numpy as np
from ai_edge_litert.interpreter import Interpreter

from hashnet_tf.export.image_batches import check_images, image_batches
from hashnet_tf.export.litert_file import is_float32


class LiteRTEncoder:
    """An encoder from the file that `to_litert` wrote.

    Not safe to share between threads: give each its own.

    Args:
        path: The file.

    Attributes:
        bits: Int, K.
        image_size: `(height, width)` of the images that it takes.
        float32: Bool, whether the file is unquantised, so that its bits are
            those of the model.

    Raises:
        ValueError: If the file is no LiteRT encoder.

    Example:

    >>> import pathlib, tempfile, numpy as np, hashnet_tf as hn
    >>> model = hn.HashNet(hn.models.backbone("small_cnn", (16, 16, 3)), 12)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder, "encoder.tflite")
    ...     encoder = hn.export.LiteRTEncoder(hn.export.to_litert(model, path))
    >>> encoder.encode(np.zeros((5, 16, 16, 3), dtype="uint8")).shape
    (5, 2)
    """

    def __init__(self, path):
        self._interpreter = Interpreter(model_path=str(path))
        signatures = self._interpreter.get_signature_list()
        found = signatures.get("serving_default", {})
        if found.get("inputs") != ["images"] or not (
            {"codes", "signs"} <= set(found["outputs"])
        ):
            raise ValueError(
                "A LiteRT encoder, as `to_litert` writes it, has a signature"
                " serving_default from images to codes and signs."
                f" Received: {path} with signatures {signatures}"
            )
        self._runner = self._interpreter.get_signature_runner("serving_default")
        outputs = self._runner.get_output_details()
        images = self._runner.get_input_details()["images"]
        self.bits = int(outputs["signs"]["shape_signature"][-1])
        self.image_size = tuple(images["shape_signature"][1:3].tolist())
        self.float32 = is_float32(self._interpreter)

    def encode(self, images):
        """Returns the packed codes of images.

        Args:
            images: uint8 array `[n, height, width, 3]` of the trained size.

        Returns:
            uint8 array `[n, ceil(bits / 8)]`.

        Raises:
            ValueError: If the images have another size or dtype, which the
                runtime would take without a word.
        """
        images = check_images(images, self.image_size)
        codes = [np.zeros((0, -(-self.bits // 8)), dtype=np.uint8)]
        for batch in image_batches(images):
            codes.append(self._runner(images=batch)["codes"])
        return np.concatenate(codes)
