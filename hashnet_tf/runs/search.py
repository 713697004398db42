"""The nearest images of a code set to given ones."""

import dataclasses
import os
import pathlib
import typing

import numpy as np
import numpy.typing as npt

from hashnet_tf._framings import DECODER
from hashnet_tf._output import say
from hashnet_tf.retrieval import search
from hashnet_tf.retrieval.labels import relevance
from hashnet_tf.runs.code_set import CodeSet
from hashnet_tf.runs.encoders import Encoder, Images, as_encoder, framed_pixels

# TensorFlow, Keras and Matplotlib are imported where they are used: a search
# by a LiteRT file should not wait for them.
if typing.TYPE_CHECKING:
    from hashnet_tf.models import HashNet
    from hashnet_tf.runs.run import Run

# Characters of a title that fit above an image of a sheet.
TITLE = 18
# As many as a sheet is still looked at for; more would take minutes to draw.
DRAWN = 24


@dataclasses.dataclass(frozen=True)
class Neighbours:
    """What was found for some images.

    Attributes:
        distances: uint16 `[q, k]`, in bits, rising.
        indices: int64 `[q, k]`, places in the code set.
        code_set: `CodeSet` that was searched.
        codes: uint8 `[q, ceil(bits / 8)]`, of the images asked with.
        images: uint8 `[q, height, width, 3]`, the images asked with, as the
            encoder saw them; or vectors, `[q, d]`.
        framing: Str, as in `HashNet`, of the encoder.
    """

    distances: np.ndarray
    indices: np.ndarray
    code_set: CodeSet
    codes: np.ndarray
    images: np.ndarray
    framing: str = "whole"

    def label(self, index: int) -> str:
        """Returns the label of a found image as text, "" if not known."""
        return self.code_set.label(index)

    def table(self, row: int = 0) -> str:
        """Returns the images found for one query as text for a terminal."""
        found = [
            (distance, self.label(index), self.code_set.ids[index])
            for distance, index in zip(
                self.distances[row], self.indices[row], strict=True
            )
        ]
        width = max([len("label"), *(len(label) for _, label, _ in found)])
        kind = "image" if self.images.ndim == 4 else "vector"
        lines = [f"rank  distance  {'label':{width}}  {kind}"]
        lines += [
            f"{rank:4}  {distance:8}  {label:{width}}  {name}"
            for rank, (distance, label, name) in enumerate(found, start=1)
        ]
        return "\n".join(lines)

    def draw(
        self,
        path: os.PathLike[str] | str,
        labels: npt.ArrayLike | None = None,
    ) -> pathlib.Path:
        """Draws the images asked with, each beside the first 24 found for it.

        Above each image found stand its distance and, where the code set has
        class names, its label.

        Args:
            path: Str or path of the PNG.
            labels: Labels of the images asked with, class ids `[q]` or a
                zero-or-one matrix `[q, L]`, by which what is found is right or
                wrong; None where they are not known.

        Returns:
            The path, a `pathlib.Path`.

        Raises:
            FileNotFoundError: If the images found are not there any more.
            ValueError: If one of them cannot be decoded, or they are no RGB
                images.
        """
        if self.images.ndim == 2:
            raise ValueError(
                "Images can be drawn. Received: vectors, which have no looks"
            )
        if self.images.shape[3] != 3:
            raise ValueError(
                "RGB images can be drawn. Received: images of"
                f" {self.images.shape[3]} channels"
            )
        from hashnet_tf.datasets import pixel_array
        from hashnet_tf.plots import plot_neighbours
        from hashnet_tf.runs.encoding import images_of

        height, width = self.images.shape[1:3]
        indices = self.indices[:, :DRAWN]
        q, k = indices.shape
        # A subset of a stream comes in the stream's own order.
        wanted, places = np.unique(indices, return_inverse=True)
        pixels = pixel_array(
            images_of(self.code_set, wanted), (height, width), self.framing
        )
        found = [
            [pixels[place] for place in row] for row in places.reshape(q, k)
        ]
        right = None
        if labels is not None and self.code_set.labels is not None:
            asked = np.asarray(labels)
            judged = [
                relevance(asked[i : i + 1], self.code_set.labels[row])[0]
                for i, row in enumerate(indices)
            ]
            right = np.stack(judged)
        titles = [
            [self._title(*hit) for hit in zip(*row, strict=True)]
            for row in zip(self.distances[:, :DRAWN], indices, strict=True)
        ]
        return plot_neighbours(list(self.images), found, right, titles, path)

    def _title(self, distance: int, index: int) -> str:
        if self.code_set.class_names is None:
            return f"{distance}"
        title = f"{distance} {self.label(index)}".rstrip()
        return title if len(title) <= TITLE else f"{title[: TITLE - 1]}…"


def search_images(
    encoder: "HashNet | Encoder",
    images: Images,
    code_set: CodeSet,
    k: int = 10,
) -> Neighbours:
    """Finds the k nearest images of a code set for each of some images.

    Args:
        encoder: `HashNet` on images, or any `Encoder`.
        images: uint8 array `[q, height, width, 3]` of the size that it takes,
            framed as `encoder.framing` tells; or one such image; or the path
            of an image file, or a list of q paths, or the path of an .npz
            archive. For an encoder of vectors these, real `[q, d]` or `[d]`,
            or the path of a file of them.
        code_set: `CodeSet`.
        k: Int >= 1.

    Returns:
        `Neighbours`, a row for each image.

    Raises:
        ValueError: If the code set was made by another encoder or decoder, or
            a file is no image.

    Example:

    >>> import tempfile, hashnet_tf as hn
    >>> model = hn.HashNet(hn.models.backbone("small_cnn", (16, 16, 3)), 12)
    >>> queries = hn.datasets.load("digits").query
    >>> images = hn.datasets.pixel_array(queries.first(2), (16, 16))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     code_set = hn.runs.encode_images(model, queries, f"{folder}/q")
    ...     found = hn.runs.search_images(model, images, code_set, k=3)
    ...     found.indices.shape
    Encoding 200 images
    (2, 3)
    """
    encoder = as_encoder(encoder)
    code_set.check_digest(encoder.model_digest)
    # Pixels are taken as they come.
    if not isinstance(images, np.ndarray):
        code_set.check_decoder(DECODER)
    pixels = framed_pixels(images, encoder)
    codes = encoder.encode(pixels)
    distances, indices = search(codes, code_set.codes, k)
    return Neighbours(
        distances, indices, code_set, codes, pixels, encoder.framing
    )


def quick_encoder(run: "Run", code_set: CodeSet) -> Encoder | None:
    """Returns the encoder that a run was exported to, if its codes are these.

    It is there in a tenth of the time that TensorFlow and Keras take.

    Args:
        run: `hashnet_tf.runs.Run`.
        code_set: `CodeSet` that is searched.

    Returns:
        `hashnet_tf.export.LiteRTEncoder`, whose bits are those of the network,
        or None where the run has no such file.
    """
    from hashnet_tf.export.formats import FORMATS

    path = run.export_path / FORMATS["litert"].file_name("litert")
    # A network that was trained anew is not what lies there.
    if (
        not path.is_file()
        or path.stat().st_mtime < run.model_path.stat().st_mtime
    ):
        return None
    from hashnet_tf.export.litert_encoder import LiteRTEncoder

    try:
        encoder = LiteRTEncoder(path)
    except ValueError as error:
        say(f"{error}. The network itself is taken.")
        return None
    same = encoder.model_digest == code_set.model_digest
    return encoder if same else None
