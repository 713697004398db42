"""A moment by which a call must have its answer."""

import time


class Deadline:
    """The end of a call, counted from when it is made.

    Args:
        seconds: Positive number.

    Example:

    >>> from hashnet_tf.export.serving.deadline import Deadline
    >>> 0 < Deadline(60).remaining() <= 60
    True
    """

    def __init__(self, seconds):
        self._seconds = seconds
        self._end = time.monotonic() + seconds

    def remaining(self):
        """Returns the seconds that are left, more than 0.

        Raises:
            TimeoutError: If none are.
        """
        seconds = self._end - time.monotonic()
        if seconds <= 0:
            raise self.exceeded()
        return seconds

    def exceeded(self):
        """Returns the `TimeoutError` of this deadline."""
        return TimeoutError(
            "The server did not answer the whole call within its deadline."
            f" Received: timeout={self._seconds}"
        )
