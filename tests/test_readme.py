import pathlib
import re

README = pathlib.Path(__file__).parents[1] / "README.md"


EXAMPLES = re.findall(r"```python\n(.*?)```", README.read_text(), re.S)


def test_every_example_is_tried():
    assert len(EXAMPLES) == 3


def test_rivals_encode():
    names = {}
    exec(compile(EXAMPLES[2], str(README), "exec"), names)
    assert names["codes"].shape == (200, 6)


def test_example_runs(tmp_path, monkeypatch, capsys):
    example, client, _ = EXAMPLES
    monkeypatch.chdir(tmp_path)
    # It needs a server, which the client's own tests have.
    assert "encode_files" in compile(client, str(README), "exec").co_names
    names = {}
    exec(compile(example, str(README), "exec"), names)
    assert names["report"].map > 0.9
    assert names["distances"].shape == (200, 10)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "encoder",
        "encoder.tflite",
    ]
    assert "MAP@1000" in capsys.readouterr().out
