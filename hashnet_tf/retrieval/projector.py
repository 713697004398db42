"""Codes for TensorBoard's Embedding Projector."""

import pathlib

import numpy as np

from hashnet_tf.atomic import written_beside
from hashnet_tf.retrieval.codes import unpack

CONFIG = """embeddings {{
  tensor_name: "codes"
  tensor_path: "{tensors}"
  metadata_path: "{metadata}"
}}
"""


def write_projector(codes, bits, labels, names, folder):
    """Writes codes as the Embedding Projector of TensorBoard reads them.

    `tensorboard --logdir=FOLDER` then shows them under "Projector"; the two
    .tsv files can be loaded into its page on the web too.

    Args:
        codes: uint8 `[n, ceil(bits / 8)]`.
        bits: Int, length K of the codes.
        labels: n labels, shown as text.
        names: n names, shown as text.
        folder: Str or path, made if it is missing.

    Returns:
        The path of `projector_config.pbtxt`, a `pathlib.Path`; beside it lie
        `tensors.tsv`, the signs, and `metadata.tsv`.

    Raises:
        ValueError: If codes, labels and names are not of one length.

    Example:

    >>> import tempfile
    >>> import numpy as np
    >>> from hashnet_tf.retrieval import write_projector
    >>> codes = np.array([[160], [32]], dtype="uint8")
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = write_projector(codes, 3, [7, 0], ["a.jpg", "b.jpg"], folder)
    ...     (path.parent / "tensors.tsv").read_text().splitlines()
    ['1\\t-1\\t1', '-1\\t-1\\t1']
    """
    signs = unpack(codes, bits)
    if not len(signs) == len(labels) == len(names):
        raise ValueError(
            "`codes`, `labels` and `names` must be of one length. Received:"
            f" {len(signs)} codes, {len(labels)} labels, {len(names)} names"
        )
    folder = pathlib.Path(folder)
    rows = [
        f"{_field(n)}\t{_field(t)}" for n, t in zip(names, labels, strict=True)
    ]
    files = {
        "tensors.tsv": ["\t".join(map(str, row)) for row in signs.tolist()],
        "metadata.tsv": ["name\tlabel", *rows],
    }
    for name, lines in files.items():
        with written_beside(folder / name) as beside:
            beside.write_text("\n".join(lines) + "\n", encoding="utf-8")
    path = folder / "projector_config.pbtxt"
    with written_beside(path) as beside:
        text = CONFIG.format(tensors="tensors.tsv", metadata="metadata.tsv")
        beside.write_text(text, encoding="utf-8")
    return path


def _field(value):
    if isinstance(value, np.ndarray):
        value = ",".join(map(str, np.flatnonzero(value)))
    # Tabs and line breaks separate fields and rows.
    return " ".join(str(value).split())
