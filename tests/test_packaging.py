"""What an installation holds, and by which names it is met."""

import ast
import pathlib
import shutil
import subprocess
import sys
import tarfile
import zipfile

import jedi
import pytest

import hashnet_tf as hn

ROOT = pathlib.Path(__file__).parents[1]
NO_SOURCES = {".git", ".venv", "build", "dist", "runs", ".hypothesis"}

# README's pipeline, as a stranger would write it.
SCRIPT = """
import keras
import numpy as np

import hashnet_tf as hn

digits: hn.datasets.RetrievalDataset = hn.datasets.load("digits")
batches = hn.datasets.training_batches(digits.train, (16, 16), 100, seed=0)
model = hn.HashNet(hn.models.backbone("small_cnn", (16, 16, 3)), bits=48)
model.compile(
    optimizer=keras.optimizers.Adam(1e-3),
    loss=hn.losses.WeightedPairwiseLoss(alpha=0.2),
)
beta = hn.schedules.SquareRootBeta.reaching(10.0, steps=200)
model.fit(batches, epochs=1, callbacks=[hn.callbacks.Continuation(beta)])
codes: np.ndarray = model.encode(np.zeros((2, 16, 16, 3)))
distances, indices = hn.retrieval.search(codes, codes, k=1)
path = hn.export.to_litert(model, "encoder.tflite")
"""


def sources():
    """Python files of the repository, each by its real path, once."""
    found = {
        path.resolve()
        for path in ROOT.rglob("*.py")
        if not NO_SOURCES & set(path.relative_to(ROOT).parts)
    }
    return sorted(found)


def run(*command, **options):
    done = subprocess.run(
        list(map(str, command)), capture_output=True, text=True, **options
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize("path", sources(), ids=lambda path: path.name)
def test_no_file_imports_the_bare_names(path):
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            names = [node.module]
        for name in names:
            assert name.split(".")[0] not in ("export", "tools")


def test_no_module_is_met_under_two_names():
    program = (
        "import sys, hashnet_tf.export, hashnet_tf.tools.main\n"
        "print(*(m for m in sys.modules"
        " if m.split('.')[0] in ('export', 'tools')))"
    )
    printed = run(sys.executable, "-c", program, cwd=ROOT)
    assert printed.split() == []


@pytest.mark.parametrize("wing", ["export", "losses", "retrieval"])
def test_an_editor_completes_what_is_exported(wing):
    script = jedi.Script(
        f"import hashnet_tf as hn\nhn.{wing}.",
        project=jedi.Project(ROOT, smart_sys_path=False),
    )
    completed = {name.name for name in script.complete(2, len(f"hn.{wing}."))}
    assert set(getattr(hn, wing).__all__) <= completed
    # And what Python itself completes is nothing else.
    shown = {n for n in dir(getattr(hn, wing)) if not n.startswith("_")}
    assert shown == set(getattr(hn, wing).__all__)


@pytest.fixture(scope="module", params=["links", "no links"])
def tree(request, tmp_path_factory):
    """A copy of the repository, as a checkout with or without links."""
    copy = tmp_path_factory.mktemp("tree") / "copy"
    shutil.copytree(
        ROOT, copy, symlinks=True, ignore=shutil.ignore_patterns(*NO_SOURCES)
    )
    if request.param == "no links":
        for name in ("export", "tools"):
            link = copy / "hashnet_tf" / name
            link.unlink()
            # So a checkout without links writes it.
            link.write_text(f"../{name}")
    return copy


def build(tree, kind, out):
    program = (
        f"from setuptools import build_meta as b; b.build_{kind}({str(out)!r})"
    )
    run(sys.executable, "-c", program, cwd=tree)
    (built,) = out.iterdir()
    return built


def names_in(wheel):
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


def check_content(names):
    package = {n for n in names if not n.split("/")[0].endswith(".dist-info")}
    assert {name.split("/")[0] for name in package} == {"hashnet_tf"}
    real = ROOT / "hashnet_tf"
    expected = {
        f"hashnet_tf/{path.relative_to(real)}"
        for folder in (real, real / "export", real / "tools")
        for path in folder.rglob("*")
        if path.suffix in (".py", ".pyi", ".toml", ".csv", ".typed")
        and path.is_file()
    }
    expected.add("hashnet_tf/py.typed")
    assert package == expected


@pytest.mark.slow
def test_a_wheel_holds_the_package_and_nothing_else(tree, tmp_path):
    check_content(names_in(build(tree, "wheel", tmp_path)))


@pytest.mark.slow
def test_an_sdist_makes_the_same_wheel(tree, tmp_path):
    if not (tree / "hashnet_tf" / "export").is_dir():
        pytest.skip("an sdist is made from a checkout with its links")
    (tmp_path / "sdist").mkdir()
    (tmp_path / "wheel").mkdir()
    sdist = build(tree, "sdist", tmp_path / "sdist")
    with tarfile.open(sdist) as archive:
        archive.extractall(tmp_path, filter="data")
    unpacked = tmp_path / sdist.name.removesuffix(".tar.gz")
    check_content(names_in(build(unpacked, "wheel", tmp_path / "wheel")))


@pytest.mark.slow
@pytest.mark.parametrize("installed", ["editable", "wheel"])
def test_a_strangers_script_type_checks(installed, tmp_path):
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    place = ROOT
    if installed == "wheel":
        copy = tmp_path / "copy"
        shutil.copytree(
            ROOT,
            copy,
            symlinks=True,
            ignore=shutil.ignore_patterns(*NO_SOURCES),
        )
        (tmp_path / "built").mkdir()
        place = tmp_path / "site"
        with zipfile.ZipFile(build(copy, "wheel", tmp_path / "built")) as wheel:
            wheel.extractall(place)
    # Alone in a folder, so that no settings of this repository count.
    (tmp_path / "pyrightconfig.json").write_text(
        f'{{"include": ["script.py"], "extraPaths": ["{place}"]}}'
    )
    printed = run(
        sys.executable,
        "-m",
        "pyright",
        "--pythonpath",
        sys.executable,
        "-p",
        tmp_path,
    )
    assert "0 errors" in printed
