import numpy as np
import pytest
from PIL import Image

import hashnet_tf as hn
from hashnet_tf.runs.forecast import tell_forecast


@pytest.fixture
def photos(tmp_path):
    for i in range(12):
        path = tmp_path / "ab"[i % 2] / f"{i}.png"
        path.parent.mkdir(exist_ok=True)
        Image.new("RGB", (150, 120)).save(path)
    return tmp_path


def test_settings_go_by_the_pictures(photos):
    settings = hn.runs.photograph_settings(photos)
    assert (settings["image_size"], settings["batch_size"]) == (128, 3)
    config = hn.runs.TrainingConfig(f"folder:{photos}", **settings)
    assert config.backbone == "MobileNetV2"
    assert config.standardize and config.freeze_backbone
    for i in range(600):
        Image.new("RGB", (150, 250)).save(photos / "a" / f"more{i}.png")
    settings = hn.runs.photograph_settings(photos)
    assert (settings["image_size"], settings["batch_size"]) == (160, 128)
    few = hn.runs.photograph_settings(photos, train_per_class=10)
    assert few["batch_size"] == 5
    for part, count in (("train", 16), ("test", 200)):
        for i in range(count):
            path = photos / "split" / part / "ab"[i % 2] / f"{i}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.new("RGB", (150, 120)).save(path)
    settings = hn.runs.photograph_settings(photos / "split")
    assert settings["batch_size"] == 4
    with pytest.raises(FileNotFoundError, match="Received: no .*gone"):
        hn.runs.photograph_settings(photos / "gone")


def forecast(config, backbone, count, features, capsys):
    images = hn.datasets.ArrayImages(
        np.zeros((count, 8, 8, 3), np.uint8), np.arange(count) % 2
    )
    tell_forecast(config, backbone, images, 70, 128, features)
    return capsys.readouterr().out


def test_a_forecast(config_of, tiny_backbone, tmp_path, capsys):
    backbone = tiny_backbone((8, 8, 3))
    frozen = config_of(freeze_backbone=True, weights="w.h5")
    told = forecast(frozen, backbone, 1000, tmp_path, capsys)
    assert told.startswith("Features of 1,000 images: about ")
    assert "then 70 short steps on them" in told
    assert "The whole network (--no-freeze_backbone): about " in told
    whole = config_of(weights="w.h5")
    told = forecast(whole, backbone, 1000, tmp_path, capsys)
    assert told.startswith("The whole network: about ")
    assert "(--freeze_backbone): about" in told
    told = forecast(config_of(), backbone, 1000, tmp_path, capsys)
    assert "freeze_backbone" not in told
    # Done before it could be told.
    assert not forecast(frozen, backbone, 100, tmp_path, capsys)
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "b.npy").touch()
    assert not forecast(frozen, backbone, 1000, tmp_path, capsys)
    assert forecast(whole, backbone, 1000, tmp_path, capsys)
