"""Turns images into packed codes on disk.

Writes a code set: codes.npy, ids.json, labels.npy where labels are known, and
manifest.json. The images stream through: a killed command goes on after its
last batch, and a code set that is there already is not made again.

  hashnet encode --workdir=runs/cats --images=photos --out=codes/photos
  hashnet encode --workdir=runs/cats --part=database --out=codes/database
  hashnet encode --workdir=runs/fields --images=fields.npz --out=codes/fields
  hashnet encode --workdir=runs/words --vectors=words.npy --out=codes/words

With --model an exported encoder does it, a LiteRT file or a SavedModel, so
that a database has the very bits that a phone or a server will ask with:

  hashnet encode --model=encoder.tflite --images=photos --out=codes/photos
"""

import argparse
import shlex

import hashnet_tf as hn
from hashnet_tf.tools.main import add_data_at


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the flags of the command."""
    parser.add_argument("--workdir", help="folder of the run")
    add_data_at(parser)
    parser.add_argument(
        "--model",
        help="LiteRT file or SavedModel that encodes; none: the run's network",
    )
    parser.add_argument(
        "--out", required=True, help="folder of the code set to write"
    )
    images = parser.add_mutually_exclusive_group(required=True)
    images.add_argument(
        "--images",
        help="folder of images, to any depth, or .npz file of them, as"
        " --data=npz:FILE reads it",
    )
    images.add_argument(
        "--vectors", help="file of vectors, as --data=vectors:FILE reads it"
    )
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


def run(arguments: argparse.Namespace) -> int:
    """Encodes; returns the exit code."""
    workdir, model, out = arguments.workdir, arguments.model, arguments.out
    if not workdir and (arguments.part or not model):
        raise ValueError(
            "--workdir is needed for --part, and else --workdir or --model."
            f" Received: workdir={workdir}, model={model}"
        )
    run = hn.runs.Run(workdir or ".", data_at=arguments.data_at)
    if workdir:
        # Of a folder that is no run, that is what is told.
        _ = run.config
    encoder = hn.export.load_encoder(model) if model else run.encoder
    if arguments.vectors:
        code_set = hn.runs.encode_vectors(encoder, arguments.vectors, out)
    elif arguments.part:
        code_set = run.encode_part(arguments.part, out, encoder)
    else:
        code_set = hn.runs.encode_folder(
            encoder, arguments.images, out, arguments.skip_undecodable
        )
    asked = f"--model={model}" if model else f"--workdir={workdir}"
    what = "FILE" if encoder.image_size is None else "IMAGE"
    print(
        f"{len(code_set.ids):,} codes of {code_set.bits} bits lie in {out}."
        f" Search them with:\n  hashnet search {what}"
        f" {shlex.join([asked, f'--codes={out}'])}"
    )
    return 0


if __name__ == "__main__":
    from hashnet_tf.tools.main import main_of

    main_of("encode")
