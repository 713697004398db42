"""What is not answered, and why."""


class Refusal(Exception):
    """A request that is refused with a status and a sentence.

    Args:
        status: Int, of HTTP.
        sentence: Str: what was wanted, and what was received.

    Attributes:
        status: Int.
        sentence: Str.

    Example:

    >>> from hashnet_tf.serving.refusal import Refusal
    >>> Refusal(404, "An item must be there. Received: 7").status
    404
    """

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status, self.sentence = status, sentence
