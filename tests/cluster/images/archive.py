"""Archives of images: layers put together as containerd, kind and docker read them."""

import hashlib
import io
import json
import os
import platform
import tarfile
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

_MEDIA = "application/vnd.oci.image"
_MACHINES = {"x86_64": "amd64", "aarch64": "arm64"}


@dataclass(frozen=True, slots=True)
class Layer:
    """A tar file whose files lie over those of the layers before it.

    Attributes:
        digest: `sha256:` and hexadecimal digits, of the file.
        size: in bytes.
    """

    path: Path
    digest: str
    size: int


@dataclass(frozen=True, slots=True)
class Image:
    """What an archive of one image holds.

    Attributes:
        name: the reference by which a pod names it.
        digest: of its manifest, as containerd lists it.
        media: of its manifest.
        files: the small files of the archive, by path.
    """

    name: str
    digest: str
    media: str
    files: Mapping[str, bytes]
    layers: tuple[Layer, ...]


def pack(root: Path, into: Path) -> None:
    """Write the files below `root` as a layer, its digest beside it. Owner is root, times are 0."""
    half = into.with_name(f".{into.name}.{os.getpid()}")
    with tarfile.open(half, "w", format=tarfile.PAX_FORMAT) as tar:
        for path in sorted(root.rglob("*")):
            tar.add(path, str(path.relative_to(root)), recursive=False, filter=_anonymous)
    with half.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    half.rename(into)
    _digest_file(into).write_text(f"sha256:{digest}", encoding="utf-8")


def find(path: Path) -> Layer | None:
    """A layer that was packed to the end, None if there is none."""
    try:
        return Layer(path, _digest_file(path).read_text(encoding="utf-8"), path.stat().st_size)
    except FileNotFoundError:
        return None


def image(
    name: str, layers: Sequence[Layer], *, env: Mapping[str, str], entrypoint: Sequence[str] = ()
) -> Image:
    """The image of these layers, the lowest first."""
    files: dict[str, bytes] = {}
    config = _put(files, "config.v1+json", _config(layers, env, entrypoint))
    manifest = {
        "schemaVersion": 2,
        "mediaType": f"{_MEDIA}.manifest.v1+json",
        "config": config,
        "layers": [_reference("layer.v1.tar", layer.digest, layer.size) for layer in layers],
    }
    top = _put(files, "manifest.v1+json", manifest)
    annotations = {
        "io.containerd.image.name": name,
        "org.opencontainers.image.ref.name": name.rpartition(":")[2],
    }
    for_docker = {
        "Config": _place(config["digest"]),
        "RepoTags": [name],
        "Layers": [_place(layer.digest) for layer in layers],
    }
    index = {"schemaVersion": 2, "manifests": [{**top, "annotations": annotations}]}
    files["oci-layout"] = _json({"imageLayoutVersion": "1.0.0"})
    files["index.json"] = _json(index)
    files["manifest.json"] = _json([for_docker])
    return Image(name, top["digest"], top["mediaType"], files, tuple(layers))


def write(image: Image, file: IO[bytes], *, leave_out: Collection[str] = ()) -> None:
    """Write an image's archive into a file or a pipe, without the layers that its reader has."""
    with tarfile.open(fileobj=file, mode="w|", format=tarfile.PAX_FORMAT) as tar:
        for name, data in image.files.items():
            _add(tar, name, len(data), io.BytesIO(data))
        for layer in image.layers:
            if layer.digest not in leave_out:
                with layer.path.open("rb") as content:
                    _add(tar, _place(layer.digest), layer.size, content)


def blobs(image: Image) -> dict[str, bytes]:
    """The content of all that a registry serves of an image, by digest."""
    small = {
        f"sha256:{name.rpartition('/')[2]}": data
        for name, data in image.files.items()
        if name.startswith("blobs/")
    }
    return small | {layer.digest: layer.path.read_bytes() for layer in image.layers}


def _add(tar: tarfile.TarFile, name: str, size: int, content: IO[bytes]) -> None:
    info = tarfile.TarInfo(name)
    info.size = size
    tar.addfile(info, content)


def _digest_file(path: Path) -> Path:
    return path.with_suffix(".digest")


def _config(
    layers: Sequence[Layer], env: Mapping[str, str], entrypoint: Sequence[str]
) -> dict[str, object]:
    process: dict[str, object] = {"Env": [f"{key}={value}" for key, value in env.items()]}
    if entrypoint:
        process["Entrypoint"] = list(entrypoint)
    machine = platform.machine()
    return {
        "architecture": _MACHINES.get(machine, machine),
        "os": "linux",
        "config": process,
        "rootfs": {"type": "layers", "diff_ids": [layer.digest for layer in layers]},
        "history": [{"created_by": "llmdbenchd's test cluster"} for _ in layers],
    }


def _put(files: dict[str, bytes], media: str, content: object) -> dict[str, Any]:
    data = _json(content)
    digest = f"sha256:{hashlib.sha256(data).hexdigest()}"
    files[_place(digest)] = data
    return _reference(media, digest, len(data))


def _reference(media: str, digest: str, size: int) -> dict[str, Any]:
    return {"mediaType": f"{_MEDIA}.{media}", "digest": digest, "size": size}


def _place(digest: str) -> str:
    return f"blobs/{digest.replace(':', '/')}"


def _json(content: object) -> bytes:
    return json.dumps(content, sort_keys=True).encode()


def _anonymous(info: tarfile.TarInfo) -> tarfile.TarInfo:
    info.uid = info.gid = 0
    info.uname = info.gname = ""
    info.mtime = 0
    return info
