"""Several code sets in one index."""

from hashnet_tf.retrieval import HammingIndex


def index_code_sets(code_sets, kind="exact"):
    """Puts code sets of one encoder into one index.

    Args:
        code_sets: List of `CodeSet`, at least one.
        kind: As in `hashnet_tf.retrieval.HammingIndex`.

    Returns:
        `(index, names)`: the index, whose ids are places in `names`, the
        list of the images' names in the order of the sets.

    Raises:
        ValueError: If there is none, or they were made by two encoders.
        ImportError: As `HammingIndex`.

    Example:

    >>> import tempfile, hashnet_tf as hn
    >>> model = hn.HashNet(hn.models.backbone("small_cnn", (16, 16, 3)), 12)
    >>> queries = hn.datasets.load("digits").query
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     codes = hn.runs.encode_images(model, queries, f"{folder}/q")
    ...     index, names = hn.runs.index_code_sets([codes, codes])
    ...     len(index), len(names)  # doctest: +ELLIPSIS
    Encoding 200 images
    ...
    (400, 400)
    """
    if not code_sets:
        raise ValueError(
            "`code_sets` must be at least one. Received: code_sets=[]"
        )
    index, names = HammingIndex(code_sets[0].bits, kind), []
    for code_set in code_sets:
        code_set.check_digest(code_sets[0].model_digest)
        index.add(code_set.codes)
        names += code_set.ids
    return index, names
