"""Draws the pictures of the README.

  python docs/draw_pictures.py
  python docs/draw_pictures.py --workdir=runs/mine
  python docs/draw_pictures.py --index=photos.index --photo=new.jpg
  python docs/draw_pictures.py --web=DIR --photo=new.jpg
  python docs/draw_pictures.py --photos=DIR

The first draws the way from an image to bytes. The image is one of the digits,
the values z are made up; what follows from z is as the library computes it. The
second draws the best and the worst queries too of a run that is trained and
measured. The third draws the page of `hashnet serve` too, in Debian's Chromium,
the fourth that of `hashnet export --web`.
The last draws the groups of near duplicates too among 200 photographs of a
folder, of three of which it makes copies.
"""

import argparse
import pathlib
import re
import signal
import subprocess
import sys
import tempfile

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from PIL import Image, ImageEnhance

import hashnet_tf as hn

Z = np.array([0.9, -0.35, 0.12, -0.8, 0.45, 0.2, -0.15, -0.6])
BETAS = (1, 3, 10, 100)
COLOURS = ("#9ecae1", "#6baed6", "#2171b5", "#08306b")
ONE, ZERO = "#2171b5", "#e6550d"
PLACES = np.arange(len(Z))


def draw_way(path: pathlib.Path) -> None:
    """Draws the way from an image to bytes.

    Args:
        path: Path of the PNG.
    """
    # Text is drawn as paths of the font that matplotlib brings along.
    matplotlib.rcParams["font.family"] = "DejaVu Sans"
    layout = ConstrainedLayoutEngine(w_pad=0.12)
    figure = Figure(figsize=(10, 2.9), layout=layout)
    image, z, curves, g, bits = figure.subplots(
        1, 5, width_ratios=[0.9, 1.1, 1.5, 1.3, 1.0]
    )
    digit = hn.datasets.load("digits").query.subset([10])
    image.imshow(hn.datasets.pixel_array(digit, (8, 8))[0])
    image.set_title("image", fontsize=11)
    image.set_xlabel("backbone and\nhash layer  →")
    _bars(z, Z, np.where(Z >= 0, ONE, ZERO))
    z.set_title("z, one value a bit", fontsize=11)
    z.set_xlabel("training: g = tanh(β z)  →")
    x = np.linspace(-1, 1, 401)
    for beta, colour in zip(BETAS, COLOURS, strict=True):
        curves.plot(x, np.tanh(beta * x), color=colour, label=f"β = {beta}")
        _bars(g, np.tanh(beta * Z), [colour] * len(Z), BETAS.index(beta))
    curves.legend(fontsize=8, frameon=False, loc="upper left")
    curves.set_title("β rises: tanh becomes the sign", fontsize=11)
    curves.set_xlabel("z")
    curves.set_yticks([-1, 0, 1])
    g.set_title("g goes to −1 or +1", fontsize=11)
    g.set_xlabel("after training: the sign of z  →")
    _byte(bits)
    for axes in (image, z, g, bits):
        axes.set_xticks([])
    for axes in (image, bits):
        axes.set_yticks([])
        for spine in axes.spines.values():
            spine.set_visible(False)
    for axes in (z, curves, g):
        axes.spines[["top", "right"]].set_visible(False)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110, metadata={"Software": None})


def draw_search(workdir: pathlib.Path, path: pathlib.Path) -> None:
    """Draws the best and the worst queries of a run, as `evaluate` drew them.

    Args:
        workdir: Folder of the run, trained and measured.
        path: Path of the PNG.
    """
    drawn = Image.open(workdir / "figures" / "queries.png").convert("RGB")
    # Small enough to be kept in the repository.
    drawn = drawn.resize((drawn.width * 3 // 5, drawn.height * 3 // 5))
    drawn.quantize(128).save(path, optimize=True)


def draw_duplicates(photos: pathlib.Path, path: pathlib.Path) -> None:
    """Draws what `hashnet index duplicates` finds among photographs.

    Args:
        photos: Folder of photographs.
        path: Path of the PNG.
    """
    with tempfile.TemporaryDirectory() as folder:
        found = hn.index.find_pictures([photos]).paths[:200]
        copied = list(found)
        for i, name in enumerate(found[7:200:70]):
            image = Image.open(name).convert("RGB")
            wide, high = image.size
            margin = (wide // 40, high // 40, wide - wide // 40, high)
            copies = {
                "smaller": image.resize((wide // 2, high // 2)),
                "cut": image.crop(margin),
                "lighter": ImageEnhance.Brightness(image).enhance(1.2),
            }
            for kind, copy in copies.items():
                place = pathlib.Path(folder, f"{i} {kind}.jpg")
                copy.save(place, quality=40)
                copied.append(str(place))
        encoder = hn.export.backbone_encoder("pixels", None, 8, 32)
        index = pathlib.Path(folder, "photos.index")
        with hn.Index.open(index, encoder=encoder, fit=True) as opened:
            opened.add_files(copied)
            groups = opened.duplicates()
        titles = [[pathlib.Path(n).name for n in group] for group in groups]
        images = [hn.index.thumbnails(group) for group in groups]
        sheet = hn.plots.plot_groups(images, titles, f"{folder}/sheet.png")
        drawn = Image.open(sheet).convert("RGB")
    drawn = drawn.resize((drawn.width * 3 // 5, drawn.height * 3 // 5))
    drawn.quantize(128).save(path, optimize=True)


def draw_page(words: list[str], photo: str, path: pathlib.Path) -> None:
    """Draws what a page shows of a photograph.

    Args:
        words: What Python serves it with, which prints its address.
        photo: File of the photograph.
        path: Path of the PNG.
    """
    from playwright.sync_api import sync_playwright

    service = subprocess.Popen(
        [sys.executable, "-u", "-m", *words], stdout=subprocess.PIPE, text=True
    )
    assert service.stdout is not None
    try:
        found = re.search(r"http://[\w.:]+", service.stdout.readline())
        assert found is not None
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(
                executable_path="/usr/bin/chromium", args=["--no-sandbox"]
            )
            page = browser.new_page(viewport={"width": 1000, "height": 700})
            page.goto(found[0])
            page.set_input_files("#file", photo)
            page.wait_for_selector(".grid li")
            page.wait_for_load_state("networkidle")
            page.screenshot(path=path)
            browser.close()
    finally:
        service.send_signal(signal.SIGINT)
        service.communicate()
    drawn = Image.open(path).convert("RGB")
    drawn.quantize(256).save(path, optimize=True)


def _bars(axes: Axes, values: np.ndarray, colours, beta: int | None = None):
    """Draws a bar a bit, or the bars of one beta beside those of others."""
    shift, width = 0.0, 0.75
    if beta is not None:
        width = 0.8 / len(BETAS)
        shift = (beta - (len(BETAS) - 1) / 2) * width
    axes.bar(PLACES + shift, values, width, color=colours)
    axes.axhline(0, color="black", linewidth=0.6)
    axes.set_ylim(-1.1, 1.1)
    axes.set_yticks([-1, 0, 1])


def _byte(axes: Axes) -> None:
    packed = hn.retrieval.pack(Z[np.newaxis])
    for place, bit in enumerate(hn.retrieval.unpack(packed, len(Z))[0] > 0):
        row, column = divmod(place, 4)
        axes.text(
            column,
            1 - row,
            f"{int(bit)}",
            ha="center",
            va="center",
            fontsize=15,
            color="white",
            bbox={"boxstyle": "square", "color": ONE if bit else ZERO},
        )
    axes.set_xlim(-0.7, 3.7)
    axes.set_ylim(-0.9, 1.9)
    axes.set_title("8 bits, 1 byte", fontsize=11)
    axes.set_xlabel(f"0x{packed[0, 0]:02X}", fontsize=13, family="monospace")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--workdir", type=pathlib.Path, help="folder of the run to search in"
    )
    parser.add_argument(
        "--photos", type=pathlib.Path, help="folder to find duplicates in"
    )
    parser.add_argument("--index", help="file of the index to serve")
    parser.add_argument(
        "--web", help="folder that `hashnet export --web` wrote"
    )
    parser.add_argument("--photo", help="file that is searched with there")
    parser.add_argument(
        "--out",
        type=pathlib.Path,
        default=pathlib.Path(__file__).parent / "pictures",
        help="folder of the pictures",
    )
    arguments = parser.parse_args()
    draw_way(arguments.out / "way.png")
    if arguments.workdir is not None:
        draw_search(arguments.workdir, arguments.out / "search.png")
    if arguments.photos is not None:
        place = arguments.out / "duplicates.png"
        draw_duplicates(arguments.photos, place)
    if arguments.index is not None and arguments.photo is not None:
        words = ["hashnet_tf.tools.serve", arguments.index, "--port=0"]
        draw_page(words, arguments.photo, arguments.out / "serve.png")
    if arguments.web is not None and arguments.photo is not None:
        words = ["http.server", "0", "--bind=127.0.0.1"]
        words += ["--directory", arguments.web]
        draw_page(words, arguments.photo, arguments.out / "web.png")
