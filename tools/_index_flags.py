"""The flags of `hashnet index`."""

import argparse

from hashnet_tf.index.duplicates import RADIUS
from hashnet_tf.index.ranking import RANKINGS, RERANKED
from hashnet_tf.index.stores.opening import store_words
from hashnet_tf.tools.main import add_parser


def add_arguments(
    parser: argparse.ArgumentParser,
) -> list[argparse.ArgumentParser]:
    """Adds the actions and their flags; returns the parser of each."""
    actions = parser.add_subparsers(
        dest="action", required=True, metavar="ACTION"
    )

    def action(name: str, text: str) -> argparse.ArgumentParser:
        told = f"{text[0].upper()}{text[1:]}."
        added = add_parser(actions, name, text, told)
        added.add_argument(
            "--index", required=True, help="file of the index, photos.index"
        )
        return added

    _add_flags(action("add", "add folders of pictures, or make the index"))
    search = action("search", "find the pictures nearest to given ones")
    search.add_argument(
        "image", help="image file, a folder of such, or a file of vectors"
    )
    search.add_argument("--k", type=int, default=10, help="how many to find")
    search.add_argument(
        "--rerank",
        type=int,
        default=RERANKED,
        help="how many of the nearest by code are ranked anew; 0: none",
    )
    search.add_argument(
        "--by",
        choices=RANKINGS,
        default=RANKINGS[0],
        help="by what: features, where they are kept, or z, what the code of"
        " the query was before it was bits",
    )
    search.add_argument("--figure", help="PNG to draw; none: nothing is drawn")
    duplicates = action("duplicates", "list what shows the same picture")
    duplicates.add_argument(
        "--radius",
        type=int,
        default=RADIUS,
        help="bits in which two perceptual hashes may differ",
    )
    duplicates.add_argument(
        "--figure", help="PNG to draw; none: nothing is drawn"
    )
    remove = action("remove", "take pictures out of it; no file is deleted")
    remove.add_argument("names", nargs="+", help="files, or folders of them")
    action("refit", "learn the codes anew, of a folder that has grown")
    action("stat", "tell what is in the index")
    copy = action("copy", "write the index into another file or an engine")
    copy.add_argument("path", nargs="?", help="file to write")
    copy.add_argument(
        "--to",
        help=f"where the codes go, in place of it: {store_words()}; the same"
        " command again brings what has changed",
    )
    encoder = action("encoder", "write the encoder into a LiteRT file")
    encoder.add_argument("to", help="file to write")
    return list(actions.choices.values())


def _add_flags(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "paths",
        nargs="+",
        help="folders of pictures, to any depth, or files; or one of vectors",
    )
    parser.add_argument(
        "--prune",
        action="store_true",
        help="take out what has gone from these folders",
    )
    parser.add_argument(
        "--verify",
        action="store_true",
        help="read files too whose size, time and inode are as they were",
    )
    begun = parser.add_argument_group("an index that is begun")
    begun.add_argument(
        "--model",
        help="LiteRT file that encodes; none: a pretrained network, of which"
        " the codes are learned from these pictures",
    )
    begun.add_argument(
        "--workdir", help="run whose network encodes, in place of that"
    )
    begun.add_argument(
        "--bits", type=int, help="length of the codes; none: 128"
    )
    begun.add_argument(
        "--backbone",
        help="network of keras.applications, or pixels: those themselves, of"
        " small scans; none: MobileNetV2",
    )
    begun.add_argument(
        "--weights",
        help='file of its weights; none: "imagenet", which Keras downloads',
    )
    begun.add_argument(
        "--image_size",
        type=int,
        help="pixels a side that it sees; none: by the pictures, 96 to 224",
    )
    begun.add_argument(
        "--no-keep_features",
        dest="keep_features",
        action="store_false",
        help="keep the codes alone: a file of a twentieth, and less exact",
    )
