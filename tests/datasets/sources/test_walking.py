import contextlib
import os
import pathlib
import random
import re
import shutil
import stat
import tempfile
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import hashnet_tf as hn
from hashnet_tf.datasets.sources.walking import (
    Account,
    identities,
    list_folder,
    walk,
)

# Whom permissions bind, where the tests run as root.
NOBODY = 65534
ENDINGS = "jpg jpeg jpe jfif png webp bmp dib".split()

# What macOS writes into its archives.
FORKS = "__MACOSX"


def make(root, *names):
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return root


@contextlib.contextmanager
def as_nobody():
    """Runs a block as no root, whom no permission would bind."""
    is_root = os.getuid() == 0
    if is_root:
        os.setresuid(NOBODY, NOBODY, 0)
    try:
        yield
    finally:
        if is_root:
            os.setresuid(0, 0, 0)


@pytest.fixture
def open_root():
    """A folder that everybody may enter, as those of pytest are not."""
    folder = pathlib.Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    yield folder
    for path in [folder, *folder.rglob("*")]:
        if path.is_dir() and not path.is_symlink():
            path.chmod(0o755)
    shutil.rmtree(folder)


def test_a_listing_is_sorted_and_counts_the_rest(tmp_path):
    make(tmp_path, "b/x", "a/x", ".git/x", f"{FORKS}/x", "@eaDir/x.jpg")
    make(tmp_path, "2.jpg", "10.JPEG", "x.Txt", "y.txt", "._2.jpg", "Thumbs.db")
    make(tmp_path, "LICENSE", "dot.", "x.a\nb", "x.averyverylongending")
    os.mkfifo(tmp_path / "pipe.jpg")
    (tmp_path / "link").symlink_to("a")
    listing = list_folder(tmp_path)
    assert listing.images == ["10.JPEG", "2.jpg"]
    assert listing.folders == ["a", "b", "link"]
    assert listing.links == {"link"}
    assert listing.passed_over == {
        "hidden files": 1,
        "hidden folders": 1,
        f"{FORKS}/": 1,
        "@eaDir/": 1,
        ".txt": 2,
        ".db": 1,
        "without an ending": 2,
        "of other endings": 2,
        "pipes and devices": 1,
    }


def test_a_listing_refuses_a_name_that_is_no_utf8(tmp_path):
    (tmp_path / os.fsdecode(b"caf\xe9.png")).touch()
    with pytest.raises(ValueError, match=r"Received: '.*/caf\\udce9.png'$"):
        list_folder(tmp_path)


def test_images_are_sorted_to_any_depth(tmp_path):
    names = ["10.png", "2.png", "a/1.png", "a/b/1.png", "a.png", "b.png"]
    assert walk(make(tmp_path, *names)) == (names, Counter())


@pytest.mark.parametrize("ending", ENDINGS)
def test_takes_each_ending_in_any_case(ending, tmp_path):
    names = [f"a.{ending}", f"b.{ending.upper()}", f"c.{ending.title()}"]
    assert walk(make(tmp_path, *names))[0] == names


def test_follows_each_real_folder_once(tmp_path):
    inside, outside = tmp_path / "in", tmp_path / "out"
    make(inside, "a/1.png")
    make(outside, "deep/2.png", "3.png")
    (inside / "loop").symlink_to(inside)
    (inside / "a" / "up").symlink_to("..")
    (inside / "0").symlink_to(inside / "a")
    (inside / "x").symlink_to(outside)
    (inside / "y").symlink_to(outside)
    (outside / "deep" / "back").symlink_to(inside / "a")
    # A name that is found without links is none of a link.
    found, passed_over = walk(inside)
    assert found == ["a/1.png", "x/3.png", "x/deep/2.png"]
    assert passed_over == {"folders met again": 5}
    apart = identities([inside, outside])
    assert walk(inside, apart) == (["a/1.png"], {"folders met again": 5})


def test_dead_links_are_named_with_the_reason(tmp_path):
    make(tmp_path, "a/1.png")
    (tmp_path / "a" / "z.jpg").symlink_to("/gone.jpg")
    (tmp_path / "dir").symlink_to("nowhere")
    (tmp_path / "round").symlink_to("round")
    with pytest.raises(OSError) as error:
        walk(tmp_path)
    told = str(error.value)
    assert "Received: 3 that are not, " in told
    assert f"{tmp_path}/dir (No such file or directory)" in told
    assert f"{tmp_path}/a/z.jpg (No such file or directory)" in told
    assert f"{tmp_path}/round (Too many levels of symbolic links)" in told


@pytest.mark.parametrize("shut", ["a", "a/1.png", "a/deep"])
@pytest.mark.parametrize("mode", [0, 0o200])
def test_what_may_not_be_read_is_named(shut, mode, open_root):
    make(open_root, "a/1.png", "a/deep/2.png", "a/deep/note.txt")
    (open_root / shut).chmod(mode)
    with as_nobody(), pytest.raises(OSError) as error:
        walk(open_root)
    assert str(error.value) == (
        f"All folders, images and links in {open_root} must be"
        " readable. Received: 1 that are not,"
        f" {open_root / shut} (Permission denied)"
    )


def test_a_folder_that_may_be_listed_and_not_entered(open_root):
    make(open_root, "a/1.png", "a/2.txt")
    (open_root / "a").chmod(0o444)
    message = re.escape(f"{open_root}/a/1.png (Permission denied)")
    with as_nobody(), pytest.raises(OSError, match=message):
        walk(open_root)


def test_the_account_adds_up():
    account = Account(5, passed_over={".txt": 2, f"{FORKS}/": 1})
    less = account.refusing({"a.png": "an empty file"})
    assert (account.found, less.found) == (8, 8)
    assert less.text() == (
        "8 found: 4 images used, 1 refused by the decoder, 3 passed over"
        f" (.txt 2, {FORKS}/ 1)"
    )
    assert less.as_dict() == {
        "found": 8,
        "used": 4,
        "refused": {"a.png": "an empty file"},
        "passed_over": {".txt": 2, f"{FORKS}/": 1},
    }


def test_images_that_no_part_holds_are_passed_over(tmp_path):
    make(tmp_path, *(f"{c}/{i}.png" for c in "abc" for i in range(4)))
    dataset = hn.datasets.load(f"folder:{tmp_path}", unseen_classes=1)
    held = dataset.train.names + dataset.query.names + dataset.database.names
    assert len(set(held)) < 12
    assert dataset.files.used == len(set(held))
    assert dataset.files.found == dataset.account.found == 12
    left = 12 - len(set(held))
    assert dataset.files.passed_over == {"images in no part": left}
    assert f"12 found: {12 - left} images used" in dataset.describe()


STEMS = ["1", "two words", "日本", "quote'\"", "per%20cent", "tab\t", "*", "-x"]
TAILS = [
    *(f".{ending}" for ending in ENDINGS),
    *(".JPG", ".Png", ".jPeG", ".BMP", ".WebP", ".JFIF"),
    *("", ".", ".txt", ".gif", ".heic", ".jpg ", ".jpg.txt", ".tar.gz"),
]
FOLDERS = ["a", "b c", "__MACOSX", "@eaDir", ".git", "x.jpg", "é", "train"]


class Tree:
    """A random tree on disk, and an independent count of what is in it."""

    def __init__(self, root, seed):
        self.root, self.rng = root, random.Random(seed)
        self.outside = root.with_name("outside")
        for folder in (root, self.outside):
            folder.mkdir()
            self.fill(folder, 2)
        self.link()
        self.close()

    def fill(self, folder, depth):
        for _ in range(self.rng.randrange(4)):
            name = self.rng.choice(["", "", "", "."])
            name += self.rng.choice(STEMS) + self.rng.choice(TAILS)
            if not (folder / name).exists():
                (folder / name).touch()
        for name in self.rng.sample(FOLDERS, self.rng.randrange(3)):
            if depth and not (folder / name).exists():
                (folder / name).mkdir()
                self.fill(folder / name, depth - 1)

    def folders(self):
        found = [self.root, self.outside]
        for top in (self.root, self.outside):
            found += [path for path in top.rglob("*") if path.is_dir()]
        return found

    def link(self):
        folders = self.folders()
        targets = [*folders, *(p for f in folders for p in f.iterdir())]
        for number in range(self.rng.randrange(5)):
            place = self.rng.choice(folders) / f"link{number}"
            target = self.rng.choice(targets)
            if self.rng.random() < 0.1:
                target = self.root / "gone"
            place.symlink_to(target)

    def close(self):
        everything = sorted(self.root.rglob("*"))
        if everything and self.rng.random() < 0.3:
            path = self.rng.choice(everything)
            if not path.is_symlink():
                path.chmod(0)

    def count(self):
        """Returns `(images, what is passed over, bad paths)`.

        By real paths and recursion, where the walk goes by names and a stack.
        """
        seen, bad = set(), set()
        used, rest = 0, 0
        real, links = [self.root], []
        while real or links:
            folder = real.pop() if real else links.pop(0)
            true = folder.resolve(strict=True)
            if true in seen:
                rest += 1
                continue
            seen.add(true)
            try:
                names = os.listdir(folder)
            except OSError:
                bad.add(str(folder))
                continue
            for name in names:
                path = folder / name
                if name[0] == "." or name in ("__MACOSX", "@eaDir"):
                    rest += 1
                    continue
                try:
                    mode = os.stat(path).st_mode
                except OSError:
                    bad.add(str(path))
                    continue
                if stat.S_ISDIR(mode):
                    (links if path.is_symlink() else real).append(path)
                    links.sort(key=lambda p: p.relative_to(self.root).parts)
                elif name.lower().rpartition(".")[2] in ENDINGS and "." in name:
                    used += 1
                    if not os.access(path, os.R_OK):
                        bad.add(str(path))
                else:
                    rest += 1
        return used, rest, bad


def check_tree(seed):
    """Checks the walk of one tree; returns whether it was refused."""
    with tempfile.TemporaryDirectory() as folder:
        top = pathlib.Path(folder)
        top.chmod(0o755)
        tree = Tree(top / "root", seed)
        try:
            with as_nobody():
                used, rest, bad = tree.count()
                images, passed_over = walk(tree.root)
        except OSError as error:
            told = str(error)
            assert f" {len(bad)} that are not," in told, seed
            named = sum(f"{path} (" in told for path in bad)
            assert named == min(len(bad), 10) > 0, seed
            return True
        account = Account(len(images), passed_over=dict(passed_over))
        assert (account.used, account.found) == (used, used + rest), seed
        assert len(set(images)) == used and not bad, seed
        assert images == sorted(images, key=lambda path: path.split("/"))
        return False


@settings(max_examples=50, deadline=None, derandomize=True, database=None)
@given(st.integers(0, 2**32))
def test_the_sum_of_random_trees(seed):
    check_tree(seed)


@pytest.mark.slow
def test_the_sum_of_many_random_trees():
    refused = sum(map(check_tree, range(2000)))
    # Of both kinds enough were met.
    assert 200 < refused < 1800


SPELLINGS = ["train", "Train", "TRAIN", "training", "val", "Validation", "test"]


@settings(max_examples=25, deadline=None, derandomize=True, database=None)
@given(st.integers(0, 2**32))
def test_the_sum_of_random_data_sets(seed):
    rng = random.Random(seed)
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)
        splits = rng.choice([["train", "test"], [], rng.sample(SPELLINGS, 2)])
        count = 0
        for split in splits or ["."]:
            for name in ("cat", "dog"):
                inner = root / split / name / rng.choice(["", "deep/deeper"])
                inner.mkdir(parents=True, exist_ok=True)
                for i in range(rng.randrange(2, 5)):
                    tail = rng.choice([".jpg", ".PNG", ".dib"])
                    (inner / f"{i}{tail}").touch()
                    count += 1
                for extra in rng.sample(["x.txt", ".y", "Thumbs.db"], 2):
                    (inner / extra).touch()
                    count += 1
        for loose in rng.sample(["loose.jpg", "README.md", ".hidden"], 2):
            (root / loose).touch()
            count += 1
        if splits == ["train", "test"] and rng.random() < 0.5:
            (root / "val").mkdir()
            count += 1
        dataset = hn.datasets.load(f"folder:{root}")
        assert dataset.account.found == count
        assert dataset.account.used == len(dataset.query) + len(
            dataset.database
        )
        assert dataset.account.text() in dataset.describe()
        if splits and set(splits) != {"train", "test"}:
            assert "need class folders, or both" in " ".join(dataset.notes)
        elif (root / "loose.jpg").exists():
            assert "(loose.jpg)" in " ".join(dataset.notes)
