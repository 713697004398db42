"""Shows the whole way on 1,797 scanned digits, in two minutes, offline.

Trains a HashNet, measures it beside LSH and ITQ on the same split, exports the
encoder and checks its bits, and searches for one digit.

  hashnet demo
"""

import numpy as np

import hashnet_tf as hn

AT = 1000
SHEET_ROWS = 8

SETTINGS = dict(
    data="digits",
    backbone="small_cnn",
    image_size=16,
    bits=48,
    alpha=0.2,
    beta=10.0,
    learning_rate=3e-4,
    batch_size=100,
    epochs=40,
    augmentation="shift",
)


def add_arguments(parser):
    """Adds the flags of the command."""
    parser.add_argument(
        "--workdir", default="runs/digits", help="folder of the run"
    )
    parser.add_argument(
        "--seed", type=int, default=0, help="of all that is drawn"
    )


def run(arguments):
    """Runs the demonstration; returns the exit code."""
    config = hn.runs.TrainingConfig(**SETTINGS, seed=arguments.seed)
    workdir = arguments.workdir
    _title("Training: images in, binary codes out")
    hn.runs.train(config, workdir)
    figures = hn.runs.draw_training(workdir)

    _title("Retrieval, beside two hash functions that learn no features")
    report = hn.runs.evaluate_run(workdir, AT)
    dataset = hn.datasets.load(**config.data_source())
    print(report.table("tie-aware"))
    print(f"\n{f'{config.bits} bits':<12}MAP@{AT}  P@H<=2")
    print(f"{'HashNet':<12}{_row(report)}")
    for rival in (
        hn.shallow.LSH(config.bits, config.seed),
        hn.shallow.ITQ(config.bits, seed=config.seed),
    ):
        print(
            f"{type(rival).__name__:<12}{_row(_rival_report(rival, dataset))}"
        )

    _title("The encoder, as it is served and as it runs on a phone")
    exported = hn.export.export_run(workdir, at=AT)
    print(exported.table())
    if exported.broken:
        raise hn.export.ParityError(" ".join(exported.broken))

    _title("Search: a digit and its ten nearest")
    figures.append(_search(workdir, dataset, config))

    _title("What lies where")
    where = hn.runs.RunDirectory(workdir)
    print(
        f"{where.path}/  model.keras, config.json, report.json, codes/, logs/"
    )
    print(f"{where.export_path}/  saved_model/ and encoder.tflite")
    for figure in figures:
        print(figure)
    print(
        "\nNext, on images of your own, one folder a class (hashnet lies in"
        " .venv/bin):\n"
        "  hashnet train --workdir=runs/mine --data=folder:DIR"
        " --backbone=MobileNetV2 \\\n"
        "      --weights=imagenet --image_size=224 --augmentation=shift_flip\n"
        "  hashnet evaluate --workdir=runs/mine\n"
        "  hashnet search IMAGE --workdir=runs/mine"
    )
    return 0


def _title(text):
    print(f"\n== {text}", flush=True)


def _row(report):
    return f"{report.map:.4f}    {report.precision_radius2:.4f}"


def _rival_report(rival, dataset):
    """Measures a shallow hash function on raw pixels, same split and rule."""
    train_x, query_x, database_x = (
        part.images.reshape(len(part), -1).astype(np.float32)
        for part in (dataset.train, dataset.query, dataset.database)
    )
    rival.fit(train_x)
    return hn.retrieval.evaluate(
        rival.encode(query_x),
        rival.encode(database_x),
        dataset.query.labels,
        dataset.database.labels,
        bits=rival.bits,
        at=AT,
    )


def _search(workdir, dataset, config):
    rng = np.random.default_rng(config.seed)
    chosen = np.sort(
        rng.choice(len(dataset.query), size=SHEET_ROWS, replace=False)
    )
    asked = dataset.query.subset(chosen)
    size = (config.image_size, config.image_size)
    pixels = hn.datasets.pixel_array(asked, size)
    found = hn.runs.search_run(workdir, pixels, k=10)
    print(f"Query: image {asked.names[0]}, a {asked.labels[0]}")
    print(found.table())
    path = hn.runs.RunDirectory(workdir).figures_path / "neighbours.png"
    return found.draw(pixels, path, asked.labels)


if __name__ == "__main__":
    from hashnet_tf.tools.main import main_of

    main_of("demo")
