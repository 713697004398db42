"""What benchmarks compare by: other runtimes, and the table of their bits."""

import contextlib

import numpy as np
import parity
import pytest
from runtimes import Missing, browser, c_session, kotlin

import hashnet_tf as hn


@pytest.fixture(scope="module")
def encoder_files(models, onnx_files, tmp_path_factory):
    """Path of the encoder of models["12"] for each runtime for browsers."""
    web = tmp_path_factory.mktemp("web") / "encoder_web.tflite"
    return {
        "litertjs": hn.export.to_web(models["12"], web),
        "onnxruntimeWeb": onnx_files["12"],
    }


@pytest.mark.slow
@pytest.mark.parametrize("runtime", browser.RUNTIMES)
def test_bits_in_a_browser(runtime, encoder_files, models, images):
    with contextlib.ExitStack() as stack:
        try:
            encode = stack.enter_context(browser.opened(runtime))
        except Missing as error:
            pytest.skip(f"needs {error}")
        codes = encode(encoder_files[runtime], "images", images)
    np.testing.assert_array_equal(codes, models["12"].encode(images))


def test_bits_in_a_c_session(models, saved_models, images):
    with c_session.opened() as encode:
        codes = encode(saved_models["12"], [images[:50], images[50:]])
    np.testing.assert_array_equal(codes, models["12"].encode(images))


def test_what_is_missing_is_named(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("HASHNET_TF_LITERTJS", "")
    with pytest.raises(Missing, match="chromium: apt-get install chromium"):
        browser.opened("litertjs").__enter__()
    with pytest.raises(Missing, match="npm's onnxruntime-web.* no npm"):
        browser.node_modules("onnxruntimeWeb", tmp_path)
    with pytest.raises(Missing, match="a JDK: no javac"):
        kotlin.opened().__enter__()
    for name in ("java", "javac"):
        (tmp_path / name).write_text("")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("HASHNET_TF_KOTLIN", str(tmp_path))
    with pytest.raises(Missing, match="`make android` fetches. Received: "):
        kotlin.opened().__enter__()


def test_packages_that_are_there_are_not_fetched(tmp_path, monkeypatch):
    monkeypatch.setenv("HASHNET_TF_LITERTJS", str(tmp_path))
    there = tmp_path / "node_modules"
    (there / "onnxruntime-web").mkdir(parents=True)
    found = browser.node_modules("onnxruntimeWeb", tmp_path / "no")
    assert found == there


def test_a_row_says_what_is_missing():
    @contextlib.contextmanager
    def absent():
        raise Missing("a tool")
        yield

    @contextlib.contextmanager
    def present():
        yield lambda network: network.moved(network.file("onnx"))

    codes = np.uint8([[1, 2], [3, 4]])
    there, lacking = (
        parity.Network(*("x", None, None, None, None), codes, files)
        for files in (
            {("onnx", None): codes ^ np.uint8([0, 3])},
            {("onnx", None): ImportError("pip install it")},
        )
    )
    assert list(parity.cells(absent, [there, lacking])) == [
        "-: needs a tool",
        "-: needs a tool",
    ]
    row = list(parity.cells(present, [there, lacking]))
    assert row == ["4", "-: pip install it"]


def test_every_format_has_a_row():
    titles = set(parity.rows())
    for kind in hn.export.FORMATS.values():
        for way in kind.bounds:
            called = f"{kind.title} {way}" if way else kind.title
            assert f"{called}, in Python" in titles
