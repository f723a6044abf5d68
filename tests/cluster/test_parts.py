"""What the test cluster is made of, as far as it can be looked at without one."""

import http.client
import io
import os
import tarfile
from pathlib import Path

import pytest

from tests.cluster import places, registry
from tests.cluster.images import archive
from tests.cluster.layout import Layout, Settings


@pytest.fixture
def layers(tmp_path: Path) -> list[archive.Layer]:
    """Two layers of a file each."""
    return [layer(tmp_path, name) for name in ("below", "above")]


@pytest.fixture
def image(layers: list[archive.Layer]) -> archive.Image:
    return archive.image("example.test/two:1", layers, env={"PATH": "/bin"})


def layer(folder: Path, name: str, *, age_s: int = 0) -> archive.Layer:
    root = folder / f"{name}-{age_s}"
    root.mkdir()
    (root / name).write_text(name)
    os.utime(root / name, (1_000_000 - age_s, 1_000_000 - age_s))
    path = folder / f"{name}-{age_s}.tar"
    archive.pack(root, path)
    found = archive.find(path)
    assert found is not None
    return found


def members(data: bytes) -> set[str]:
    with tarfile.open(fileobj=io.BytesIO(data)) as tar:
        return set(tar.getnames())


def test_a_fingerprint_knows_names_contents_and_borders(tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    one.write_text("same")
    other.write_text("same")

    prints = {places.fingerprint(parts) for parts in ([one], [other], ["ab", "c"], ["a", "bc"])}

    assert len(prints) == 4


def test_the_same_files_are_the_same_layer_whenever_they_were_made(tmp_path: Path) -> None:
    assert layer(tmp_path, "file").digest == layer(tmp_path, "file", age_s=99).digest


def test_a_layer_that_was_not_packed_to_the_end_is_none(tmp_path: Path) -> None:
    (tmp_path / "half.tar").write_bytes(b"half")

    assert archive.find(tmp_path / "half.tar") is None


def test_an_archive_holds_all_layers_but_those_that_its_reader_has(image: archive.Image) -> None:
    whole, rest = io.BytesIO(), io.BytesIO()
    first, second = (f"blobs/{one.digest.replace(':', '/')}" for one in image.layers)

    archive.write(image, whole)
    archive.write(image, rest, leave_out={image.layers[0].digest})

    assert {first, second, "index.json", "manifest.json"} <= members(whole.getvalue())
    assert members(whole.getvalue()) - members(rest.getvalue()) == {first}


def test_another_layer_is_another_image(image: archive.Image, layers: list[archive.Layer]) -> None:
    assert archive.image(image.name, layers[:1], env={"PATH": "/bin"}).digest != image.digest


def test_a_registry_serves_its_image_under_every_name(image: archive.Image) -> None:
    with registry.serving(image) as served:
        connection = http.client.HTTPConnection("127.0.0.1", served.port, timeout=10)
        connection.request("HEAD", "/v2/any/name/manifests/3")
        head = connection.getresponse()
        head.read()
        connection.request("GET", f"/v2/any/name/blobs/{image.layers[0].digest}")
        content = connection.getresponse().read()
        served.missing = True
        connection.request("GET", "/v2/any/name/manifests/3")
        refused = connection.getresponse()
        refused.read()
        connection.close()

    assert head.headers["Docker-Content-Digest"] == image.digest
    assert content == image.layers[0].path.read_bytes()
    assert refused.status == http.HTTPStatus.NOT_FOUND
    assert served.pulls == ["any/name:3"]


def test_settings_are_those_of_the_last_start(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    settings = Settings(id="0", started="now", kube="k", dns="d", snapshotter="native")

    assert layout.settings() is None
    layout.write_settings(settings)
    assert layout.settings() == settings
