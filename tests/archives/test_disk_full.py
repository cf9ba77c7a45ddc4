"""No room: in the archive, where a version is fetched to, and in the local_path of a client. The program says so,
leaves nothing half-done, and the same command works once there is room."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.archives.faults.commands import ROOT, Finished, Tracer, program_environment, publish_words, run_program
from tests.archives.faults.places import FOLDER, check_only_whole_versions, make_place, tree_of, write_source

NAME = "winds"
BIG = 6_000_000
NAMESPACES = (("unshare", "-Urm", "--map-root-user"), ("unshare", "-m"))


@pytest.fixture(scope="module")
def namespace() -> tuple[str, ...]:
    """The command in front of another that lets it mount a file system of its own."""
    for command in NAMESPACES:
        trial = [*command, "mount", "-t", "tmpfs", "tmpfs", "/mnt"]
        try:
            if subprocess.run(trial, capture_output=True, check=False).returncode == 0:
                return command
        except FileNotFoundError:
            break
    return pytest.skip("no file system may be mounted here; the tests below inject the same error by strace")


def play(scenario: str, folder: Path, namespace: tuple[str, ...]) -> list[dict[str, Any]]:
    (folder / "small").mkdir()
    command = [*namespace, sys.executable, "-m", "tests.archives.faults.full_disk", scenario, str(folder)]
    finished = subprocess.run(
        command, cwd=ROOT, env=program_environment(), capture_output=True, text=True, timeout=120, check=False
    )
    assert finished.returncode == 0, finished.stderr
    return list(json.loads(finished.stdout))


def write_settings(folder: Path, *, area: str, local_path: str) -> None:
    (folder / "settings.ini").write_text(
        "[lab]\nstorage_client = archive_tui.core.LocalStorageClient\n"
        f"storage_area = {folder / area}\nlocal_path = {folder / local_path}\n"
    )


def check_full(step: dict[str, Any], *parts: str) -> None:
    Finished(step["status"], step["out"], step["err"]).check_refusal("oom", *parts)


def test_publish_into_an_archive_without_room(tmp_path: Path, namespace: tuple[str, ...]) -> None:
    write_settings(tmp_path, area="small/archive", local_path="work")
    write_source(tmp_path / "little", "little", size=100_000)
    write_source(tmp_path / "big", "big", size=BIG)
    first, full, still, again, verified = play("archive", tmp_path, namespace)
    assert first["status"] == 0, first
    assert full["status"] == 1
    assert json.loads(full["out"])["error"]["code"] == "storage-full"
    assert json.loads(full["out"])["error"]["hint"]
    assert full["files"] == first["files"] == [f"archive/{NAME}.0.0.1.manifest.json", f"archive/{NAME}.0.0.1.zip"]
    assert still["status"] == 0, still
    assert json.loads(again["out"])["version"] == "0.0.2"
    assert len(again["files"]) == 4
    assert verified["status"] == 0, verified


@pytest.mark.parametrize("scenario", ["fetch", "names"])
def test_fetch_into_a_folder_without_room(scenario: str, tmp_path: Path, namespace: tuple[str, ...]) -> None:
    write_settings(tmp_path, area="archive", local_path="work")
    source = write_source(tmp_path / "big", "big", size=BIG)
    for number in range(100):
        (source / f"{number}.txt").write_text(str(number))
    full, again, verified = play(scenario, tmp_path, namespace)
    check_full(full)
    assert full["files"] == []
    assert again["status"] == 0, again
    assert sorted(again["files"]) == sorted(f"{NAME}.0.0.1/{path}" for path in [*tree_of(source), "manifest.json"])
    assert verified["status"] == 0, verified


@pytest.mark.parametrize("scenario", ["no-room-for-folder", "no-room-for-zip"])
def test_upload_dataset_from_a_local_path_without_room(
    scenario: str, tmp_path: Path, namespace: tuple[str, ...]
) -> None:
    write_settings(tmp_path, area="archive", local_path="small")
    write_source(tmp_path / "big", "big", size=BIG)
    before, full, again = play(scenario, tmp_path, namespace)
    assert full.get("error") == "StorageFull", full
    assert full["hint"]
    assert full["files"] == before["files"]
    assert full["stored"] == []
    assert again["returned"].endswith(f"{NAME}.0.0.1.zip")
    assert again["stored"] == [f"{NAME}.0.0.1.manifest.json", f"{NAME}.0.0.1.zip"]


@pytest.fixture
def tracer(tmp_path: Path) -> Tracer:
    return Tracer(tmp_path)


@pytest.mark.parametrize("error", ["ENOSPC", "EDQUOT"])
@pytest.mark.parametrize("fault", ["write:{}:when=2", "write:{}:when=4", "fsync:{}:when=1", "linkat:{}", "mkdirat:{}"])
def test_publish_meets_a_full_disk_at_a_step(
    fault: str, error: str, tracer: Tracer, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    place = make_place(FOLDER, tmp_path / "place", request)
    words = publish_words("sub/" + NAME, write_source(tmp_path / "source", 1, size=20_000))
    path = f"{NAME}.0.0.1.zip" if fault.startswith("linkat") else ""
    full = tracer.run(place.folder, *words, inject=fault.format(f"error={error}"), path=path)
    assert full.status == 1, (full.out, full.err)
    assert full.document["error"]["code"] == "storage-full"
    assert full.document["error"]["hint"]
    with place.open_store() as store:
        assert check_only_whole_versions(store, "sub/" + NAME) == []
    assert place.temporary_entries() == []
    assert run_program(place.folder, *words).document["outcome"] == "published"


@pytest.mark.parametrize(
    "fault", ["write:error=ENOSPC:when=3", "mkdir:error=ENOSPC:when=1", "fsync:error=ENOSPC:when=2"]
)
def test_fetch_meets_a_full_disk_at_a_step(
    fault: str, tracer: Tracer, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    place = make_place(FOLDER, tmp_path / "place", request)
    source = write_source(tmp_path / "source", 1, size=20_000)
    assert run_program(place.folder, *publish_words(NAME, source)).status == 0
    words = ("dataset", "fetch", "lab", NAME, "--to", "there", "--quiet")
    there = place.folder / "there"
    path = str(there) if fault.startswith("mkdir:") else ""  # the state folder is made before, and may be missing
    full = tracer.run(place.folder, *words, inject=fault, path=path)
    full.check_refusal("oom")
    assert not there.exists() or list(there.iterdir()) == []
    assert run_program(place.folder, *words).status == 0
    assert tree_of(there / f"{NAME}.0.0.1") == tree_of(source)


UPLOAD = """
from archive_tui.core import new_storage_client
try:
    new_storage_client("lab", "settings.ini").upload_dataset("winds")
except Exception as error:
    print(type(error).__name__, error.hint, sep=": ")
"""


@pytest.mark.parametrize("fault", ["write:when=1", "write:when=2", "write:when=4", "fsync:when=2"])
def test_upload_dataset_meets_a_full_disk_at_a_step(fault: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    uploader = (sys.executable, "-c", UPLOAD)
    place = make_place(FOLDER, tmp_path / "place", request)
    place.archive.mkdir()
    source = place.local_path / NAME
    write_source(source, 1, size=20_000)
    full = Tracer(tmp_path, program=uploader).run(place.folder, inject=fault.replace(":", ":error=ENOSPC:"))
    assert full.out.startswith("StorageFull: "), (full.out, full.err)
    assert len(full.out) > len("StorageFull: \n")
    assert [path.name for path in place.local_path.iterdir()] == [NAME]
    again = run_program(place.folder, program=uploader)
    assert (again.status, again.out) == (0, ""), again.err
    with place.open_store() as store:
        assert check_only_whole_versions(store, NAME) == ["0.0.1"]
