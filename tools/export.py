"""Freezes a run's network with the exact sign into an encoder to ship.

Writes a SavedModel (export/saved_model/VERSION, the next one that is free)
and a LiteRT file, runs both on the run's queries and compares each bit with
Keras'. Exit code 1 where an artefact that promises the same bits breaks it.

  hashnet export --workdir=runs/cats
  hashnet export --workdir=runs/cats --quantize=int8
"""

import numpy as np

import hashnet_tf as hn

COMPARED = 1000
REPRESENTATIVE = 500
BATCH_SIZE = 32
QUANTIZE = ("none", "float16", "dynamic", "int8")


def add_arguments(parser):
    """Adds the flags of the command."""
    parser.add_argument("--workdir", required=True, help="folder of the run")
    parser.add_argument(
        "--quantize",
        choices=QUANTIZE,
        default="none",
        help="of the LiteRT file; moves bits of small |z|",
    )


def run(arguments):
    """Exports and compares; returns the exit code."""
    quantize = None if arguments.quantize == "none" else arguments.quantize
    export_run(arguments.workdir, quantize)
    return 0


def export_run(workdir, quantize=None):
    """Writes and checks both artefacts of a run, and prints what was found.

    Args:
        workdir: Str or path of the run directory.
        quantize: As in `hashnet_tf.export.to_litert`.

    Raises:
        hashnet_tf.export.ParityError: If one gives other bits than it should.
    """
    of_run = hn.runs.RunDirectory(workdir)
    config, model = of_run.config(), of_run.model()
    dataset, _ = hn.runs.run_data(of_run, config)
    size = (config.image_size, config.image_size)
    images = hn.datasets.pixel_array(dataset.query.first(COMPARED), size)
    exported = of_run.export_path / "saved_model"
    representative = None
    if quantize == "int8":
        order = np.random.default_rng(config.seed).permutation(
            len(dataset.train)
        )
        chosen = dataset.train.subset(np.sort(order[:REPRESENTATIVE]))
        representative = hn.datasets.ordered_batches(chosen, size, BATCH_SIZE)
        representative = representative.as_numpy_iterator()
    saved = hn.export.to_saved_model(
        model, exported, version=_next_version(exported)
    )
    name = (
        "encoder.tflite" if quantize is None else f"encoder_{quantize}.tflite"
    )
    litert = hn.export.to_litert(
        model, of_run.export_path / name, quantize, representative
    )
    for report in (
        hn.export.check_saved_model(saved, model, images),
        hn.export.check_litert(litert, model, images),
    ):
        print(
            f"{report.artefact}: {report.bits_moved:,} of"
            f" {report.bits_compared:,} bits differ from Keras"
            f" (largest |z| among them {report.largest_moved_z:.2g})"
        )


def _next_version(folder):
    versions = [
        int(entry.name)
        for entry in (folder.iterdir() if folder.is_dir() else ())
        if entry.name.isdecimal()
    ]
    return max(versions, default=0) + 1


if __name__ == "__main__":
    from hashnet_tf.tools.main import main_of

    main_of("export")
