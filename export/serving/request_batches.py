"""Images a few at a time, as many as go into one request."""

from hashnet_tf.export.image_batches import BATCH_SIZE

MOST_BYTES = 3 * 2**20


def request_batches(images):
    """Yields lists of at most 32 images and 3 MiB.

    That is below the 4 MB which gRPC lets through by default on servers and
    proxies. An image that alone is larger goes alone.

    Args:
        images: Iterable of bytes or of arrays.

    Example:

    >>> from hashnet_tf.export.serving.request_batches import request_batches
    >>> [len(batch) for batch in request_batches([bytes(2**20)] * 5)]
    [3, 2]
    """
    batch, size = [], 0
    for image in images:
        more = memoryview(image).nbytes
        if batch and (len(batch) == BATCH_SIZE or size + more > MOST_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(image)
        size += more
    if batch:
        yield batch
