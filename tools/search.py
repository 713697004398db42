"""Finds the images nearest to a given one.

Prints the nearest with their distances in bits, and draws them. Searches the
run's database, as `hashnet evaluate` has encoded it, or a code set that
`hashnet encode` has written.

  hashnet search photo.jpg --workdir=runs/cats
  hashnet search photo.jpg --workdir=runs/cats --codes=codes/photos --k=20
  hashnet search photo.jpg --model=encoder.tflite --codes=codes/photos
"""

import pathlib

import hashnet_tf as hn


def add_arguments(parser):
    """Adds the flags of the command."""
    parser.add_argument("image", help="image file to search with")
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
    parser.add_argument(
        "--figure",
        help="PNG to draw; none: figures/search.png of the run, if any",
    )


def run(arguments):
    """Searches; returns the exit code."""
    path = pathlib.Path(arguments.image)
    image = hn.datasets.FileImages(path.parent, [path.name], [-1])
    if image.missing() or hn.datasets.find_undecodable(image):
        raise ValueError(
            f"A JPEG, PNG, WebP or BMP file is needed. Received: {path}"
        )
    if not arguments.workdir and not (arguments.model and arguments.codes):
        raise ValueError(
            "--workdir is needed, or --model and --codes. Received:"
            f" workdir={arguments.workdir}, model={arguments.model},"
            f" codes={arguments.codes}"
        )
    of_run = arguments.workdir and hn.runs.RunDirectory(arguments.workdir)
    if arguments.model:
        encoder = hn.export.load_encoder(arguments.model)
    else:
        encoder = hn.runs.KerasEncoder(of_run.model())
    code_set = hn.runs.CodeSet.load(
        arguments.codes or of_run.codes_path("database")
    )
    pixels = hn.datasets.pixel_array(image, encoder.image_size, encoder.framing)
    found = hn.runs.search_images(encoder, pixels, code_set, arguments.k)
    print(found.table())
    figure = arguments.figure
    if figure is None and of_run:
        figure = of_run.figures_path / "search.png"
    if figure is not None:
        print(f"Drawn in {found.draw(pixels, figure)}")
    return 0


if __name__ == "__main__":
    from hashnet_tf.tools.main import main_of

    main_of("search")
