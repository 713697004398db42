"""Finds the images nearest to a given one.

Prints the nearest with their distances in bits, and draws them. Searches the
run's database, as `hashnet evaluate` has encoded it, or a code set that
`hashnet encode` has written.

  hashnet search photo.jpg --workdir=runs/cats
  hashnet search photo.jpg --workdir=runs/cats --codes=codes/photos --k=20
"""

import pathlib

import hashnet_tf as hn


def add_arguments(parser):
    """Adds the flags of the command."""
    parser.add_argument("image", help="image file to search with")
    parser.add_argument("--workdir", required=True, help="folder of the run")
    parser.add_argument(
        "--codes", help="folder of a code set; none: the run's database"
    )
    parser.add_argument("--k", type=int, default=10, help="how many to find")
    parser.add_argument(
        "--figure", help="PNG to draw; none: figures/search.png of the run"
    )


def run(arguments):
    """Searches; returns the exit code."""
    path = pathlib.Path(arguments.image)
    image = hn.datasets.FileImages(path.parent, [path.name], [-1])
    if image.missing() or hn.datasets.find_undecodable(image):
        raise ValueError(
            f"A JPEG, PNG, WebP or BMP file is needed. Received: {path}"
        )
    of_run = hn.runs.RunDirectory(arguments.workdir)
    size = (of_run.config().image_size,) * 2
    pixels = hn.datasets.pixel_array(image, size)
    found = hn.runs.search_run(
        arguments.workdir, pixels, arguments.k, arguments.codes
    )
    print(found.table())
    figure = arguments.figure or of_run.figures_path / "search.png"
    print(f"Drawn in {found.draw(pixels, figure)}")
    return 0


if __name__ == "__main__":
    from hashnet_tf.tools.main import main_of

    main_of("search")
