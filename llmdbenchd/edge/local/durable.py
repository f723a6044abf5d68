"""The local room's pen: what it wrote is on disk, whole, or not there at all.

Imported by the shim: standard library only, and nothing that takes long to import.
"""

import os


def read(path: str) -> bytes:
    """All bytes of a file.

    Raises:
        OSError: among them FileNotFoundError.
    """
    with open(path, "rb") as file:  # noqa: PTH123 -- pathlib imports slowly
        return file.read()


def write(path: str, content: bytes) -> None:
    """Temporary name, fsync, rename, fsync of the folder.

    Raises:
        OSError: a full disk, a folder that is gone; `path` is as it was.
    """
    folder, _, name = path.rpartition("/")
    temporary = f"{folder}/.{name}.{os.urandom(4).hex()}"
    try:
        _write_new(temporary, content)
        os.replace(temporary, path)  # noqa: PTH105 -- pathlib imports slowly
    except OSError:
        if os.access(temporary, os.F_OK):
            os.unlink(temporary)  # noqa: PTH108 -- pathlib imports slowly
        raise
    sync_folder(folder)


def sync_folder(folder: str) -> None:
    """Make the names in a folder durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _write_new(path: str, content: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o640)
    try:
        left = memoryview(content)
        while left:
            left = left[os.write(descriptor, left) :]
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
