"""What programs of users do with a datasafe: they write measurements, and pack them with the tools of Python."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from pathlib import Path

from archive_tui.datasafe import Manifest

LOI = "42.1001/ds/exp/sa/42/cwepr/1"
KIND = "42.1001/ds/exp/sa/42/cwepr/"
INFO = "cwEPR Info file - v. 0.1.4 (2020-01-21)"
RIGHT = {"data": True, "all": True}


def write_files(folder: Path, files: Mapping[str, str | bytes]) -> None:
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())


def write_dataset(
    folder: Path, data: Mapping[str, str] | None = None, metadata: Mapping[str, str] | None = None, loi: str = ""
) -> Path:
    """Files and their manifest; without more said, two empty files whose names say nothing."""
    data = {"foo": ""} if data is None else data
    metadata = {"bar": ""} if metadata is None else metadata
    write_files(folder, {**data, **metadata})
    manifest = Manifest(str(folder))
    manifest.data_filenames, manifest.metadata_filenames, manifest.loi = list(data), list(metadata), loi
    manifest.to_file()
    return folder


def pack(folder: Path) -> bytes:
    """As programs pack: with deflate, in the order of the file system, times of today."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in folder.rglob("*"):
            archive.write(path, path.relative_to(folder))
    return target.getvalue()


def unpack(content: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist() if not name.endswith("/")}


def files_below(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
