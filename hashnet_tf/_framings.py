"""Which part of an image a network sees, by name.

Here and not beside what does it, so that a model can tell its framing where
TensorFlow is not loaded.
"""

FRAMINGS = ("whole", "paper", "modern")


def check_framing(framing):
    """Returns a framing's name if it is one.

    Args:
        framing: "whole", "paper" or "modern", as
            `hashnet_tf.datasets.pixels.framing.frame_image` tells them.

    Raises:
        ValueError: If it is none of these.

    Example:

    >>> from hashnet_tf._framings import check_framing
    >>> check_framing("paper")
    'paper'
    """
    if framing not in FRAMINGS:
        raise ValueError(
            f"`framing` must be one of {FRAMINGS}."
            f" Received: framing={framing!r}"
        )
    return framing
