"""The measurement of two code sets, whichever encoder made them."""

from hashnet_tf.retrieval.evaluate import USUAL_AT, evaluate


def evaluate_code_sets(query, database, at=USUAL_AT, empty_ball="zero"):
    """Measures the retrieval of one code set's images from another's.

    Args:
        query: `CodeSet` with labels.
        database: `CodeSet` with labels.
        at: Int R >= 1 of MAP@R.
        empty_ball: As in `hashnet_tf.retrieval.evaluate`.

    Returns:
        `hashnet_tf.retrieval.RetrievalReport`.

    Raises:
        ValueError: If they were made by two encoders, or one has no labels.

    Example:

    >>> import tempfile, hashnet_tf as hn
    >>> model = hn.HashNet(hn.models.backbone("small_cnn", (16, 16, 3)), 12)
    >>> queries = hn.datasets.load("digits").query
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     codes = hn.runs.encode_images(model, queries, f"{folder}/q")
    ...     report = hn.runs.evaluate_code_sets(codes, codes, at=100)
    ...     report.queries  # doctest: +ELLIPSIS
    Encoding 200 images
    ...
    200
    """
    query.check_digest(database.model_digest)
    for name, code_set in (("query", query), ("database", database)):
        if code_set.labels is None:
            raise ValueError(
                f"`{name}` must have labels, by which relevance is judged."
                f" Received: {name} of {len(code_set.ids)} codes without"
            )
    return evaluate(
        query.codes,
        database.codes,
        query.labels,
        database.labels,
        bits=database.bits,
        at=at,
        empty_ball=empty_ball,
    )
