"""What is sent of a folder: its manifest, made or used, its archive, and what is refused before anything is sent."""

from __future__ import annotations

import io
import shutil
import subprocess
import threading
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from archive_tui.archives.datasafe.deposit_source import prepare_deposit
from archive_tui.archives.datasafe.opening import open_folder_safe
from archive_tui.archives.datasafe.retrieving import retrieve_dataset
from archive_tui.errors import (
    IntegrityError,
    InvalidName,
    ManifestError,
    MissingInformationError,
    OperationStopped,
    SourceChanged,
    SourceError,
    SourceNotFound,
)
from archive_tui.manifests.datasafe_manifest import format_datasafe_manifest, parse_datasafe_manifest
from archive_tui.progress import Event, Notice
from tests.archives.datasafe.served_datasafe import PARENT
from tests.operations.packed_trees import read_tree, write_tree

LOI = f"{PARENT}/1"
FILES = {
    "spectrum.dta": b"1 2 3\n",
    "spectrum.dsc": b"DESC\n",
    "below/manifest.json": b"{}",
    "below/empty": b"",
    "manifest.json": b"[]",
    "spectrum.info": b"cwEPR Info file - v. 0.1.4 (2020-01-21)\n",
}


@pytest.fixture(name="folder")
def make_folder(tmp_path: Path) -> Path:
    return write_tree(tmp_path / "measurement", FILES)


def read_zip(chunks: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(chunks)) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist()}


def test_a_folder_without_a_manifest_gets_one(folder: Path) -> None:
    prepared = prepare_deposit(folder, loi=LOI)
    content = b"".join(prepared.chunks())
    sent = read_zip(content)
    manifest = parse_datasafe_manifest(sent.pop("MANIFEST.yaml"))
    assert sent == FILES
    assert manifest == prepared.manifest
    assert manifest.loi == LOI
    assert [each.name for each in manifest.metadata] == ["spectrum.info"]
    assert set(manifest.digests) == set(FILES)
    assert (prepared.files, prepared.archive_size) == (7, len(content))
    assert b"".join(prepared.chunks()) == content, "it can be sent once more"
    assert read_tree(folder) == FILES, "nothing is written"


def test_a_manifest_that_is_there_is_used_to_the_byte(folder: Path) -> None:
    made = format_datasafe_manifest(prepare_deposit(folder, loi=LOI).manifest) + b"# mine\n"
    (folder / "MANIFEST.yaml").write_bytes(made)
    assert read_zip(b"".join(prepare_deposit(folder, loi=LOI).chunks()))["MANIFEST.yaml"] == made


def test_a_manifest_is_not_used_when_it_was_not_named(folder: Path) -> None:
    (folder / "MANIFEST.yaml").write_bytes(b"format: [")
    prepared = prepare_deposit(folder, loi=LOI, names=["spectrum.dta", "below"])
    sent = read_zip(b"".join(prepared.chunks()))
    assert sorted(sent) == ["MANIFEST.yaml", "below/empty", "below/manifest.json", "spectrum.dta"]
    with pytest.raises(ManifestError):
        prepare_deposit(folder, loi=LOI)


@pytest.mark.parametrize("change", ["changed", "missing", "extra", "other dataset"])
def test_a_manifest_that_does_not_fit_is_refused(folder: Path, change: str) -> None:
    loi = LOI if change != "other dataset" else f"{PARENT}/2"
    (folder / "MANIFEST.yaml").write_bytes(format_datasafe_manifest(prepare_deposit(folder, loi=loi).manifest))
    if change == "changed":
        (folder / "spectrum.dta").write_bytes(b"3 2 1\n")
    elif change == "missing":
        (folder / "spectrum.dta").unlink()
    elif change == "extra":
        (folder / "notes").write_bytes(b"1")
    with pytest.raises(IntegrityError) as caught:
        prepare_deposit(folder, loi=LOI)
    assert str(folder) in caught.value.message


@pytest.mark.parametrize(
    ("act", "error"),
    [
        (lambda folder: shutil.rmtree(folder), SourceNotFound),
        (lambda folder: [path.unlink() for path in folder.rglob("*.d*")], None),
        (lambda folder: (folder / "a\\b").touch(), InvalidName),
        (lambda folder: (folder / "con").touch(), InvalidName),
        (lambda folder: (folder / "SPECTRUM.DTA").touch(), InvalidName),
        (lambda folder: (folder / "below/.dataset-record").touch(), InvalidName),
        (lambda folder: [path.unlink() for path in folder.rglob("*") if path.is_file() and path.suffix != ".info"], 0),
    ],
)
def test_what_cannot_be_deposited_is_refused_before_it_is_sent(
    folder: Path, act: Callable[[Path], object], error: type[Exception] | int | None
) -> None:
    act(folder)
    if error is None:
        assert prepare_deposit(folder, loi=LOI).files == 5
        return
    with pytest.raises(MissingInformationError if isinstance(error, int) else error):
        prepare_deposit(folder, loi=LOI)


def test_a_name_that_is_not_there_is_refused(folder: Path) -> None:
    for name in ("absent", "../measurement/spectrum.dta", "/etc/passwd", "", "spectrum"):
        with pytest.raises(SourceNotFound):
            prepare_deposit(folder, loi=LOI, names=[name])


def test_links_are_kept_out_and_said_to_be(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(b"secret")
    (folder / "link").symlink_to(tmp_path / "secret")
    (folder / "below" / "up").symlink_to(tmp_path)
    events: list[Event] = []
    sent = read_zip(b"".join(prepare_deposit(folder, loi=LOI, report=events.append).chunks()))
    assert set(sent) == {*FILES, "MANIFEST.yaml"}
    (notice,) = [event for event in events if isinstance(event, Notice)]
    assert "and 1 more" in notice.text
    with pytest.raises(SourceNotFound):
        prepare_deposit(folder, loi=LOI, names=["link"])


@pytest.mark.parametrize("change", ["grown", "cut", "gone"])
def test_a_file_that_changes_before_it_is_sent_is_an_error(folder: Path, change: str) -> None:
    prepared = prepare_deposit(folder, loi=LOI)
    path = folder / "spectrum.dta"
    if change == "gone":
        path.unlink()
    else:
        path.write_bytes(b"1 2 3\n4" if change == "grown" else b"1")
    with pytest.raises(SourceError) as caught:
        b"".join(prepared.chunks())
    assert change == "gone" or isinstance(caught.value, SourceChanged)


def test_a_file_that_changes_and_keeps_its_length_is_refused_where_it_arrives(folder: Path, tmp_path: Path) -> None:
    safe = open_folder_safe(tmp_path / "safe", create=True)
    loi = safe.reserve(PARENT)
    prepared = prepare_deposit(folder, loi=loi)
    (folder / "spectrum.dta").write_bytes(b"3 2 1\n")
    with pytest.raises(IntegrityError):
        safe.deposit(loi, prepared.chunks())
    assert safe.look(loi).state == "reserved"


def test_a_stop_is_obeyed(folder: Path) -> None:
    stop = threading.Event()
    prepared = prepare_deposit(folder, loi=LOI, stop=stop)
    stop.set()
    with pytest.raises(OperationStopped):
        b"".join(prepared.chunks())
    with pytest.raises(OperationStopped):
        prepare_deposit(folder, loi=LOI, stop=stop)


def pack_make_archive(folder: Path, target: Path) -> None:
    shutil.make_archive(str(target.with_suffix("")), "zip", folder)


def pack_zipfile(folder: Path, target: Path) -> None:
    """Through a stream that cannot be rewound, so that data descriptors follow."""

    class Pipe(io.RawIOBase):
        def __init__(self) -> None:
            self.content = bytearray()

        def writable(self) -> bool:
            return True

        def write(self, data: bytes, /) -> int:  # type: ignore[override]
            self.content += data
            return len(data)

    pipe = Pipe()
    with zipfile.ZipFile(pipe, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(folder.rglob("*")):
            archive.write(path, path.relative_to(folder))
    target.write_bytes(pipe.content)


def pack_info_zip(folder: Path, target: Path) -> None:
    if shutil.which("zip") is None:
        pytest.skip("zip is not installed: apt-get install zip")
    subprocess.run(["zip", "-qr", str(target), "."], cwd=folder, check=True)


def pack_info_zip_stream(folder: Path, target: Path) -> None:
    if shutil.which("zip") is None:
        pytest.skip("zip is not installed: apt-get install zip")
    packed = subprocess.run(["zip", "-qr", "-", "."], cwd=folder, check=True, capture_output=True)
    target.write_bytes(packed.stdout)


@pytest.mark.parametrize("pack", [pack_make_archive, pack_zipfile, pack_info_zip, pack_info_zip_stream])
def test_archives_of_other_programs_are_taken(folder: Path, tmp_path: Path, pack: Callable[[Path, Path], None]) -> None:
    safe = open_folder_safe(tmp_path / "safe", create=True)
    loi = safe.reserve(PARENT)
    (folder / "MANIFEST.yaml").write_bytes(format_datasafe_manifest(prepare_deposit(folder, loi=loi).manifest))
    pack(folder, tmp_path / "packed.zip")
    receipt = safe.deposit(loi, [(tmp_path / "packed.zip").read_bytes()])
    assert receipt.files == 7
    archive = safe.archive(loi)
    with archive.store.open(archive.key) as reader:
        handed_out = reader.read()
    assert handed_out == b"".join(prepare_deposit(folder, loi=loi).chunks()), "whatever packed it"
    (tmp_path / "out").mkdir()
    assert read_tree(retrieve_dataset(safe, loi, into=tmp_path / "out").folder) == read_tree(folder)
