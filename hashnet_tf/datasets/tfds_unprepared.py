"""What is known, offline, about a TFDS set that is not prepared."""

import inspect
import re
import sys
import urllib.parse

import tensorflow_datasets as tfds


def how_to_prepare(place):
    """Says what a set is, what it takes to get it, and how.

    All of it comes from installed packages: nothing asks the network, where
    TFDS itself would retry for minutes.

    Args:
        place: Str, a name, maybe with a config and a version behind it.

    Returns:
        Str, some sentences. For a name that TFDS does not know they say only
        where sets lie and how one is prepared.

    Example:

    >>> from hashnet_tf.datasets.tfds_unprepared import how_to_prepare
    >>> "11.6 MB from storage.googleapis.com" in how_to_prepare("mnist")
    True
    """
    name = re.split("[/:]", place)[0]
    builder = _builder_cls(name)
    known = "" if builder is None else _what_it_is(builder)
    code = f"tfds.builder('{place}').download_and_prepare()"
    if name == "nus_wide":
        code = f"import hashnet_tf.datasets.nus_wide; {code}"
    return (
        f"{known}Copy a prepared one to ~/tensorflow_datasets or where"
        f' TFDS_DATA_DIR says, or run `python -c "import tensorflow_datasets as'
        f' tfds; {code}"`, which needs a network for what is not placed by'
        " hand."
    )


def _builder_cls(name):
    """Returns the class that prepares the set, or None."""
    if name == "nus_wide":
        from hashnet_tf.datasets.nus_wide import Builder

        return Builder
    if name not in tfds.list_builders(with_community_datasets=False):
        return None
    try:
        return tfds.builder_cls(name)
    except ImportError:
        # Some need more packages than TFDS itself, even to be looked at.
        return None


def _what_it_is(builder):
    text = f"It is: {_first_sentence(builder)} "
    if urls := builder.url_infos:
        size = sum(url.size for url in urls.values())
        hosts = {urllib.parse.urlsplit(url).hostname for url in urls}
        together = ", all configs together" if builder.BUILDER_CONFIGS else ""
        text += (
            f"To download: {size / 1e6:,.1f} MB from"
            f" {', '.join(sorted(filter(None, hosts)))}{together}. "
        )
    if builder.__module__.startswith("tensorflow_datasets."):
        text += (
            "Look its licence up at its homepage, which"
            f" https://www.tensorflow.org/datasets/catalog/{builder.name}"
            " names. "
        )
    if by_hand := builder.MANUAL_DOWNLOAD_INSTRUCTIONS:
        text += (
            f"\n{inspect.cleandoc(by_hand)}\nmanual_dir is downloads/manual"
            " in the folder of prepared sets, unless DownloadConfig says"
            " otherwise. "
        )
    return text


def _first_sentence(builder):
    # Older builders keep it as a constant or leave it at a docstring.
    text = (
        builder.get_metadata().description
        or getattr(sys.modules[builder.__module__], "_DESCRIPTION", None)
        or builder.__doc__
        or builder.name
    )
    return re.match(r".*?[.!?](?= |$)|.*", " ".join(text.split()))[0]
