"""The contract of the vault's commands, row by row, from outside: real processes, real files, real servers."""

from __future__ import annotations

import hashlib
import json
import os
import random
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from archive_tui.names.content_address import content_key
from archive_tui.objects.folder.store import FolderStore
from tests.archives.faults.commands import PROGRAM, Finished, program_environment, start_program, wait_for
from tests.archives.vault.conftest import (
    AZURITE,
    FOLDER,
    MOTO,
    RCLONE,
    SEAWEEDFS,
    VaultPlace,
    digest_of,
    make_vault_place,
    small_contents,
)

PATIENCE = 600.0
FILES = 300
MANY_FILES = 20_000
STORES = (FOLDER, MOTO, SEAWEEDFS, RCLONE, AZURITE)

AWKWARD = {
    name: name.encode("utf-8", "surrogateescape")
    for name in (
        "plain", "two words", "new\nline", "carriage\rreturn", "back\\slash", '"quotes"', "'single'", " leading",
        "-dash", "*star", "\udcff\udcfe not UTF-8", "unicode/é e\u0301 日本", "CON", "end.", "deep/er/and/deeper/x",
        "\x1b[31mred", "#comment", "~",
    )
} | {"empty": b"", "twin": b"plain"}  # fmt: skip


@dataclass(frozen=True)
class Lab:
    """A folder with settings, in which `lab` is a vault on some store; files are in `here`."""

    folder: Path
    place: VaultPlace

    @property
    def here(self) -> Path:
        return self.folder / "here"

    def run(self, *words: str, status: int | None = 0) -> Finished:
        settings = str(self.folder / "settings.ini")
        done = subprocess.run(
            [*PROGRAM, "manifest", *words, "--settings", settings], cwd=self.here, env=program_environment(),
            capture_output=True, timeout=PATIENCE, check=False, stdin=subprocess.DEVNULL,
        )  # fmt: skip
        found = Finished(done.returncode, os.fsdecode(done.stdout), os.fsdecode(done.stderr))
        assert status is None or found.status == status, found
        assert "mistake in archive-tui" not in found.err
        return found

    def write(self, contents: dict[str, bytes]) -> None:
        for name, content in contents.items():
            path = Path(os.fsdecode(os.fsencode(self.here / name)))
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)

    def wipe(self) -> None:
        shutil.rmtree(self.here)
        self.here.mkdir()

    def files(self) -> dict[str, bytes]:
        found = [Path(folder, name) for folder, _, names in os.walk(self.here) for name in names]
        return {str(path.relative_to(self.here)): path.read_bytes() for path in found}


@pytest.fixture
def lab(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Lab]:
    made = make_vault_place(getattr(request, "param", FOLDER), tmp_path, request)
    keys = "".join(f"{key} = {value}\n" for key, value in {**made.settings, "local_path": "."}.items())
    (tmp_path / "settings.ini").write_text(f"[lab]\n{keys}[archive-tui]\nvault = lab\n")
    (tmp_path / "here").mkdir()
    yield Lab(tmp_path, made)
    made.store.close()


two_stores = pytest.mark.parametrize("lab", [FOLDER, SEAWEEDFS], indirect=True)


@pytest.mark.parametrize(
    ("lab", "dialect"),
    [(FOLDER, "quoted"), (FOLDER, "sha256sum"), (FOLDER, "bsd"), (FOLDER, "json"), (SEAWEEDFS, "quoted")],
    indirect=["lab"],
)
def test_awkward_names_archive_wipe_fetch(lab: Lab, dialect: str) -> None:
    lab.write(AWKWARD)
    lab.run("--create", "--dir", ".", "--recursive", "--format", dialect, "--manifest", "../list")
    lab.run("--archive", "--manifest", "../list")
    lab.wipe()
    assert lab.run("--vault", "--manifest", "../list", "--quiet").out == ""
    lab.run("--fetch", "--manifest", "../list")
    assert lab.files() == AWKWARD
    lab.run("--check", "--manifest", "../list")
    assert "0 fetched" in lab.run("--fetch", "--manifest", "../list").out


def archive_wipe_fetch(lab: Lab, count: int) -> None:
    contents = small_contents(count)
    lab.write(contents)
    lab.run("--create", "--dir", "data", "--manifest", "../list")
    first = lab.run("--archive", "--manifest", "../list", "--json", "--quiet").document
    assert (first["counts"], first["lines"]) == ({"uploaded": count}, [])
    again = lab.run("--archive", "--manifest", "../list", "--json", "--quiet").document
    assert again["counts"] == {"already there": count}
    lab.wipe()
    asked = lab.run("--vault", "--manifest", "../list", "--json", "--quiet").document
    assert asked["counts"] == {"in the vault": count}
    fetched = lab.run("--fetch", "--manifest", "../list", "--json", "--quiet").document
    assert (fetched["counts"], fetched["lines"]) == ({"fetched": count}, [])
    assert lab.files() == contents


@pytest.mark.parametrize("lab", STORES, indirect=True)
def test_archive_wipe_fetch(lab: Lab) -> None:
    archive_wipe_fetch(lab, FILES)


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("lab", STORES, indirect=True)
def test_archive_wipe_fetch_of_very_many_files(lab: Lab) -> None:
    archive_wipe_fetch(lab, MANY_FILES)


@two_stores
def test_the_row_vault(lab: Lab) -> None:
    lab.write({"there": b"there", "gone": b"gone"})
    lab.run("--create", "there", "gone", "--manifest", "../list")
    lab.run("--create", "there", "--manifest", "../one")
    lab.run("--archive", "--manifest", "../one")
    done = lab.run("--vault", "--manifest", "../list", "--storage", "lab")
    assert "gone: not in the vault\n" in done.out
    assert "there: in the vault (" in done.out
    assert "WARNING: 1 listed file not in the vault" in done.err
    missing = lab.run("--vault", "--manifest", "../nowhere", status=1)
    assert "nowhere" in missing.err
    assert lab.place.keys() == [content_key(digest_of(b"there"))]


@two_stores
def test_the_row_archive(lab: Lab) -> None:
    lab.write({"a": b"a", "b": b"b", "changed": b"before"})
    lab.run("--create", "a", "b", "changed", "--manifest", "../list")
    lab.write({"changed": b"after!"})
    done = lab.run("--archive", "--manifest", "../list", status=1)
    assert "changed: changed\n" in done.out
    assert "../list: 3: " in done.err
    assert lab.place.keys() == sorted(content_key(digest_of(content)) for content in (b"a", b"b"))
    lab.run("--archive", "--manifest", "../nowhere", status=1)
    assert "--path" in lab.run("--archive", "--manifest", "../list", "--all", status=2).err
    lab.write({"changed": b"before"})
    assert "1 uploaded" in lab.run("--archive", "--manifest", "../list").out
    copied = lab.run("--archive", "--manifest", "../list", "--path", "lab:copy", "--all")
    assert "3 uploaded" in copied.out
    again = lab.run("--archive", "--manifest", "../list", "--path", "lab:copy", "--all")
    assert "3 already there" in again.out
    copied_keys = sorted(entry.key for entry in lab.place.store.list("copy/"))
    assert copied_keys == ["copy/a", "copy/b", "copy/changed"]


@pytest.mark.parametrize("lab", [MOTO, SEAWEEDFS], indirect=True)
def test_archiving_to_a_bucket_by_its_address(lab: Lab) -> None:
    lab.write({"a": b"a"})
    lab.run("--create", "a", "--manifest", "../list")
    bucket, prefix = lab.place.settings["bucket"], lab.place.settings["prefix"]
    lab.run("--archive", "--manifest", "../list", "--path", f"s3://{bucket}/{prefix}/copy", "--all")
    assert lab.place.keys() == ["copy/a"]


@two_stores
def test_the_row_fetch(lab: Lab) -> None:
    contents = {"a": b"a", "b": b"b", "sub/c": b"a"}
    lab.write(contents)
    lab.run("--create", "a", "b", "sub/c", "--manifest", "../list")
    lab.run("--archive", "--manifest", "../list")
    os.utime(lab.here / "a", (1, 1))
    lab.write({"b": b"another"})
    (lab.here / "sub" / "c").unlink()
    done = lab.run("--fetch", "--manifest", "../list", status=1)
    assert "a: already there\nb: exists\nsub/c: fetched\n" in done.out
    assert lab.files() == {**contents, "b": b"another"}
    assert (lab.here / "a").stat().st_mtime == 1
    lab.run("--fetch", "--manifest", "../list", "--overwrite", "--storage", "lab")
    assert lab.files() == contents
    lab.run("--fetch", "--manifest", "../nowhere", status=1)
    lab.run("--fetch", "--manifest", "../list", "--root", "new")
    assert (lab.here / "new" / "sub" / "c").read_bytes() == b"a"
    absent = digest_of(b"absent")
    (lab.folder / "list").write_text(f"{absent}  absent\n{digest_of(b'a')}  present\n")
    done = lab.run("--fetch", "--manifest", "../list", status=1)
    assert "absent: not in the vault\npresent: fetched\n" in done.out
    assert not (lab.here / "absent").exists()


@pytest.mark.parametrize("name", ["/tmp/escape", "../escape", "a/../../escape", "link/escape"])
def test_nothing_is_written_outside(lab: Lab, name: str) -> None:
    lab.write({"a": b"a"})
    lab.run("--create", "a", "--manifest", "../list")
    lab.run("--archive", "--manifest", "../list")
    (lab.here / "link").symlink_to("..")
    before = sorted(os.listdir(lab.folder))  # noqa: PTH208
    document = {"files": [{"path": name, "sha256": digest_of(b"a")}, {"path": "good", "sha256": digest_of(b"a")}]}
    (lab.folder / "list").write_text(json.dumps(document))
    done = lab.run("--fetch", "--manifest", "../list", "--format", "json", "--overwrite", status=1)
    assert "good: fetched\n" in done.out
    assert "../list: 1: " in done.err
    assert sorted(os.listdir(lab.folder)) == before  # noqa: PTH208
    assert not Path("/tmp/escape").exists()


@pytest.mark.parametrize("lab", STORES, indirect=True)
def test_a_flipped_byte_in_a_stored_object(lab: Lab) -> None:
    contents = {"a": b"content of a", "b": b"content of b"}
    lab.write(contents)
    lab.run("--create", "a", "b", "--manifest", "../list")
    lab.run("--archive", "--manifest", "../list")
    found = lab.place.spoil(digest_of(contents["a"]), b"content_of a")
    lab.wipe()
    done = lab.run("--fetch", "--manifest", "../list", status=1)
    assert "a: damaged\nb: fetched\n" in done.out
    for part in (digest_of(contents["a"]), found, content_key(digest_of(contents["a"]))):
        assert part in done.err
    assert lab.files() == {"b": contents["b"]}
    assert "a: damaged\n" in lab.run("--vault", "--manifest", "../list", status=1).out
    assert lab.run("--archive", "--manifest", "../list", status=None).status == 1
    assert len(lab.place.keys()) == 2


def test_standard_input_and_closed_output(lab: Lab) -> None:
    lab.write({"a": b"a"})
    lab.run("--create", "a", "--manifest", "../list")
    words = ["manifest", "--archive", "--manifest", "-", "--settings", str(lab.folder / "settings.ini")]
    with (lab.folder / "list").open("rb") as source:
        done = subprocess.run(
            [*PROGRAM, *words], cwd=lab.here, env=program_environment(), stdin=source, capture_output=True, check=False
        )
    assert (done.returncode, done.stdout.splitlines()[0]) == (0, b"a: uploaded (read and verified)")
    (lab.folder / "many").write_text("".join(f"{digest_of(b'a')}  a\n" for _ in range(20_000)))
    words[words.index("-")] = "../many"
    process = start_program(lab.here, *words)
    assert process.stdout is not None and process.stderr is not None
    process.stdout.close()
    with process.stderr:
        assert process.wait(timeout=PATIENCE) == 141


def check_whole(lab: Lab, contents: dict[str, bytes]) -> None:
    """Every file with a name of its own is whole; what else lies there is temporary."""
    for name, content in lab.files().items():
        if not Path(name).name.startswith(".archive-tui-"):
            assert hashlib.sha256(content).digest() == hashlib.sha256(contents[name]).digest(), name


def kill_fetches(lab: Lab, rounds: int) -> None:
    chance = random.Random(20261122)
    contents = small_contents(300) | {"data/large": chance.randbytes(12 << 20)}
    lab.write(contents)
    lab.run("--create", "--dir", "data", "--manifest", "../list")
    lab.run("--archive", "--manifest", "../list", "--quiet")
    words = ("manifest", "--fetch", "--manifest", "../list", "--settings", str(lab.folder / "settings.ini"))
    lab.wipe()
    begun = time.monotonic()
    lab.run("--fetch", "--manifest", "../list", "--quiet")
    whole = time.monotonic() - begun
    killed, attempts = 0, 0
    while killed < rounds:
        lab.wipe()
        process = start_program(lab.here, *words)
        time.sleep(chance.uniform(0.25, 0.95) * whole)
        process.send_signal(signal.SIGKILL)
        if wait_for(process).was_killed:
            killed += 1
        else:
            whole *= 0.8  # the machine has become faster since it was measured
        check_whole(lab, contents)
        lab.run("--fetch", "--manifest", "../list", "--quiet")
        assert lab.files() == contents
        attempts += 1
        assert attempts < 10 * rounds


@pytest.mark.parametrize(("lab", "rounds"), [(FOLDER, 3), (SEAWEEDFS, 2)], indirect=["lab"])
def test_killed_in_the_middle(lab: Lab, rounds: int) -> None:
    kill_fetches(lab, rounds)


@pytest.mark.slow
@pytest.mark.timeout(1800)
@two_stores
def test_killed_very_often(lab: Lab) -> None:
    kill_fetches(lab, 100)


def test_ctrl_c_says_how_far_it_came_and_repeating_continues(lab: Lab) -> None:
    contents = small_contents(3000)
    for content in contents.values():
        path = Path(lab.place.settings["storage_area"]) / content_key(digest_of(content))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    lines = [f"{digest_of(content)}  {name}\n" for name, content in contents.items()]
    (lab.folder / "list").write_text("".join(lines))
    words = ("manifest", "--fetch", "--manifest", "../list", "--settings", str(lab.folder / "settings.ini"))
    process = start_program(lab.here, *words)
    deadline = time.monotonic() + PATIENCE
    while len(list(lab.here.rglob("*.txt"))) < 50 and time.monotonic() < deadline:
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    done = wait_for(process)
    assert done.status == 130
    assert "archive-tui: Stopped after " in done.err
    assert "The same command again does the rest." in done.err
    assert 0 < len(lab.files()) < 3000
    assert not [name for name in lab.files() if ".archive-tui-" in name]
    document: Any = lab.run("--fetch", "--manifest", "../list", "--json", "--quiet").document
    assert document["counts"]["already there"] >= len(done.out.splitlines())
    assert lab.files() == contents


def test_a_vault_in_a_folder_is_as_the_contract_says(lab: Lab) -> None:
    lab.write({"two": b"2"})
    lab.run("--create", "two", "--manifest", "../list")
    lab.run("--archive", "--manifest", "../list")
    store = lab.place.store
    assert isinstance(store, FolderStore)
    key = "object/d4/73/5e3a/265e16ee/e03f59718b9b5d03019c07d8b6c51f90da3a666eec13ab35"
    assert store.local_path(key).read_bytes() == b"2"
