"""How images are framed, changed and kept, by name, with a sentence a name.

Here and not beside what does it, so that a model can tell its framing, and a
command its help, where TensorFlow is not loaded.
"""

FRAMINGS = {
    "whole": "all of the image, warped to the size",
    "paper": "warped to 8/7 of the size and cropped, as the paper's code does",
    "modern": "the short side at 8/7 of the size and cropped; in training"
    " random parts",
}

AUGMENTATIONS = {
    "none": "no change",
    "shift": "moved by up to an eighth of the size",
    "shift_flip": "moved so, and half of the images mirrored",
}

CACHES = {
    "auto": "if they fit into half of the memory that is available",
    "always": "whatever they take",
    "never": "decoded anew each time",
}


# Of the pixels that a file gives; one of another number gives other codes. 2
# turns photographs by EXIF, which version 0.1, of no number, did not.
DECODER = 2


def check_framing(framing: str) -> str:
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
            f"`framing` must be one of {tuple(FRAMINGS)}."
            f" Received: framing={framing!r}"
        )
    return framing
