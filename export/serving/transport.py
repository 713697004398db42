"""What carries a request to a server and brings the answer back."""

import abc

# Of the pauses between attempts, in seconds; each is double the last.
FIRST_PAUSE = 0.2
LONGEST_PAUSE = 2.0


class Transport(abc.ABC):
    """A way to TensorFlow Serving's Predict."""

    @abc.abstractmethod
    def predict(self, signature, name, values, outputs, deadline):
        """Runs a signature of one input.

        An attempt that finds the server unavailable is made again after a
        pause, as often as the transport was told; no other failure is.

        Args:
            signature: Str.
            name: Str, the input's.
            values: uint8 array, or a list of bytes.
            outputs: List of the names of what is wanted.
            deadline: `Deadline`.

        Returns:
            Dict from each name in `outputs` to an array.

        Raises:
            ValueError: If the server refuses the request; it says why.
            TimeoutError: If the deadline passes.
            ConnectionError: If the server stays unavailable.
            RuntimeError: If the server fails otherwise.
        """

    @abc.abstractmethod
    def close(self):
        """Closes the connection."""
