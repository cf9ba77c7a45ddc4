"""Hostile manifests through `--archive` and `--fetch`: no escape, no crash, a word for every line."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from archive_tui.names.content_address import content_key
from tests.cli.conftest import Call, Run
from tests.hostile.hostile_manifests import (
    CONTENT,
    DIGEST,
    HOSTILE_MANIFESTS,
    OTHER_CONTENT,
    OTHER_DIGEST,
    HostileManifest,
)

each = pytest.mark.parametrize("hostile", HOSTILE_MANIFESTS, ids=lambda hostile: hostile.name)


@pytest.fixture
def surroundings(workplace: Path) -> Path:
    """A vault with both contents, a root among other things, and a way out of it."""
    for digest, content in ((DIGEST, CONTENT), (OTHER_DIGEST, OTHER_CONTENT)):
        path = workplace / "archive" / content_key(digest)
        path.parent.mkdir(parents=True)
        path.write_bytes(content)
    (workplace / "root").mkdir()
    (workplace / "link").symlink_to("work")
    return workplace


def picture(folder: Path) -> dict[str, tuple[int, int]]:
    """What lies around the root: names, sizes, times; not what the root itself holds."""
    found = {}
    for where, folders, names in os.walk(folder):
        if Path(where) == folder:
            folders.remove("root")
        for name in [*folders, *names]:
            status = os.lstat(Path(where, name))
            found[str(Path(where, name))] = (status.st_size, status.st_mtime_ns)
    return found


def work(run: Run, surroundings: Path, hostile: HostileManifest, *words: str) -> Call:
    (surroundings / "hostile.txt").write_bytes(hostile.content)
    before = picture(surroundings)
    call = run("manifest", *words, "--manifest", "hostile.txt", "--storage", "lab", "--root", "root", "--json")
    assert picture(surroundings) == before
    assert call.status in (0, 1)
    assert "Traceback" not in call.err
    return call


def check_document(hostile: HostileManifest, document: Any) -> list[Any]:
    if hostile.code:
        assert document["error"]["code"] == hostile.code
        return []
    numbers = sorted([line.number for line in hostile.good] + list(hostile.bad))
    if "lines" not in document:
        assert not numbers
        return []
    assert [line["line"] for line in document["lines"]] == numbers
    bad = [line["line"] for line in document["lines"] if line["outcome"] == "improperly formatted"]
    assert tuple(bad) == hostile.bad
    return [line for line in document["lines"] if line["line"] not in bad]


def is_below_the_root(name: str) -> bool:
    return not name.startswith("/") and ".." not in name.split("/")


@each
def test_fetching_stays_inside(hostile: HostileManifest, run: Run, surroundings: Path) -> None:
    call = work(run, surroundings, hostile, "--fetch", "--overwrite")
    lines = check_document(hostile, call.document)
    by_number = {line["line"]: line["outcome"] for line in lines}
    for line in hostile.good if lines else ():
        assert by_number[line.number] == "refused" or is_below_the_root(line.name), line
    if hostile.outcome in ("read", "stays_inside"):
        honest = {by_number[line.number] for line in hostile.good if line.size in (None, len(CONTENT))}
        assert honest <= {"fetched", "already there", "refused"}
    if hostile.outcome == "never_written":
        assert "refused" in by_number.values()
    digests: dict[str, set[str]] = {}
    for line in hostile.good if hostile.outcome == "disputed" else ():
        digests.setdefault(os.path.normpath(line.name), set()).add(line.digest)
    for line in hostile.good:
        if len(digests.get(os.path.normpath(line.name), ())) > 1:
            assert by_number[line.number] == "refused"
    written = [Path(where, name) for where, _, names in os.walk(surroundings / "root") for name in names]
    assert {path.read_bytes() for path in written} <= {CONTENT, OTHER_CONTENT}


@each
def test_archiving_uploads_nothing_wrong(hostile: HostileManifest, run: Run, surroundings: Path) -> None:
    call = work(run, surroundings, hostile, "--archive")
    check_document(hostile, call.document)
    assert "mistake in archive-tui" not in call.err
