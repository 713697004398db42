"""The folder for browsers in a real Chromium, with LiteRT.js."""

import base64
import contextlib
import io
import json
import os
import pathlib
import re
import subprocess
import sys
import tarfile

import numpy as np
import pytest
from PIL import Image
from runtimes import Missing
from runtimes.browser import isolating, node_modules

import hashnet_tf as hn
from hashnet_tf.datasets.pixels.pillow import image_pixels, open_image

pytestmark = pytest.mark.slow

HERE = pathlib.Path(__file__)
DATA = pathlib.Path(
    os.environ.get("HASHNET_TF_DATA", HERE.parents[3] / "shared" / "data")
)
PHOTOGRAPHS = DATA / "mirflickr25k_96px.tar.gz"
IMAGENET = DATA / "weights" / "mobilenet_v2_imagenet_no_top.weights.h5"
N, SIZE, BITS = 100, 96, 48

ENCODE = """async ([shapes, options]) => {
    const { CodeIndex, decode, load } = await import(
        new URL("hashnet.js", document.baseURI).href);
    const text = (bytes) => btoa(String.fromCharCode(...bytes));
    const get = async (name) => (await fetch(`../photographs/${name}`)).blob();
    const encoder = await load(".", options);
    const index = await CodeIndex.load(".", encoder);
    const results = [];
    for (const [i, [height, width]] of shapes.entries()) {
        const raw = new Uint8Array(await (await get(`${i}.raw`)).arrayBuffer());
        const given = encoder.frame({ data: raw, width, height });
        const code = await encoder.encodeFramed(given);
        const file = await get(`${i}.file`);
        const times = [performance.now()];
        const image = await decode(file);
        times.push(performance.now());
        const own = encoder.frame(image);
        times.push(performance.now());
        const ownCode = await encoder.encodeFramed(own);
        times.push(performance.now());
        const hits = index.search(ownCode, 5);
        times.push(performance.now());
        results.push({
            given: text(given), code: text(code),
            own: text(own), ownCode: text(ownCode),
            hits: index.search(code, 5).map((hit) => hit.place),
            ms: times.slice(1).map((time, step) => time - times[step]),
        });
    }
    // Several that are begun at once keep apart.
    const at = [0, 1, 2, 3];
    const images = await Promise.all(at.map(async (i) =>
        decode(await get(`${i}.file`))));
    const codes = await Promise.all(images.map((i) => encoder.encode(i)));
    const memory = await performance.measureUserAgentSpecificMemory?.();
    const { threads } = encoder;
    await encoder.delete();
    return { results, threads, bytes: memory?.bytes ?? null,
        together: codes.map(text) };
}"""


@contextlib.contextmanager
def plain(folder):
    """Serves a folder by `python -m http.server`."""
    started = subprocess.Popen(
        [
            *(sys.executable, "-u", "-m", "http.server", "0"),
            *("--bind", "127.0.0.1", "--directory", folder),
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    with started:
        yield re.search(r"http://[\d.:]+", started.stdout.readline())[0]
        started.terminate()


def pictures():
    """100 photographs `PIL.Image.Image`, or noise where there are none."""
    rng = np.random.default_rng(0)
    found = []
    if PHOTOGRAPHS.is_file():
        with tarfile.open(PHOTOGRAPHS, "r|gz") as members:
            for member in members:
                if member.name.endswith(".jpg"):
                    content = members.extractfile(member).read()
                    found.append(open_image(content))
                if len(found) == N:
                    return found
    for _ in range(N):
        tiles = rng.integers(0, 256, (9, 12, 3), "uint8")
        found.append(Image.fromarray(tiles))
    return found


def as_files(images):
    """The bytes of an image file of each: formats, sizes and turns vary."""
    rng = np.random.default_rng(1)
    kinds = [
        ("JPEG", {"quality": 95}),
        ("JPEG", {"quality": 80, "progressive": True}),
        ("JPEG", {"quality": 85, "subsampling": 0}),
        ("PNG", {}),
        ("WEBP", {"quality": 80}),
        ("WEBP", {"lossless": True, "exact": True}),
    ]
    for number, image in enumerate(images):
        width, height = (int(side) for side in rng.integers(60, 900, 2))
        image = image.resize((width, height), Image.Resampling.BICUBIC)
        kind, options = kinds[number % len(kinds)]
        exif = Image.Exif()
        if kind == "JPEG":
            exif[0x0112] = number % 8 + 1
            if number % 5 == 0:
                image = image.convert("L")
        elif options != {"quality": 80} and number % 4:
            alpha = np.zeros((height, width), "uint8")
            alpha[: height // 2] = rng.integers(0, 256, (height // 2, width))
            image.putalpha(Image.fromarray(alpha))
        file = io.BytesIO()
        image.save(file, kind, exif=exif, **options)
        yield file.getvalue()


@pytest.fixture(scope="module")
def litertjs(tmp_path_factory):
    """Folder of LiteRT.js: what HASHNET_TF_LITERTJS names, or npm fetches."""
    try:
        return node_modules("litertjs", tmp_path_factory.mktemp("npm"))
    except Missing as error:
        pytest.skip(str(error))


@pytest.fixture(scope="module")
def served(litertjs, tmp_path_factory):
    """`(root, run, files)`: root has the folder and the photographs."""
    root = tmp_path_factory.mktemp("served")
    files = list(as_files(pictures()))
    (root / "photographs").mkdir()
    for number, content in enumerate(files):
        (root / "photographs" / f"{number}.file").write_bytes(content)
        pixels = np.asarray(open_image(content))
        (root / "photographs" / f"{number}.raw").write_bytes(pixels.tobytes())
    (root / "folder").mkdir()
    for number, image in enumerate(pictures()):
        image.save(root / "folder" / f"{number:03}.png")
    config = hn.runs.TrainingConfig(
        data=f"folder:{root / 'folder'}",
        backbone="MobileNetV2",
        weights=str(IMAGENET) if IMAGENET.is_file() else None,
        image_size=SIZE,
        bits=BITS,
        method="lsh",
        freeze_backbone=True,
        hidden=0,
        dropout=0.0,
    )
    run = hn.runs.train(config, root / "run")
    hn.export.write_web(run, root / "site", None, True, litertjs)
    return root, run, files


def bits_that_differ(codes, expected):
    return int(np.bitwise_count(codes ^ expected).sum())


@pytest.mark.longest
@pytest.mark.parametrize(
    "serve, options",
    [
        (isolating, {}),
        (plain, {}),
        # What a browser without relaxed SIMD runs, as Safari.
        (plain, {"wasm": "litert/wasm/litert_wasm_compat_internal.js"}),
    ],
    ids=["threads", "plain", "compatible"],
)
def test_codes_and_hits_are_those_of_python(
    browser, served, serve, options, capsys
):
    root, run, files = served
    framed = np.stack([image_pixels(f, (SIZE, SIZE)) for f in files])
    expected = run.model.encode(framed)
    shapes = [np.asarray(open_image(f)).shape[:2] for f in files]
    page = browser.new_page()
    page.set_default_timeout(120_000)
    # The page's own would load the runtime, which is loaded once.
    empty = {"content_type": "text/javascript", "body": ""}
    page.route("**/page.js", lambda route: route.fulfill(**empty))
    with serve(root) as address:
        page.goto(f"{address}/site/")
        told = page.evaluate(ENCODE, [shapes, options])
        page.close()
    assert told["threads"] == (serve is isolating)

    def bytes_of(name):
        rows = [base64.b64decode(row[name]) for row in told["results"]]
        return np.stack([np.frombuffer(row, "uint8") for row in rows])

    pixels = framed.reshape(N, -1)
    np.testing.assert_array_equal(bytes_of("given"), pixels)
    np.testing.assert_array_equal(bytes_of("code"), expected)
    database = hn.runs.CodeSet.load(run.codes_path("database"))
    _, places = hn.retrieval.search(expected, database.codes, 5)
    hits = [row["hits"] for row in told["results"]]
    np.testing.assert_array_equal(hits, places)
    # Its own decoder is of the same libraries here.
    other = (bytes_of("own") != pixels).any(axis=1).sum()
    moved = bits_that_differ(bytes_of("ownCode"), expected)
    assert moved <= 0.01 * N * BITS
    together = [base64.b64decode(code) for code in told["together"]]
    assert together == [row.tobytes() for row in bytes_of("ownCode")[:4]]
    ms = np.median([row["ms"] for row in told["results"]], axis=0)
    steps = ", ".join(f"{step:.1f}" for step in ms)
    with capsys.disabled():
        print(
            f"\n{serve.__name__} {options}: its own decoder gave {other} of {N}"
            f" other pixels and {moved} of {N * BITS} other bits; decoding,"
            f" framing, encoding, search: {steps} ms; {told['bytes']} bytes"
        )


@pytest.fixture(scope="module")
def address(served):
    with plain(served[0] / "site") as address:
        yield address


@pytest.fixture
def page(browser, address):
    """The page, which must meet no error of its own and ask nobody else."""
    page = browser.new_page(viewport={"width": 1100, "height": 800})
    page.set_default_timeout(60_000)
    errors, asked = [], []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("request", lambda request: asked.append(request.url))
    yield page
    page.close()
    assert not errors
    mine = (address, f"blob:{address}", "data:")
    assert all(url.startswith(mine) for url in asked), asked


def wait_for(page, text):
    page.wait_for_selector(f"#status:has-text('{text}')")


def choose(page, content, name="photo.png", kind="image/png"):
    file = {"name": name, "mimeType": kind, "buffer": content}
    page.set_input_files("#file", file)


def test_a_photograph_finds_itself(page, address, served):
    root, run, _ = served
    names = hn.runs.CodeSet.load(run.codes_path("database")).ids
    page.goto(address)
    page.wait_for_selector(f"#about:has-text('{len(names)} pictures, 48 bits')")
    choose(page, (root / "folder" / names[7]).read_bytes(), "<b>mine</b>.png")
    wait_for(page, "24 pictures found in")
    assert page.inner_text("#asked") == "<b>mine</b>.png"
    first = page.locator(".grid li").first
    assert first.locator(".name").inner_text() == names[7]
    assert first.locator(".near").inner_text() == "0 bits"
    shown = first.locator("img")
    assert shown.evaluate("image => image.decode().then(() => 1)") == 1
    page.set_viewport_size({"width": 360, "height": 700})
    wide = page.evaluate("document.documentElement.scrollWidth")
    assert wide <= 360
    half = (root / "photographs" / "0.file").read_bytes()[:9000]
    for content in (b"<script>alert(1)</script>", half):
        choose(page, (root / "folder" / names[0]).read_bytes())
        wait_for(page, "24 pictures found in")
        choose(page, content)
        wait_for(page, "must be whole, and of a format that this browser")
        assert page.locator("#status.wrong").count() == 1
        assert page.locator(".grid li").count() == 0


def test_the_camera(page, address):
    page.goto(address)
    page.click("text=Use the camera")
    wait_for(page, "24 pictures found in")
    assert page.is_visible("#camera")
    before = page.inner_text("#status")
    page.wait_for_function(
        "text => document.querySelector('#status').innerText !== text",
        arg=before,
    )
    page.click("text=Stop the camera")
    assert page.is_hidden("#camera")
    page.wait_for_selector("text=Use the camera")


@pytest.mark.parametrize(
    "file, change, told",
    [
        (
            "codes.json",
            {"model_digest": "of another"},
            "must be those of the encoder. Received: codes of of another",
        ),
        (
            "encoder.json",
            {"format": 2},
            "the form that this module reads, encoder 1. Received: encoder 2",
        ),
        ("codes.json", {"names": ["a"]}, "bytes of 1 names"),
        ("codes.json", {"file": "gone.bin"}, "answers with 404"),
    ],
)
def test_what_does_not_fit_is_told(page, address, served, file, change, told):
    there = json.loads((served[0] / "site" / file).read_text())
    page.route(
        f"**/{file}", lambda route: route.fulfill(json={**there, **change})
    )
    page.goto(address)
    wait_for(page, told)
    assert page.locator("#status.wrong").count() == 1
