import pathlib
import re

README = pathlib.Path(__file__).parents[1] / "README.md"


def test_example_runs(tmp_path, monkeypatch, capsys):
    example, client = re.findall(
        r"```python\n(.*?)```", README.read_text(), re.S
    )
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
