"""Other files under the names that a fetch wants: kept, replaced, set beside, or left until somebody has decided."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive_tui.archives.vault.fetching import fetch_manifest
from archive_tui.archives.vault.other_names import OtherNames
from archive_tui.archives.vault.outcomes import LineResult, Outcome
from archive_tui.archives.vault.vault import Vault
from archive_tui.conflicts import Conflict, ConflictRule
from archive_tui.manifests.checksum_lines.line import ManifestLine
from archive_tui.objects.folder.contained_write import ContainedFolder
from archive_tui.objects.memory import MemoryStore
from tests.archives.vault.conftest import FakeManifest, digest_of, manifest_of, small_contents
from tests.archives.vault.test_fetching_continued import put_all
from tests.jobs.kinds.job_work import MemoryJournal


@pytest.fixture
def vault() -> Vault:
    return Vault(MemoryStore())


def fetch(
    manifest: FakeManifest, vault: Vault, root: Path, resolve: Callable[[Conflict], ConflictRule], **options: object
) -> list[LineResult]:
    news = fetch_manifest(manifest, vault, root=root, resolve=resolve, **options)  # type: ignore[arg-type]
    return [each for each in news if isinstance(each, LineResult)]


def always(rule: ConflictRule) -> Callable[[Conflict], ConflictRule]:
    return lambda conflict: rule


def outcomes(results: list[LineResult]) -> list[Outcome]:
    return [each.outcome for each in results]


def files_in(root: Path) -> dict[str, bytes]:
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def test_what_nobody_has_decided_is_left_and_the_rest_is_done(vault: Vault, tmp_path: Path) -> None:
    manifest = put_all(vault, small_contents(300))
    mine = [f"data/file-{number:05}.txt" for number in range(0, 300, 7)]
    (tmp_path / "data").mkdir()
    for name in mine:
        (tmp_path / name).write_bytes(b"mine")
    asked: list[Conflict] = []

    def ask(conflict: Conflict) -> ConflictRule:
        asked.append(conflict)
        return ConflictRule.ASK

    results = fetch(manifest, vault, tmp_path, ask)
    assert sorted(conflict.item for conflict in asked) == mine
    assert [each.line.name for each in results if each.outcome is Outcome.UNDECIDED] == mine
    assert sum(each.outcome is Outcome.FETCHED for each in results) == 300 - len(mine)
    assert all((tmp_path / name).read_bytes() == b"mine" for name in mine)
    assert all(each.error is not None and each.error.hint for each in results if each.outcome is Outcome.UNDECIDED)


def test_the_question_says_where_and_what_lies_there(vault: Vault, tmp_path: Path) -> None:
    lines = manifest_of(
        ManifestLine(number, name, digest_of(b"x"), 1) for number, name in enumerate(("./a", "b", "folder", "link"), 1)
    )
    vault.store.put(vault.key(digest_of(b"x")), [b"x"])
    (tmp_path / "a").write_bytes(b"12345")
    os.utime(tmp_path / "a", (0, 86_400))
    (tmp_path / "b").write_bytes(b"x")
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to("b")
    asked: dict[str, Conflict] = {}

    def ask(conflict: Conflict) -> ConflictRule:
        asked[conflict.item] = conflict
        return ConflictRule.ASK

    fetch(lines, vault, tmp_path, ask)
    assert sorted(asked) == ["a", "folder", "link"]
    assert asked["a"].place == str(tmp_path / "a")
    assert asked["a"].found == "a file of 5 B, changed 1970-01-02 00:00 UTC"
    assert asked["a"].wanted == "another content, 1 B"
    assert asked["a"].choices == (ConflictRule.KEEP, ConflictRule.KEEP_BOTH, ConflictRule.REPLACE)
    assert ConflictRule.REPLACE not in asked["folder"].choices and asked["folder"].found == "a folder"
    assert ConflictRule.REPLACE in asked["link"].choices


def test_keep_leaves_the_other_and_says_so_as_ever(vault: Vault, tmp_path: Path) -> None:
    manifest = put_all(vault, {"a": b"x"})
    (tmp_path / "a").write_bytes(b"mine")
    (result,) = fetch(manifest, vault, tmp_path, always(ConflictRule.KEEP))
    (as_ever,) = [each for each in fetch_manifest(manifest, vault, root=tmp_path) if isinstance(each, LineResult)]
    assert result.outcome is as_ever.outcome is Outcome.EXISTS and str(result.error) == str(as_ever.error)
    assert files_in(tmp_path) == {"a": b"mine"}


def test_replace_replaces_a_file_and_a_link_and_never_a_folder(vault: Vault, tmp_path: Path) -> None:
    manifest = put_all(vault, {"a": b"x", "link": b"y", "folder": b"z"})
    (tmp_path / "a").write_bytes(b"mine")
    (tmp_path / "other").write_bytes(b"other")
    (tmp_path / "link").symlink_to("other")
    (tmp_path / "folder").mkdir()
    results = fetch(manifest, vault, tmp_path, always(ConflictRule.REPLACE))
    assert outcomes(results) == [Outcome.FETCHED, Outcome.FETCHED, Outcome.EXISTS]
    assert files_in(tmp_path) == {"a": b"x", "link": b"y", "other": b"other"}
    assert not (tmp_path / "link").is_symlink() and (tmp_path / "folder").is_dir()


def test_keep_both_gives_the_new_one_another_name_and_finds_it_again(vault: Vault, tmp_path: Path) -> None:
    manifest = put_all(vault, {"sub/table.csv": b"new", "folder": b"z"})
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "table.csv").write_bytes(b"mine")
    (tmp_path / "sub" / "table (2).csv").write_bytes(b"mine too")
    (tmp_path / "folder").mkdir()
    before = files_in(tmp_path)
    results = fetch(manifest, vault, tmp_path, always(ConflictRule.KEEP_BOTH))
    assert [(each.outcome, each.placed) for each in results] == [
        (Outcome.FETCHED, "sub/table (3).csv"), (Outcome.FETCHED, "folder (2)"),
    ]  # fmt: skip
    after = files_in(tmp_path)
    assert after == before | {"sub/table (3).csv": b"new", "folder (2)": b"z"}
    again = fetch(manifest, vault, tmp_path, always(ConflictRule.KEEP_BOTH))
    assert outcomes(again) == [Outcome.ALREADY_THERE] * 2 and files_in(tmp_path) == after
    assert [each.placed for each in again] == ["sub/table (3).csv", "folder (2)"]


def test_another_name_is_none_that_the_manifest_lists(vault: Vault, tmp_path: Path) -> None:
    manifest = put_all(vault, {"a.txt": b"one", "./a (2).txt": b"two", "a (3).txt": b"three", "b (x).txt": b"four"})
    (tmp_path / "a.txt").write_bytes(b"mine")
    results = fetch(manifest, vault, tmp_path, always(ConflictRule.KEEP_BOTH))
    assert [each.placed for each in results] == ["a (4).txt", "", "", ""]
    assert files_in(tmp_path) == {
        "a.txt": b"mine", "a (4).txt": b"one", "a (2).txt": b"two", "a (3).txt": b"three", "b (x).txt": b"four",
    }  # fmt: skip


def test_keep_both_never_replaces_what_others_put_there_meanwhile(
    vault: Vault, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    manifest = put_all(vault, {f"{number}.txt": b"new %d" % number for number in range(50)})
    for number in range(50):
        (tmp_path / f"{number}.txt").write_bytes(b"mine")
    write = ContainedFolder.write
    intruded: list[str] = []
    lock = threading.Lock()

    def write_after_another(self: ContainedFolder, path: str, *arguments: object, **options: object) -> object:
        with lock:
            if "(2)" in path:
                (tmp_path / path).write_bytes(b"intruder")
                intruded.append(path)
        return write(self, path, *arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(ContainedFolder, "write", write_after_another)
    results = fetch(manifest, vault, tmp_path, always(ConflictRule.KEEP_BOTH))
    assert len(intruded) == 50 and {each.placed for each in results} == {f"{number} (3).txt" for number in range(50)}
    found = files_in(tmp_path)
    assert all(found[name] == b"intruder" for name in intruded)
    assert all(found[f"{number} (3).txt"] == b"new %d" % number for number in range(50)) and len(found) == 150


def test_a_later_run_asks_only_what_was_not_decided_and_hashes_nothing_else(vault: Vault, tmp_path: Path) -> None:
    manifest, journal = put_all(vault, small_contents(40)), MemoryJournal()
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "file-00003.txt").write_bytes(b"mine")
    assert Outcome.UNDECIDED in outcomes(fetch(manifest, vault, tmp_path, always(ConflictRule.ASK), journal=journal))
    assert [mark.outcome for mark in journal.of("fetch") if not mark.is_good] == ["needs a decision"]
    asked: list[str] = []

    def beside(conflict: Conflict) -> ConflictRule:
        asked.append(conflict.item)
        return ConflictRule.KEEP_BOTH

    results = fetch(manifest, vault, tmp_path, beside, journal=journal)
    assert asked == ["data/file-00003.txt"]
    assert [each.earlier is None for each in results].count(True) == 1
    assert journal.marks["fetch", "data/file-00003.txt"].detail == "data/file-00003 (2).txt"
    # The third time even that one is known, under its other name.
    assert all(each.earlier for each in fetch(manifest, vault, tmp_path, beside, journal=journal))
    assert asked == ["data/file-00003.txt"]
    (tmp_path / "data" / "file-00003 (2).txt").write_bytes(b"changed")
    (last,) = [each for each in fetch(manifest, vault, tmp_path, beside, journal=journal) if each.earlier is None]
    assert last.placed == "data/file-00003 (3).txt"


def test_with_overwrite_nobody_is_asked(vault: Vault, tmp_path: Path) -> None:
    manifest = put_all(vault, {"a": b"x"})
    (tmp_path / "a").write_bytes(b"mine")
    asked: list[Conflict] = []
    (result,) = fetch(manifest, vault, tmp_path, lambda c: asked.append(c) or ConflictRule.KEEP, overwrite=True)  # type: ignore[func-returns-value]
    assert result.outcome is Outcome.FETCHED and asked == [] and files_in(tmp_path) == {"a": b"x"}


def test_one_question_at_a_time(vault: Vault, tmp_path: Path) -> None:
    manifest = put_all(vault, small_contents(60))
    (tmp_path / "data").mkdir()
    for line in manifest.lines():
        (tmp_path / line.name).write_bytes(b"mine")
    busy = threading.Lock()

    def resolve(conflict: Conflict) -> ConflictRule:
        assert busy.acquire(blocking=False), "two questions at once"
        threading.Event().wait(0.001)
        busy.release()
        return ConflictRule.KEEP

    assert set(outcomes(fetch(manifest, vault, tmp_path, resolve))) == {Outcome.EXISTS}


@given(st.lists(st.sampled_from(["a.txt", "a (2).txt", "./a (3).txt", "a (4).txt", "b/a (2).txt", "../a (5).txt"])))
def test_other_names_are_new_and_in_order(names: list[str]) -> None:
    manifest = manifest_of(ManifestLine(number, name, "0" * 64) for number, name in enumerate(names, 1))
    others = OtherNames(manifest).beside("a.txt")
    first = [next(others) for _ in range(5)]
    listed = {name.removeprefix("./") for name in names}
    assert first == [f"a ({n}).txt" for n in range(2, 12) if f"a ({n}).txt" not in listed][:5]
