"""What is built and installed: each file once, by one name, with its types."""

import importlib.util
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import tomllib
import venv
import zipfile

import jedi
import pytest

import hashnet_tf as hn

ROOT = pathlib.Path(__file__).parents[1]
LINKED = ("export", "tools")
CODE = ("hashnet_tf", *LINKED)
BESIDE = ("benchmarks", "docs", "examples", "tests")

# Other environments must find their own package, and not this one's.
ENVIRONMENT = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}

# What a file must not hold: the name that a wrong spelling has is found.
WRONG = "import hashnet_tf as hn\n\nhn.export.to_lite_rt\n"


def run(*words, **options):
    """Runs a command and returns its output; a failure shows it."""
    done = subprocess.run(
        [str(word) for word in words],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=ENVIRONMENT,
        **options,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


def packaged_files(root=ROOT):
    """Paths, as they are imported, of all files that a wheel should hold."""
    found = set()
    for name in CODE:
        within = "" if name == "hashnet_tf" else "hashnet_tf/"
        for folder, folders, files in os.walk(root / name):
            folders[:] = [f for f in folders if f != "__pycache__"]
            place = pathlib.Path(folder).relative_to(root).as_posix()
            found |= {f"{within}{place}/{file}" for file in files}
    return found


def copy_of_sources(folder, links=True):
    """Copies what a build reads, as a clone has it."""
    folder.mkdir()
    unwanted = shutil.ignore_patterns("__pycache__", *(() if links else LINKED))
    shutil.copytree(
        ROOT / "hashnet_tf",
        folder / "hashnet_tf",
        symlinks=True,
        ignore=unwanted,
    )
    for name in LINKED:
        shutil.copytree(
            ROOT / name,
            folder / name,
            ignore=shutil.ignore_patterns("__pycache__"),
        )
    for name in ("setup.py", "pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, folder)
    return folder


def stored_files(wheel):
    """The files of a wheel and its folders at the top."""
    with zipfile.ZipFile(wheel) as stored:
        names = stored.namelist()
    tops = {name.split("/")[0] for name in names}
    return {n for n in names if ".dist-info/" not in n}, tops


def new_environment(folder):
    """A virtual environment that finds what this one has but hashnet_tf."""
    venv.create(folder, with_pip=True)
    python = folder / "bin" / "python"
    if not python.exists():
        pytest.skip("The environment of another system has another shape")
    site = pathlib.Path(
        sysconfig.get_path("purelib", vars={"base": str(folder)})
    )
    # Where a dependency lies; the editable install there is a .pth file, which
    # is read in an environment's own folder only.
    dependencies = pathlib.Path(importlib.util.find_spec("keras").origin)
    (site / "dependencies.pth").write_text(f"{dependencies.parents[1]}\n")
    return python


@pytest.fixture(scope="session")
def builder(tmp_path_factory):
    """Python of an environment that builds, with setuptools as required."""
    python = new_environment(tmp_path_factory.mktemp("builder") / "venv")
    required = re.search(
        r'requires = \["(.*)"\]', (ROOT / "pyproject.toml").read_text()
    )[1]
    run(python, "-m", "pip", "install", "--quiet", "--upgrade", required)
    return python


@pytest.fixture(scope="session")
def build(builder, tmp_path_factory):
    """Function that builds a "wheel" or an "sdist" of a folder."""

    def make(source, kind):
        out = tmp_path_factory.mktemp(kind)
        code = (
            "import sys; from setuptools import build_meta;"
            f" build_meta.build_{kind}(sys.argv[1])"
        )
        run(builder, "-c", code, out, cwd=source)
        (built,) = out.iterdir()
        return built

    return make


@pytest.fixture(scope="session")
def clone(tmp_path_factory):
    return copy_of_sources(tmp_path_factory.mktemp("clone") / "hashnet")


@pytest.fixture(scope="session")
def wheel(build, clone):
    return build(clone, "wheel")


@pytest.fixture(scope="session")
def from_wheel(wheel, tmp_path_factory):
    """Python of an environment with the wheel."""
    python = new_environment(tmp_path_factory.mktemp("wheel") / "venv")
    run(python, "-m", "pip", "install", "--no-deps", "--no-index", wheel)
    return python


@pytest.fixture(scope="session")
def editable(builder, clone):
    """Python of an environment with an editable install of a clone."""
    run(
        *(builder, "-m", "pip", "install", "--no-deps", "--no-index"),
        *("--no-build-isolation", "--editable", clone),
    )
    return builder


@pytest.fixture(params=["from_wheel", "editable"])
def installed(request):
    return request.getfixturevalue(request.param)


def pyright(*words, cwd):
    """What pyright found: a list of the errors of each file by its name."""
    done = subprocess.run(
        [sys.executable, "-m", "pyright", "--outputjson", *map(str, words)],
        capture_output=True,
        text=True,
        env=ENVIRONMENT,
        cwd=cwd,
    )
    assert done.returncode in (0, 1), done.stdout + done.stderr
    found = json.loads(done.stdout[done.stdout.index("{") :])
    errors = {}
    for diagnostic in found["generalDiagnostics"]:
        if diagnostic["severity"] == "error":
            name = pathlib.Path(diagnostic["file"]).name
            errors.setdefault(name, []).append(diagnostic["message"])
    return errors


def completions(text, python=None):
    """Names that jedi offers at the end of a text."""
    environment = None
    if python is not None:
        environment = jedi.create_environment(python.parents[1], safe=False)
    script = jedi.Script(text, environment=environment)
    return {found.name for found in script.complete()}


def test_links_are_kept_as_links():
    if not (ROOT / ".git").exists():
        pytest.skip("Not a clone")
    paths = [f"hashnet_tf/{name}" for name in LINKED]
    listed = run("git", "ls-files", "--stage", *paths, cwd=ROOT).splitlines()
    assert [line.split()[0] for line in listed] == ["120000"] * len(LINKED)
    for name in LINKED:
        assert os.readlink(ROOT / "hashnet_tf" / name) == f"../{name}"


def test_nothing_imports_a_bare_name():
    bare = re.compile(rf"^\s*(?:from|import)\s+(?:{'|'.join(LINKED)})\b", re.M)
    assert bare.search("    import export.litert")
    found = [
        path.relative_to(ROOT)
        for place in (*CODE, *BESIDE)
        for path in (ROOT / place).rglob("*.py*")
        if path.suffix in (".py", ".pyi")
        and bare.search(path.read_text("utf-8"))
    ]
    assert not found


def test_each_module_has_one_name():
    from hashnet_tf.export import litert
    from hashnet_tf.tools import main

    assert litert.__file__ and main.__file__
    # Not all below the root, where the environment of the tests may lie.
    own = tuple(f"{ROOT / place}{os.sep}" for place in CODE)
    names = {}
    for name, module in sys.modules.items():
        file = os.path.realpath(getattr(module, "__file__", None) or "")
        if file.startswith(own):
            names.setdefault(file, set()).add(name)
    assert names[str(ROOT / "export" / "litert.py")] == {litert.__name__}
    assert names[str(ROOT / "tools" / "main.py")] == {main.__name__}
    assert not [found for found in names.values() if len(found) > 1]


def test_ruff_reads_each_file_once():
    listed = run(
        *(sys.executable, "-m", "ruff", "check", "--show-files", "."), cwd=ROOT
    )
    real = [os.path.realpath(line) for line in listed.splitlines()]
    assert len(real) == len(set(real))
    assert str(ROOT / "export" / "litert.py") in real


def test_pyright_reads_each_file_once():
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    found = []
    for place in settings["tool"]["pyright"]["include"]:
        # As pyright does: the place itself may be a link, none below it.
        for folder, _, files in os.walk(ROOT / place):
            within = pathlib.Path(folder).relative_to(ROOT).as_posix()
            found += [f"{within}/{file}" for file in files]
    packaged = {f for f in packaged_files() if f.endswith((".py", ".pyi"))}
    assert packaged <= set(found)
    assert len(found) == len(set(found))
    assert not [f for f in found if f.split("/")[0] in LINKED]


@pytest.mark.parametrize("wing", ["export", "losses", "retrieval"])
def test_editors_complete(wing):
    offered = completions(f"import hashnet_tf as hn\nhn.{wing}.")
    assert offered >= set(getattr(hn, wing).__all__)


@pytest.mark.slow
def test_wheel_holds_each_file_once(wheel):
    files, tops = stored_files(wheel)
    assert files == packaged_files()
    assert "hashnet_tf/py.typed" in files
    assert "hashnet_tf/export/__init__.pyi" in files
    assert tops == {"hashnet_tf", f"hashnet_tf-{hn.__version__}.dist-info"}


@pytest.mark.slow
def test_checkout_without_links(build, tmp_path):
    source = copy_of_sources(tmp_path / "plain", links=False)
    assert not (source / "hashnet_tf" / "export").exists()
    assert stored_files(build(source, "wheel"))[0] == packaged_files()


@pytest.mark.slow
def test_sdist_holds_real_files_and_installs(build, clone, tmp_path):
    with tarfile.open(build(clone, "sdist")) as stored:
        assert not [m.name for m in stored if m.issym() or m.islnk()]
        stored.extractall(tmp_path, filter="data")
    (source,) = tmp_path.iterdir()
    wheel = build(source, "wheel")
    assert stored_files(wheel)[0] == packaged_files()


@pytest.mark.slow
def test_installed_commands_run(installed, tmp_path):
    # From another folder, so that nothing is found but what is installed.
    told = run(installed.with_name("hashnet"), "--help", cwd=tmp_path)
    for command in ("train", "export", "search"):
        assert command in told
    told = run(
        installed, "-m", "hashnet_tf.tools.train", "--help", cwd=tmp_path
    )
    assert "--workdir" in told
    where = run(
        installed,
        "-c",
        "import hashnet_tf.export, hashnet_tf.tools as t;"
        " print(hashnet_tf.export.__file__, t.__file__)",
        cwd=tmp_path,
    )
    assert str(ROOT) not in where


@pytest.mark.slow
def test_a_strangers_script_has_types(installed, tmp_path):
    readme = (ROOT / "README.md").read_text("utf-8")
    example = re.search(r"```python\n(.*?)```", readme, re.S)[1]
    (tmp_path / "script.py").write_text(example)
    (tmp_path / "wrong.py").write_text(WRONG)
    errors = pyright("--pythonpath", installed, ".", cwd=tmp_path)
    assert list(errors) == ["wrong.py"]
    (error,) = errors["wrong.py"]
    assert '"to_lite_rt" is not a known attribute' in error


@pytest.mark.slow
@pytest.mark.parametrize("wing", ["export", "losses", "retrieval"])
def test_editors_complete_what_is_installed(installed, wing):
    offered = completions(f"import hashnet_tf as hn\nhn.{wing}.", installed)
    assert offered >= set(getattr(hn, wing).__all__)
