"""Lists, describes, checks and freezes data sets.

A data set is named by a protocol, alone (TensorFlow Datasets has prepared it)
or with the folder of its files, or by any other word that --data takes:

  hashnet datasets list
  hashnet datasets describe cifar10-54k
  hashnet datasets describe cifar10-54k:DIR
  hashnet datasets check cifar10-54k:DIR
  hashnet datasets prepare cifar10-54k:DIR --seed=1 --out=LISTS

`check` reads every image and exits with 1 where one is missing or broken, or
where parts share images though the protocol does not allow it; queries that
have a copy under another name are told, and photographs that are turned upright
by what their cameras noted are counted. `prepare`
writes train.txt, query.txt and database.txt, which --data=lists:LISTS reads
again.
"""

import argparse
import shlex

import hashnet_tf as hn
from hashnet_tf.datasets.sources import SOURCES
from hashnet_tf.datasets.sources.reading import check_place

ACTIONS = ("list", "describe", "check", "prepare")
NUMBERS = {
    "seed": "draws what the source does not say",
    "query_per_class": "queries to draw of each class",
    "train_per_class": "training images to draw of each class",
    "validation": "training images to ask with in place of the queries",
    "unseen_classes": "classes to ask and find only, never trained on",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the flags of the command."""
    parser.add_argument("action", choices=ACTIONS, help="what to do")
    parser.add_argument("data", nargs="?", help="the word of a data set")
    for name, text in NUMBERS.items():
        default = 0 if name == "seed" else None
        parser.add_argument(f"--{name}", type=int, default=default, help=text)
    parser.add_argument(
        "--imbalance",
        type=float,
        help="|S0|/|S1| that the training images shall have",
    )
    parser.add_argument(
        "--pairs", help="file of pairs to train by in place of labels"
    )
    parser.add_argument("--out", help="prepare: new folder for the lists")


def run(arguments: argparse.Namespace) -> int:
    """Does it; returns the exit code."""
    action = arguments.action
    if (action == "list") == bool(arguments.data):
        raise ValueError(
            "`list` takes no data set, every other action needs one."
            f" Received: {action} {arguments.data}"
        )
    if (action == "prepare") != bool(arguments.out):
        raise ValueError(
            "--out is needed for `prepare`, and for nothing else."
            f" Received: {action}, out={arguments.out}"
        )
    if action == "list":
        print(_listing())
        return 0
    name, _, _ = arguments.data.partition(":")
    if protocol := hn.datasets.protocols().get(name):
        print(protocol.about() + "\n")
    check_place(arguments.data)
    dataset = hn.datasets.load(
        arguments.data,
        **{name: getattr(arguments, name) for name in NUMBERS},
        imbalance=arguments.imbalance,
        pairs=arguments.pairs,
    )
    if action == "describe":
        if dataset.train.is_labelled and dataset.is_labelled:
            print(hn.datasets.describe(dataset).text())
        else:
            print(dataset.describe())
        return 0
    if action == "check":
        return _check(dataset)
    for path in hn.datasets.write_lists(dataset, arguments.out, arguments.data):
        print(path)
    word = shlex.quote(f"--data=lists:{arguments.out}")
    print(f"Read them with {word}")
    return 0


def _listing() -> str:
    lines = [
        f"{found.name}: {found.origin.title}; {found.summary}."
        for found in hn.datasets.protocols().values()
    ]
    words = [source for source in SOURCES.values() if source.is_word]
    lines += [f"{source.word}: {source.about}." for source in words]
    return "\n".join(lines)


def _check(dataset: "hn.datasets.RetrievalDataset") -> int:
    # Here, for help and errors in flags should not wait for TensorFlow.
    from hashnet_tf.datasets.check import count_turned

    print(dataset.describe())
    if dataset.train.is_labelled and dataset.is_labelled:
        for difference in hn.datasets.describe(dataset).differences():
            print(f"Difference: {difference}")
    if turned := count_turned(dataset):
        print(f"Turned upright by their EXIF tag: {turned:,} images")
    problems = hn.datasets.find_problems(dataset)
    for problem in problems:
        print(f"Problem: {problem}")
    if problems:
        return 1
    copies = hn.datasets.find_copies(dataset)
    for copy in copies or ():
        print(f"Note: {copy}")
    unit = dataset.train.unit
    print(f"All {unit} are there and can be read; parts share none", end="")
    if copies or copies is None:
        print(" of one name", end="")
    allowed = hn.datasets.shared_counts(dataset)
    told = ", ".join(f"{pair} {count:,}" for pair, count in allowed.items())
    print(f" but those that may be: {told}" if told else "")
    return 0


if __name__ == "__main__":
    from hashnet_tf.tools.main import main_of

    main_of("datasets")
