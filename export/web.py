"""A folder that searches in the browser, from any web server.

It holds the encoder, codes to search and `export/web_page/`, a package of plain
JavaScript with a page, beside the files of LiteRT.js, the runtime. Nothing of
it is fetched from elsewhere once it is there.
"""

import importlib.resources
import json
import os
import pathlib
import shutil
import tempfile
from typing import Any

import numpy as np

from hashnet_tf._files import (
    file_digest,
    only_writer,
    remove_leftovers,
    write_json,
)
from hashnet_tf._framings import uncropped_size
from hashnet_tf._output import Progress, say
from hashnet_tf.export._npm import fetch
from hashnet_tf.export.formats import FORMATS
from hashnet_tf.export.freeze import description, trained_size
from hashnet_tf.export.litert_encoder import LiteRTEncoder
from hashnet_tf.export.web_codes import SetCodes, WebCodes
from hashnet_tf.export.web_file import to_web
from hashnet_tf.models import HashNet, weights_digest
from hashnet_tf.runs import Run
from hashnet_tf.runs.code_set import put_in_place

# What of the folder a script reads first, and by which it is known.
ENCODER, CODES = "encoder.json", "codes.json"
# Raised where a script that reads an older one would misread it.
FORMAT = 1
SIDE = 96
# The fourth, for stopping and going on within a call, no browser is asked for.
RUNTIMES = ("", "compat_", "threaded_")
# Of the page of `hashnet serve`, which this one is like.
LOOK = ("drop.js", "icon.svg", "page.css")


def write_web(
    run: Run | os.PathLike[str] | str,
    directory: os.PathLike[str] | str,
    codes: os.PathLike[str] | str | None = None,
    thumbnails: bool = False,
    litertjs: os.PathLike[str] | str | None = None,
) -> pathlib.Path:
    """Writes a folder that finds pictures in the browser, whole or not at all.

    The page takes a photograph or the camera, and `hashnet.js` is a module for
    pages of one's own. Framing, encoding and search give what Python gives;
    what a browser decodes otherwise, it frames otherwise.

    Any web server will do. It must tell `.wasm` as application/wasm, and with
    the headers `Cross-Origin-Opener-Policy: same-origin` and
    `Cross-Origin-Embedder-Policy: require-corp` the encoder runs on several
    threads. A camera is given to pages of https and of localhost alone.

    Args:
        run: `hashnet_tf.runs.Run`, or str or path of its directory; of RGB
            images.
        directory: Folder to write, new, empty or one that this wrote, which is
            replaced.
        codes: Str or path of what is searched: a code set or an index of this
            run's model; None for the run's database, which is encoded where it
            is not yet.
        thumbnails: Whether to add small JPEGs of the pictures, of 96 pixels a
            side at most, some kilobytes each.
        litertjs: Folder with `@litertjs/core` and `@litertjs/wasm-utils`, as
            `npm install @litertjs/core` leaves it (`node_modules` or the folder
            around it); None to let npm fetch them.

    Returns:
        `pathlib.Path` of the folder.

    Raises:
        ValueError: If the run is not trained or takes no RGB images, the code
            set is of another model, the folder holds something else, or
            LiteRT.js is not to be had.
        FileNotFoundError: If there are to be thumbnails and the images have
            gone.
        OSError: If another process writes the folder.

    Example:

    ```python
    hn.export.write_web("runs/cats", "search", thumbnails=True)
    # python -m http.server --directory search
    ```
    """
    if not isinstance(run, Run):
        run = Run(run)
    place = pathlib.Path(directory).absolute()
    _check_is_free(place)
    model = run.model
    # Before anything long is begun.
    trained_size(model)
    searched, digest = _searched(run, codes), weights_digest(model)
    searched.check_model(digest)
    lock = place.with_name(f".{place.name}.lock")
    with only_writer(place, lock), tempfile.TemporaryDirectory() as fetched:
        packages = _litertjs(litertjs, pathlib.Path(fetched))
        encoder = _encoder(run, model, digest)
        place.parent.mkdir(parents=True, exist_ok=True)
        beside = place.with_name(f".{place.name}.new")
        # Of one that was killed.
        remove_leftovers(place)
        shutil.rmtree(beside, ignore_errors=True)
        try:
            beside.mkdir()
            _copy_runtime(packages, beside / "litert")
            _copy_page(beside)
            _write_encoder(beside, encoder, model)
            _write_codes(beside, searched, digest, thumbnails)
            put_in_place(beside, place)
        finally:
            shutil.rmtree(beside, ignore_errors=True)
    return place


def _check_is_free(place: pathlib.Path) -> None:
    if (place / ENCODER).is_file() or not place.exists():
        return
    if place.is_file() or any(place.iterdir()):
        raise ValueError(
            "`directory` must be new, empty or a folder for browsers that was"
            f" written before. Received: directory={place}"
        )


def _searched(run: Run, codes: os.PathLike[str] | str | None) -> WebCodes:
    if codes is not None:
        return WebCodes.at(codes)
    place = run.codes_path("database")
    if place.is_dir():
        return WebCodes.at(place)
    return SetCodes(run.encode_part("database"))


def _encoder(run: Run, model: HashNet, digest: str) -> pathlib.Path:
    """Returns the run's file for browsers, made where there is none yet."""
    path = run.export_path / FORMATS["web"].file_name("web")
    if path.is_file():
        try:
            if LiteRTEncoder(path).model_digest == digest:
                return path
        except ValueError as error:
            say(f"{error}. It is made anew.")
    return to_web(model, path)


def _litertjs(
    given: os.PathLike[str] | str | None, fetched: pathlib.Path
) -> pathlib.Path:
    """Returns the folder of the packages of LiteRT.js."""
    root = pathlib.Path(given) if given is not None else fetched
    if given is None:
        _fetch(fetched)
    for folder in (root / "node_modules" / "@litertjs", root / "@litertjs"):
        if all(file.is_file() for file in _runtime_files(folder).values()):
            return folder
    raise ValueError(
        "LiteRT.js is needed: the folder in which `npm install @litertjs/core`"
        f" was called. Received: {root}, which lacks files of @litertjs/core or"
        " @litertjs/wasm-utils"
    )


def _fetch(folder: pathlib.Path) -> None:
    """Lets npm fetch what the page's package depends on."""
    told = json.loads((_page() / "package.json").read_text("utf-8"))
    advice = (
        "LiteRT.js is needed: let npm (https://nodejs.org) fetch it, or fetch"
        " it elsewhere by `npm install @litertjs/core` and give the folder"
        " (`--litertjs=FOLDER`)."
    )
    fetch(told["dependencies"], folder, advice)


def _runtime_files(packages: pathlib.Path) -> dict[str, pathlib.Path]:
    """Returns the files that a browser needs, by where they shall lie."""
    core, utilities = packages / "core", packages / "wasm-utils"
    files = {
        "core/index.js": core / "dist" / "index.js",
        # They tell version and licence.
        "core/package.json": core / "package.json",
        "wasm-utils/index.js": utilities / "dist" / "index.js",
        "wasm-utils/package.json": utilities / "package.json",
    }
    for kind in RUNTIMES:
        for ending in ("js", "wasm"):
            name = f"wasm/litert_wasm_{kind}internal.{ending}"
            files[name] = core / name
    return files


def _copy_runtime(packages: pathlib.Path, to: pathlib.Path) -> None:
    for name, file in _runtime_files(packages).items():
        (to / name).parent.mkdir(parents=True, exist_ok=True)
        # Without its mode: npm's are executable.
        shutil.copyfile(file, to / name)


def _page() -> Any:
    return importlib.resources.files("hashnet_tf.export") / "web_page"


def _copy_page(to: pathlib.Path) -> None:
    look = importlib.resources.files("hashnet_tf.serving") / "page"
    for file in [*_page().iterdir(), *(look / name for name in LOOK)]:
        (to / file.name).write_bytes(file.read_bytes())


def _write_encoder(
    to: pathlib.Path, encoder: pathlib.Path, model: HashNet
) -> None:
    file = to / encoder.name
    shutil.copyfile(encoder, file)
    told = {
        "format": FORMAT,
        "kind": "encoder",
        "file": _addressed(file),
        "uncropped_size": uncropped_size(trained_size(model)),
        **description(model),
    }
    write_json(to / ENCODER, told)


def _write_codes(
    to: pathlib.Path, searched: WebCodes, digest: str, thumbnails: bool
) -> None:
    file = to / "codes.bin"
    file.write_bytes(np.ascontiguousarray(searched.codes).tobytes())
    told = {
        "format": FORMAT,
        "kind": "codes",
        "file": _addressed(file),
        "bits": searched.bits,
        "model_digest": digest,
        "names": searched.names,
        "labels": searched.labels,
        "thumbnails": "thumbnails" if thumbnails else None,
    }
    # Not indented: names may be many.
    (to / CODES).write_text(json.dumps(told, ensure_ascii=False), "utf-8")
    if thumbnails:
        _write_thumbnails(to / "thumbnails", searched)


def _addressed(file: pathlib.Path) -> str:
    # A browser that has an older one in its cache asks for this one.
    return f"{file.name}?{file_digest(file)[:16]}"


def _write_thumbnails(to: pathlib.Path, searched: WebCodes) -> None:
    to.mkdir()
    count = len(searched.names)
    say(f"Making {count:,} thumbnails")
    progress = Progress(count, "images")
    for position, picture in enumerate(searched.thumbnails(SIDE)):
        (to / f"{position}.jpg").write_bytes(picture)
        progress.update(position + 1)
