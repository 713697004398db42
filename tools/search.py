"""Finds the images nearest to a given one, or the vectors nearest to others.

Prints the nearest with their distances in bits, and draws them with --figure,
where they still lie where they were encoded. Searches the run's database, as
`hashnet evaluate` has encoded it, or a code set that `hashnet encode` has
written. A run that was exported to LiteRT answers in a second or two.

  hashnet search photo.jpg --workdir=runs/cats
  hashnet search photo.jpg --workdir=runs/cats --codes=codes/photos --k=20
  hashnet search photo.jpg --model=encoder.tflite --codes=codes/photos

Of a run on vectors it takes a file of these, and answers for each; images of
other channels than RGB come in an .npz file, as --data=npz:FILE reads it:

  hashnet search queries.npy --workdir=runs/words
  hashnet search queries.npz --workdir=runs/fields
"""

import argparse
import os

import hashnet_tf as hn


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the flags of the command."""
    parser.add_argument(
        "image",
        help="image file, .npz file of images, or file of vectors, to search"
        " with",
    )
    parser.add_argument("--workdir", help="folder of the run")
    parser.add_argument(
        "--model",
        help="LiteRT file or SavedModel that made --codes; none: the run's"
        " network",
    )
    parser.add_argument(
        "--codes", help="folder of a code set; none: the run's database"
    )
    parser.add_argument("--k", type=int, default=10, help="how many to find")
    parser.add_argument("--figure", help="PNG to draw; none: nothing is drawn")


def run(arguments: argparse.Namespace) -> int:
    """Searches; returns the exit code."""
    workdir, model, codes = arguments.workdir, arguments.model, arguments.codes
    try:
        os.stat(arguments.image)
    except OSError as error:
        raise OSError(
            "The file to search with must be there. Received:"
            f" {arguments.image} ({error.strerror})"
        ) from error
    if not os.path.isfile(arguments.image):
        raise ValueError(
            "A JPEG, PNG, WebP or BMP file, an .npz of images, or a file of"
            " vectors, is needed."
            f" Received: {arguments.image}"
        )
    if not workdir and not (model and codes):
        raise ValueError(
            "--workdir is needed, or --model and --codes. Received:"
            f" workdir={workdir}, model={model}, codes={codes}"
        )
    run = hn.runs.Run(workdir or ".")
    if model:
        code_set = hn.runs.CodeSet.load(codes or run.codes_path("database"))
        encoder = hn.export.load_encoder(model)
        found = hn.runs.search_images(
            encoder, arguments.image, code_set, arguments.k
        )
    else:
        found = run.search(arguments.image, arguments.k, codes)
    several = len(found.codes) > 1
    for row in range(len(found.codes)):
        if several:
            print(f"Query {row}:")
        print(found.table(row))
    if arguments.figure:
        try:
            print(f"Drawn in {found.draw(arguments.figure)}")
        except FileNotFoundError as error:
            # What was found is true without the pictures.
            print(f"Not drawn. {error}")
    return 0


if __name__ == "__main__":
    from hashnet_tf.tools.main import main_of

    main_of("search")
