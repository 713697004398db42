"""Work on queries by several threads; numpy computes outside Python's lock."""

import concurrent.futures
import os


def each_query(work, q, threads=None):
    """Calls `work(query)` for each query of 0..q-1, on some threads.

    Args:
        work: Function of a query's position; what it returns is dropped.
        q: Int, the number of queries.
        threads: Positive int, or None for the processor's cores.

    Raises:
        ValueError: If `threads` is not positive; and what `work` raises.

    Example:

    >>> from hashnet_tf.retrieval.threads import each_query
    >>> squares = [0] * 4
    >>> each_query(lambda i: squares.__setitem__(i, i * i), 4, threads=2)
    >>> squares
    [0, 1, 4, 9]
    """
    if threads is None:
        threads = (
            len(os.sched_getaffinity(0))
            if hasattr(os, "sched_getaffinity")
            else (os.cpu_count() or 1)
        )
    if threads < 1:
        raise ValueError(
            f"`threads` must be positive. Received: threads={threads}"
        )

    def stretch(first):
        for query in range(first, q, threads):
            work(query)

    if threads == 1:
        stretch(0)
        return
    with concurrent.futures.ThreadPoolExecutor(threads) as pool:
        for done in [pool.submit(stretch, i) for i in range(threads)]:
            done.result()
