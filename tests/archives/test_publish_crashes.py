"""The program killed at every numbered step and at any moment: what was acknowledged stays, nothing half-done shows,
and the same command finishes the work."""

from __future__ import annotations

import os
import random
import shutil
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from archive_tui.archives.datasets.verifying import verify_version
from archive_tui.integrity.report import Verdict
from archive_tui.objects.folder.kept_parts import is_kept_name
from tests.archives.faults.commands import (
    PROGRAM,
    Finished,
    Tracer,
    program_environment,
    publish_words,
    run_program,
    start_program,
    wait_for,
)
from tests.archives.faults.places import (
    AZURITE,
    CREATE_ONLY,
    FOLDER,
    SEAWEEDFS,
    Place,
    check_only_whole_versions,
    make_place,
    tree_of,
    visible_keys,
    write_source,
)
from tests.servers.terminal import TerminalSession

NAME = "winds"
WORKERS = 2
LONG = 1800
"""Seconds that a long proof may take on a busy machine."""
SEED = 20_261_122

NAMING_STEPS = ("linkat", "renameat", "unlinkat", "mkdir", "fsync")
ALL_STEPS = (
    *NAMING_STEPS, "mkdirat", "fchmod", "flock", "rmdir", "write", "openat", "pwrite64", "fdatasync", "ftruncate",
    "close", "getdents64",
)  # fmt: skip
MOST_OF_A_KIND = 60
"""Of opens and closes there are hundreds, most of them of the interpreter itself: of each kind this many are spread
over the run."""


@pytest.fixture
def tracer(tmp_path: Path) -> Tracer:
    return Tracer(tmp_path)


def numbered_steps(counts: dict[str, int]) -> list[tuple[str, int]]:
    """Returns each call with its number; of a kind that is very frequent, evenly chosen ones."""
    steps = []
    for name, count in sorted(counts.items()):
        stride = max(1, count // MOST_OF_A_KIND)
        steps += [(name, number) for number in range(1, count + 1, stride)]
    return steps


def write_two_files(folder: Path) -> Path:
    """A source so small that each step of the program is one of few."""
    folder.mkdir(parents=True)
    (folder / "notes.md").write_text(f"# {folder.name}\n")
    (folder / "noise.bin").write_bytes(random.Random(folder.name).randbytes(40_000))
    return folder


class KilledPublish:
    """Publishes 0.0.2 beside an acknowledged 0.0.1, is killed on the way, and is repeated."""

    def __init__(self, base: Path, request: pytest.FixtureRequest) -> None:
        self._base = base
        self._request = request
        self._old = write_two_files(base / "old")
        self._new = write_two_files(base / "new")
        self.killed = 0
        self._template = make_place(FOLDER, base / "template", request)
        assert run_program(self._template.folder, *publish_words(NAME, self._old)).status == 0

    def prepare(self, label: str) -> Place:
        place = make_place(FOLDER, self._base / label, self._request)
        shutil.copytree(self._template.archive, place.archive)
        return place

    def words(self) -> tuple[str, ...]:
        return publish_words(NAME, self._new)

    def check(self, place: Place, ended: Finished) -> None:
        """What must hold after any end of the program, and after the same command was given again."""
        self.killed += ended.was_killed
        with place.open_store() as store:
            versions = check_only_whole_versions(store, NAME)
        assert versions in (["0.0.1"], ["0.0.1", "0.0.2"])
        if ended.status == 0:
            assert versions[-1] == "0.0.2"
        again = run_program(place.folder, *self.words())
        assert again.status == 0, again.err
        expected = "identical" if len(versions) == 2 else "published"
        assert again.document["outcome"] == expected
        with place.open_store() as store:
            assert check_only_whole_versions(store, NAME) == ["0.0.1", "0.0.2"]
        if expected == "published":
            assert place.temporary_entries() == []
        else:  # nothing had to be written: the next publish sweeps
            last = run_program(place.folder, *self.words(), "--allow-identical")
            assert last.status == 0, last.err
            assert place.temporary_entries() == []


def kill_publish_at_each_step(
    steps: tuple[str, ...], tracer: Tracer, tmp_path: Path, request: pytest.FixtureRequest
) -> int:
    proof = KilledPublish(tmp_path, request)
    counts = tracer.count_calls(proof.prepare("count").folder, steps, *proof.words())
    faults = [(step, f"{step}:signal=KILL:when={number}", "") for step, number in numbered_steps(counts)]
    # The trial of hard links hides the first link of the publish itself, for calls are counted by thread.
    faults.append(("link", "linkat:signal=KILL", f"{NAME}.0.0.2.zip"))

    def kill(number: int) -> None:
        label, inject, path = faults[number]
        place = proof.prepare(f"{label}-{number}")
        ended = tracer.run(place.folder, *proof.words(), inject=inject, path=path)
        try:
            proof.check(place, ended)
        except AssertionError as error:
            raise AssertionError(f"killed at {inject} {path}: {error}") from error
        shutil.rmtree(place.folder)

    with ThreadPoolExecutor(WORKERS) as pool:
        list(pool.map(kill, range(len(faults))))
    return proof.killed


def test_publish_killed_at_every_naming_step(tracer: Tracer, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    assert kill_publish_at_each_step(NAMING_STEPS, tracer, tmp_path, request) >= 8


@pytest.mark.slow
@pytest.mark.timeout(LONG)
def test_publish_killed_at_every_step(tracer: Tracer, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    assert kill_publish_at_each_step(ALL_STEPS, tracer, tmp_path, request) >= 60


class KilledFetch:
    """Fetches a version, or with `overwrite` replaces what was fetched and then changed by a person."""

    def __init__(self, base: Path, request: pytest.FixtureRequest, *, overwrite: bool) -> None:
        self._base = base
        self._overwrite = overwrite
        self._place = make_place(FOLDER, base / "place", request)
        source = write_two_files(base / "source")
        assert run_program(self._place.folder, *publish_words(NAME, source)).status == 0
        self._whole = tree_of(source)
        self._mine = {"mine.txt": ""}
        self.killed = 0

    def prepare(self, label: str) -> Path:
        target = self._base / label
        folder = target / f"{NAME}.0.0.1"
        if self._overwrite:
            folder.mkdir(parents=True)
            (folder / "mine.txt").write_text("mine")
            self._mine = tree_of(folder)
        return target

    def words(self, target: Path) -> tuple[str, ...]:
        words = ("dataset", "fetch", "lab", NAME, "--to", str(target), "--json", "--quiet")
        return (*words, "--overwrite") if self._overwrite else words

    def run(self, tracer: Tracer, target: Path, inject: str) -> Finished:
        return tracer.run(self._place.folder, *self.words(target), inject=inject)

    def count(self, tracer: Tracer, steps: tuple[str, ...]) -> dict[str, int]:
        return tracer.count_calls(self._place.folder, steps, *self.words(self.prepare("count")))

    def check(self, target: Path, ended: Finished) -> None:
        self.killed += ended.was_killed
        folder = target / f"{NAME}.0.0.1"
        # Between two renames the old one waits aside: the next run, any run, brings one of the two in.
        if folder.exists():
            assert tree_of(folder) in ([self._whole, self._mine] if self._overwrite else [self._whole])
        else:
            assert not self._overwrite or list(target.glob(".archive-tui-old-*")), list(target.iterdir())
        if ended.status == 0:
            assert tree_of(folder) == self._whole
        again = run_program(self._place.folder, *self.words(target))
        assert again.status == 0, (again.out, again.err)
        assert tree_of(folder) == self._whole
        left = sorted(path.name for path in target.iterdir())
        if left != [folder.name]:
            assert again.document["already_there"], left
            assert run_program(self._place.folder, *self.words(target), "--overwrite").status == 0
            left = sorted(path.name for path in target.iterdir())
        assert left == [folder.name]


def kill_fetch_at_each_step(steps: tuple[str, ...], tracer: Tracer, proof: KilledFetch) -> int:
    faults = numbered_steps(proof.count(tracer, steps))

    def kill(fault: tuple[str, int]) -> None:
        step, number = fault
        target = proof.prepare(f"{step}-{number}")
        ended = proof.run(tracer, target, f"{step}:signal=KILL:when={number}")
        try:
            proof.check(target, ended)
        except AssertionError as error:
            raise AssertionError(f"killed at {step} {number}: {error}") from error

    with ThreadPoolExecutor(WORKERS) as pool:
        list(pool.map(kill, faults))
    return proof.killed


@pytest.mark.parametrize("overwrite", [False, True])
def test_fetch_killed_at_every_naming_step(
    overwrite: bool, tracer: Tracer, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    proof = KilledFetch(tmp_path, request, overwrite=overwrite)
    assert kill_fetch_at_each_step(NAMING_STEPS, tracer, proof) >= 6


@pytest.mark.slow
@pytest.mark.timeout(LONG)
@pytest.mark.parametrize("overwrite", [False, True])
def test_fetch_killed_at_every_step(
    overwrite: bool, tracer: Tracer, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    proof = KilledFetch(tmp_path, request, overwrite=overwrite)
    assert kill_fetch_at_each_step(ALL_STEPS, tracer, proof) >= 40


UPLOAD = """
from archive_tui.core import new_storage_client
print(new_storage_client("lab", "settings.ini").upload_dataset("winds"))
"""
UPLOADER = (sys.executable, "-c", UPLOAD)


def kill_upload_at_each_step(steps: tuple[str, ...], tmp_path: Path, request: pytest.FixtureRequest) -> int:
    """`upload_dataset` keeps folder and zip in local_path: what a killed one has left is in nobody's way."""
    tracer = Tracer(tmp_path, program=UPLOADER)

    def prepare(label: str) -> Place:
        place = make_place(FOLDER, tmp_path / label, request)
        write_two_files(place.local_path / NAME)
        return place

    def kill(fault: tuple[str, int]) -> bool:
        step, number = fault
        place = prepare(f"{step}-{number}")
        ended = tracer.run(place.folder, inject=f"{step}:signal=KILL:when={number}")
        with place.open_store() as store:
            versions = check_only_whole_versions(store, NAME)
            where = f"killed at {step} {number}, published {versions}"
            again = run_program(place.folder, program=UPLOADER)
            assert again.status == 0, (where, again.err)
            assert check_only_whole_versions(store, NAME) == [*versions, f"0.0.{len(versions) + 1}"], where
        assert place.temporary_entries() == [], where
        return ended.was_killed

    counts = tracer.count_calls(prepare("count").folder, steps)
    with ThreadPoolExecutor(WORKERS) as pool:
        return sum(pool.map(kill, numbered_steps(counts)))


def test_upload_dataset_killed_at_every_naming_step(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    assert kill_upload_at_each_step(("linkat", "rename", "renameat"), tmp_path, request) >= 4


@pytest.mark.slow
@pytest.mark.timeout(LONG)
def test_upload_dataset_killed_at_every_step(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    assert kill_upload_at_each_step(ALL_STEPS, tmp_path, request) >= 40


@pytest.mark.timeout(LONG)
@pytest.mark.parametrize("kills", [3, pytest.param(70, marks=pytest.mark.slow)])
@pytest.mark.parametrize("kind", CREATE_ONLY)
def test_publish_killed_at_any_moment(kind: str, kills: int, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    place = make_place(kind, tmp_path / "place", request)
    source = write_source(tmp_path / "source", 0, size=12 << 20)
    started = time.monotonic()
    assert run_program(place.folder, *publish_words(NAME, source)).status == 0
    duration = time.monotonic() - started
    chance = random.Random(f"{SEED} {kind}")
    acknowledged = ["0.0.1"]
    killed = turn = 0
    while killed < kills and turn < 5 * kills:
        turn += 1
        (source / "notes.md").write_text(f"turn {turn}\n")
        process = start_program(place.folder, *publish_words(NAME, source))
        time.sleep(chance.uniform(0.25, 1.0) * duration)
        process.kill()
        ended = wait_for(process)
        killed += ended.was_killed
        duration *= 1.0 if ended.was_killed else 0.8  # it came too late: the first run was slow by chance
        check_after_kill(place, source, acknowledged, ended)
    assert killed > 0
    print(f"{kind}: {killed} of {turn} killed, {count_unfinished_uploads(place, request)} unfinished uploads remain")


def check_after_kill(place: Place, source: Path, acknowledged: list[str], ended: Finished) -> None:
    """No acknowledged version is lost, each that shows is whole; the repeat completes this turn's."""
    expected = f"0.0.{len(acknowledged) + 1}"
    with place.open_store() as store:
        keys = {key for key in visible_keys(store) if key.endswith(".zip")}
    assert {f"{NAME}.{version}.zip" for version in acknowledged} <= keys
    assert keys <= {f"{NAME}.{version}.zip" for version in (*acknowledged, expected)}
    if '"published"' in ended.out:
        assert f"{NAME}.{expected}.zip" in keys
    again = run_program(place.folder, *publish_words(NAME, source))
    assert again.status == 0, again.err
    assert again.document["version"] == expected
    # What a dead process has sent may be accepted after the look above: then the repeat finds it there.
    outcomes = ["identical"] if f"{NAME}.{expected}.zip" in keys else ["published", "identical"]
    outcome = again.document["outcome"]
    assert outcome in (outcomes[:1] if place.kind == FOLDER else outcomes)
    with place.open_store() as store:
        assert verify_version(store, NAME, expected)[0].verdict is Verdict.VERIFIED
    acknowledged.append(expected)
    if place.kind == FOLDER and outcome == "published":
        assert place.temporary_entries() == []


def count_unfinished_uploads(place: Place, request: pytest.FixtureRequest) -> int:
    """What a killed upload in parts has left on the server, where no listing shows it."""
    if place.kind == AZURITE:
        with request.getfixturevalue(AZURITE).container_client(place.keys["container"]) as client:
            committed = {blob.name for blob in client.list_blobs()}
            begun = {blob.name for blob in client.list_blobs(include=["uncommittedblobs"])}
        return sum(1 for name in begun - committed if name.endswith(".zip"))
    if place.kind == SEAWEEDFS:
        client = request.getfixturevalue(SEAWEEDFS).client()
        found = len(client.list_multipart_uploads(Bucket=place.keys["bucket"]).get("Uploads", []))
        client.close()
        return found
    return 0


def kill_in_the_middle_of_parts(place: Place, source: Path, request: pytest.FixtureRequest) -> Finished:
    """Kills the publish as soon as the server has some of its parts."""
    process = start_program(place.folder, *publish_words(NAME, source))
    while count_unfinished_uploads(place, request) == 0 and process.poll() is None:
        time.sleep(0.005)
    process.kill()
    return wait_for(process)


@pytest.mark.parametrize("kind", [SEAWEEDFS, AZURITE])
def test_an_upload_in_parts_that_is_killed_shows_nothing(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    source = write_source(tmp_path / "source", 0, size=66 << 20)
    for attempt in range(5):
        place = make_place(kind, tmp_path / f"place-{attempt}", request)
        ended = kill_in_the_middle_of_parts(place, source, request)
        if ended.was_killed:
            break  # else the machine was busy, and the look came too late
    assert ended.was_killed, ended
    print(f"{kind}: {count_unfinished_uploads(place, request)} unfinished upload remains after a kill")
    with place.open_store() as store:
        assert visible_keys(store) == []
    again = run_program(place.folder, *publish_words(NAME, source))
    assert again.status == 0, again.err
    with place.open_store() as store:
        assert check_only_whole_versions(store, NAME) == ["0.0.1"]


@pytest.fixture
def endless_source(tmp_path: Path) -> Iterator[Path]:
    """A source that takes long to pack and no room on the disk."""
    source = tmp_path / "endless"
    source.mkdir()
    with (source / "zeros.bin").open("wb") as file:
        os.truncate(file.fileno(), 40 << 30)
    yield source
    shutil.rmtree(source)


@pytest.mark.parametrize("kind", [FOLDER, SEAWEEDFS])
def test_ctrl_c_stops_and_says_what_is_left(
    kind: str, endless_source: Path, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    place = make_place(kind, tmp_path / "place", request)
    words = ("dataset", "publish", "lab", NAME, "--source", str(endless_source), "--compression-level", "9")
    with TerminalSession(
        [*PROGRAM, *words], columns=200, cwd=place.folder, env={"PYTHONPATH": program_environment()["PYTHONPATH"]}
    ) as terminal:
        terminal.wait_for("pack", timeout=60)
        terminal.send("ctrl+c")
        status = terminal.wait_exit(timeout=60)
        text = terminal.text
    assert status == 130, text
    assert "Stopped. Nothing of" in text
    assert f"Nothing of {NAME} 0.0.1 is visible" in text
    assert "archive-tui jobs resume 1 goes on where it stopped, and so does the same command." in text
    with place.open_store() as store:
        assert visible_keys(store) == []
    assert place.temporary_entries() == []
    assert count_unfinished_uploads(place, request) == 0
    (endless_source / "zeros.bin").write_bytes(b"short now")
    assert run_program(place.folder, *publish_words(NAME, endless_source)).status == 0


def test_ctrl_c_stops_a_fetch_and_shows_nothing_of_it(
    tracer: Tracer, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    place = make_place(FOLDER, tmp_path / "place", request)
    source = tmp_path / "source"
    source.mkdir()
    with (source / "zeros.bin").open("wb") as file:
        os.truncate(file.fileno(), 256 << 20)
    assert run_program(place.folder, *publish_words(NAME, source)).status == 0
    environment = {"PYTHONPATH": program_environment()["PYTHONPATH"]}
    words = ("dataset", "fetch", "lab", NAME, "--to", "there")
    slow_disk = tracer.command("write:delay_enter=100000")  # microseconds
    with TerminalSession([*slow_disk, *PROGRAM, *words], columns=200, cwd=place.folder, env=environment) as terminal:
        terminal.wait_for("unpack", timeout=60)
        terminal.send("ctrl+c")
        status = terminal.wait_exit(timeout=60)
        text = terminal.text
    assert status == 130, text
    assert "Stopped. Nothing of it is visible in there." in text
    assert "archive-tui jobs resume 2 goes on where it stopped, and so does the same command." in text
    there = place.folder / "there"
    assert [path for path in there.iterdir() if not is_kept_name(path.name)] == []
    assert run_program(place.folder, *words).status == 0
    assert [path.name for path in there.iterdir()] == [f"{NAME}.0.0.1"]
