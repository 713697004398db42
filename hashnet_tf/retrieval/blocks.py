"""Slices small enough that a block of pairs fits in memory."""

BLOCK_BYTES = 64 * 2**20


def blocks(total, row_bytes, rows=None):
    """Cuts `range(total)` into slices.

    Args:
        total: Int, the number of rows.
        row_bytes: Int, the memory that the work on one row takes.
        rows: Int, the rows of a slice, or None for as many as fit in 64 MiB
            (and at least one).

    Yields:
        Slices that cover `range(total)` in order.

    Raises:
        ValueError: If `rows` is not positive.

    Example:

    >>> from hashnet_tf.retrieval.blocks import blocks
    >>> list(blocks(5, row_bytes=8, rows=3))
    [slice(0, 3, None), slice(3, 5, None)]
    """
    if rows is None:
        rows = max(1, BLOCK_BYTES // max(1, row_bytes))
    if rows < 1:
        raise ValueError(
            f"A block must hold at least one row. Received: block={rows}"
        )
    for start in range(0, total, rows):
        yield slice(start, min(start + rows, total))
