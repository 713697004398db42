"""Turns images into packed codes on disk.

Writes a code set: codes.npy, ids.json, labels.npy where labels are known, and
manifest.json. The images stream through: a killed command goes on after its
last batch, and a code set that is there already is not made again.

  hashnet encode --workdir=runs/cats --images=photos --out=codes/photos
  hashnet encode --workdir=runs/cats --part=database --out=codes/database

With --model an exported encoder does it, a LiteRT file or a SavedModel, so
that a database has the very bits that a phone or a server will ask with:

  hashnet encode --model=encoder.tflite --images=photos --out=codes/photos
"""

import pathlib

import hashnet_tf as hn


def add_arguments(parser):
    """Adds the flags of the command."""
    parser.add_argument("--workdir", help="folder of the run")
    parser.add_argument(
        "--model",
        help="LiteRT file or SavedModel that encodes; none: the run's network",
    )
    parser.add_argument(
        "--out", required=True, help="folder of the code set to write"
    )
    images = parser.add_mutually_exclusive_group(required=True)
    images.add_argument("--images", help="folder of images, to any depth")
    images.add_argument(
        "--part",
        choices=("train", "query", "database"),
        help="a part of the run's own data set",
    )
    parser.add_argument(
        "--skip_undecodable",
        action="store_true",
        help="with --images: leave out files that are no images, and list them"
        " (of a part, the run has left them out)",
    )


def run(arguments):
    """Encodes; returns the exit code."""
    if not arguments.workdir and (arguments.part or not arguments.model):
        raise ValueError(
            "--workdir is needed for --part, and else --workdir or --model."
            f" Received: workdir={arguments.workdir}, model={arguments.model}"
        )
    if arguments.workdir:
        of_run = hn.runs.RunDirectory(arguments.workdir)
        config = of_run.config()
    if arguments.model:
        encoder = hn.export.load_encoder(arguments.model)
    else:
        encoder = of_run.model()
    if arguments.part is not None:
        source = {**config.data_source(), "part": arguments.part}
        dataset, _ = hn.runs.run_data(of_run, config)
        images, protocol = getattr(dataset, arguments.part), dataset.protocol
    else:
        source = {"folder": str(pathlib.Path(arguments.images).resolve())}
        images, skipped = hn.datasets.decodable(
            hn.runs.open_images(source), arguments.skip_undecodable
        )
        protocol = None
        for name in skipped:
            print(f"left out: {name}")
        if skipped:
            print(f"{len(skipped)} undecodable images are left out")
    code_set = hn.runs.encode_images(
        encoder,
        images,
        arguments.out,
        source=source,
        protocol=protocol,
        labelled=arguments.part is not None,
    )
    with_what = (
        f"--model={arguments.model}"
        if arguments.model
        else f"--workdir={arguments.workdir}"
    )
    print(
        f"{len(code_set.ids):,} codes of {code_set.bits} bits lie in"
        f" {arguments.out}. Search them with:\n  hashnet search IMAGE"
        f" {with_what} --codes={arguments.out}"
    )
    return 0


if __name__ == "__main__":
    from hashnet_tf.tools.main import main_of

    main_of("encode")
