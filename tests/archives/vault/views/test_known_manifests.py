"""Which manifests were used with which vault, and the names that they give to its contents."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from archive_tui.archives.vault.vault import Vault
from archive_tui.archives.vault.views import known_manifests
from archive_tui.archives.vault.views.content_table import ContentTable, load_contents
from archive_tui.archives.vault.views.known_manifests import KnownManifests
from archive_tui.archives.vault.views.known_names import KnownNames, NameIndex
from archive_tui.objects.memory import MemoryStore
from archive_tui.progress import never
from archive_tui.state.database import StateDatabase, open_state_database


@pytest.fixture
def database(tmp_path: Path) -> StateDatabase:
    return open_state_database(tmp_path / "state" / "state.sqlite3")


def digest_of(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def write_manifest(path: Path, *lines: tuple[str, bytes]) -> Path:
    path.write_bytes(
        b"".join(f"{digest_of(content)}  ".encode() + os.fsencode(name) + b"\n" for name, content in lines)
    )
    return path


def vault_with(*contents: bytes) -> Vault:
    vault = Vault(MemoryStore())
    for content in contents:
        vault.store.put(vault.key(digest_of(content)), [content])
    return vault


def index_of(vault: Vault, names: KnownNames) -> tuple[ContentTable, NameIndex]:
    table = ContentTable(vault.prefix)
    list(load_contents(vault.store, table, None, never))
    order = sorted(range(len(table)), key=table.digest_bytes)
    return table, NameIndex(names.read(vault.store.identity, vault.prefix, never), table, order, never)


def names_of(vault: Vault, names: KnownNames) -> dict[str, list[str]]:
    table, index = index_of(vault, names)
    return {table.name(at): [name for _, name in index.lines(at)] for at in range(len(table))}


def test_the_manifest_used_last_comes_first_and_once(database: StateDatabase, tmp_path: Path) -> None:
    vault, manifests = vault_with(), KnownManifests(database)
    first, second = (write_manifest(tmp_path / name, ("x", b"x")) for name in ("a.sha256", "b.sha256"))
    for path in (first, second, first):
        assert manifests.remember(path, vault, 1)

    assert [known.path for known in manifests.of_vault(vault.store.identity, vault.prefix)] == [first, second]
    assert manifests.of_vault(vault.store.identity, "other/") == []


def test_a_path_that_is_no_utf8_is_kept(database: StateDatabase, tmp_path: Path) -> None:
    path = write_manifest(tmp_path / os.fsdecode(b"caf\xe9.sha256"), ("x", b"x"))
    manifests, vault = KnownManifests(database), vault_with()

    assert manifests.remember(path, vault, 1)
    assert [known.path for known in manifests.of_vault(vault.store.identity, vault.prefix)] == [path]


def test_standard_input_and_absent_files_are_not_remembered(database: StateDatabase, tmp_path: Path) -> None:
    manifests, vault = KnownManifests(database), vault_with()

    assert not manifests.remember("-", vault, 1)
    assert not manifests.remember(tmp_path / "absent", vault, 1)
    assert not manifests.remember(tmp_path, vault, 1)
    assert manifests.of_vault(vault.store.identity, vault.prefix) == []


def test_only_the_last_ones_are_kept(database: StateDatabase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(known_manifests, "MOST_KEPT", 3)
    manifests, vault = KnownManifests(database), vault_with()
    paths = [write_manifest(tmp_path / f"{number}.sha256", ("x", b"x")) for number in range(5)]
    for path in paths:
        manifests.remember(path, vault, 1)

    assert [known.path for known in manifests.of_vault(vault.store.identity, vault.prefix)] == paths[:1:-1]


def test_every_name_of_a_content_is_known_and_no_other(database: StateDatabase, tmp_path: Path) -> None:
    vault, manifests = vault_with(b"one", b"two", b"nameless"), KnownManifests(database)
    path = write_manifest(
        tmp_path / "m.sha256", ("a/one", b"one"), ("again", b"one"), ("two", b"two"), ("absent", b"not in the vault")
    )
    manifests.remember(path, vault, 4)

    assert names_of(vault, KnownNames(manifests)) == {
        digest_of(b"one"): ["a/one", "again"],
        digest_of(b"two"): ["two"],
        digest_of(b"nameless"): [],
    }


def test_digests_that_begin_alike_keep_their_own_names(database: StateDatabase, tmp_path: Path) -> None:
    alike = ["ab" * 8 + f"{number:048x}" for number in range(5)]
    vault, manifests = Vault(MemoryStore()), KnownManifests(database)
    for digest in alike[:4]:
        vault.store.put(vault.key(digest), [b"x"])
    path = tmp_path / "m.sha256"
    path.write_text("".join(f"{digest}  name-{number}\n" for number, digest in enumerate(alike)))
    manifests.remember(path, vault, 5)

    assert names_of(vault, KnownNames(manifests)) == {alike[at]: [f"name-{at}"] for at in range(4)}


def test_a_manifest_that_is_gone_or_none_is_left_out_and_said(database: StateDatabase, tmp_path: Path) -> None:
    vault, manifests = vault_with(b"one"), KnownManifests(database)
    paths = [write_manifest(tmp_path / f"{name}.sha256", (name, b"one")) for name in ("gone", "here", "turned")]
    for path in paths:
        manifests.remember(path, vault, 1)
    paths[0].unlink()
    paths[2].unlink()
    paths[2].mkdir()
    read = KnownNames(manifests).read(vault.store.identity, vault.prefix, never)

    assert [one.manifest.path for one in read.manifests] == [paths[1]]
    assert read.remarks == [
        "1 known manifest gone: its names are not shown.",
        "1 known manifest could not be read.",
    ]


def test_lines_above_the_bound_are_left_out_and_said(database: StateDatabase, tmp_path: Path) -> None:
    vault, manifests = vault_with(b"one"), KnownManifests(database)
    long = write_manifest(tmp_path / "long.sha256", *((f"name-{number}", b"one") for number in range(50)))
    manifests.remember(long, vault, 50)
    read = KnownNames(manifests, most_names=20).read(vault.store.identity, vault.prefix, never)

    assert read.lines == 20
    assert read.remarks == ["Names are those of the first 20 lines of manifests."]


def test_a_changed_manifest_is_read_again(database: StateDatabase, tmp_path: Path) -> None:
    vault, manifests = vault_with(b"one"), KnownManifests(database)
    path = write_manifest(tmp_path / "m.sha256", ("before", b"one"))
    manifests.remember(path, vault, 1)
    names = KnownNames(manifests)
    first = names.read(vault.store.identity, vault.prefix, never)
    again = names.read(vault.store.identity, vault.prefix, never)
    write_manifest(path, ("afterwards", b"one"))

    assert again.manifests[0].table is first.manifests[0].table
    assert names_of(vault, names) == {digest_of(b"one"): ["afterwards"]}
