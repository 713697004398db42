import re
import xml.etree.ElementTree as ET

NAME = "{http://schemas.android.com/apk/res/android}name"


def test_modules_are_there(android):
    settings = (android / "settings.gradle.kts").read_text()
    modules = re.findall(r'":(\w+)"', settings)
    assert modules == ["hamming", "hashnet", "sample"]
    for module in modules:
        build = (android / module / "build.gradle.kts").read_text()
        for used in re.findall(r'project\(":(\w+)"\)', build):
            assert used in modules


def test_manifest_names_the_activity(android):
    manifest = ET.parse(android / "sample/src/main/AndroidManifest.xml")
    (activity,) = manifest.iter("activity")
    build = (android / "sample/build.gradle.kts").read_text()
    (package,) = re.findall(r'namespace = "([\w.]+)"', build)
    folder = android / "sample/src/main/kotlin" / package.replace(".", "/")
    source = folder / f"{activity.get(NAME).removeprefix('.')}.kt"
    assert source.read_text().startswith(f"package {package}\n")
