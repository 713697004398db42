import hashlib
import os
import re
import xml.etree.ElementTree as ET

NAME = "{http://schemas.android.com/apk/res/android}name"
# As Gradle publishes it, of the wrapper of 8.13.
WRAPPER = "81a82aaea5abcc8ff68b3dfcb58b3c3c429378efd98e7433460610fecd7ae45f"


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


def test_the_wrapper_is_gradles(android):
    jar = (android / "gradle/wrapper/gradle-wrapper.jar").read_bytes()
    assert hashlib.sha256(jar).hexdigest() == WRAPPER
    assert os.access(android / "gradlew", os.X_OK)
    told = (android / "gradle/wrapper/gradle-wrapper.properties").read_text()
    assert "/gradle-8.13-bin.zip\n" in told
    assert re.search(r"^distributionSha256Sum=[0-9a-f]{64}$", told, re.M)
