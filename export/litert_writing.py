"""The one way in which a LiteRT file comes to its place."""

import pathlib

from hashnet_tf.atomic import written_beside
from hashnet_tf.export.description import description
from hashnet_tf.export.freeze import trained_size
from hashnet_tf.export.image_batches import some_images
from hashnet_tf.export.litert_conversion import (
    check_quantize,
    litert_content,
    representative_images,
)
from hashnet_tf.export.litert_metadata import with_metadata


def write_litert(
    model, path, to_outputs, check, quantize, representative, batch_size
):
    """Converts, describes, writes beside, runs, and renames.

    Args:
        model: `HashNet` on images.
        path: File to write; one that is there is replaced.
        to_outputs: As in `litert_content`.
        check: Function from the file, the model and a few images that raises
            if the file does not give what it should; it is removed then.
        quantize: As in `to_litert`.
        representative: As in `to_litert`.
        batch_size: As in `to_litert`.

    Returns:
        `pathlib.Path` of the file.

    Raises:
        ValueError: As `to_litert`.

    Example:

    >>> import pathlib, tempfile, hashnet_tf as hn
    >>> from hashnet_tf.export.litert_writing import write_litert
    >>> model = hn.HashNet(hn.models.backbone("small_cnn", (16, 16, 3)), 12)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder, "signs.tflite")
    ...     write_litert(
    ...         model, path, lambda z, bits: bits, hn.export.check_litert,
    ...         None, None, None,
    ...     ).name
    'signs.tflite'
    """
    check_quantize(quantize, representative)
    images = None
    if quantize == "int8":
        images = representative_images(representative, model)
    content = litert_content(model, to_outputs, quantize, images, batch_size)
    content = with_metadata(
        content, {**description(model), "quantize": quantize}
    )
    path = pathlib.Path(path)
    with written_beside(path) as beside:
        beside.write_bytes(content)
        # Enough to see a file that lost its weights, and no more time.
        check(beside, model, some_images(trained_size(model), images))
    return path
