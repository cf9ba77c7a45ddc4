"""The contents of a vault as a pane lists them."""

from __future__ import annotations

import hashlib
from pathlib import Path

from archive_tui.archives.vault.vault import Vault
from archive_tui.archives.vault.views.content_table import ContentTable, load_contents, measure_heads
from archive_tui.integrity.evidence import Evidence, EvidenceLevel
from archive_tui.objects.memory import MemoryStore
from archive_tui.progress import never
from archive_tui.state.database import open_state_database
from archive_tui.state.evidence_table import EvidenceTable


def digest_of(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def table_with(*digests: str) -> ContentTable:
    vault = Vault(MemoryStore())
    for digest in digests:
        vault.store.put(vault.key(digest), [b"x"])
    table = ContentTable(vault.prefix)
    list(load_contents(vault.store, table, None, never))
    return table


def test_contents_and_foreign_objects_below_the_prefix_are_listed_and_no_others() -> None:
    vault = Vault(MemoryStore())
    vault.store.put(vault.key(digest_of(b"1")), [b"1"])
    foreign = (
        "README.txt", "object/bd/readme", f"bd/{digest_of(b'1')}",
        digest_of(b"1").upper(), "bd/c1/d21e/2ea3f4d4/xx18fc860f1b7cf71237272e575bd19a754e6b8ccb8c384b",
    )  # fmt: skip
    for name in foreign:
        vault.store.put(vault.prefix + name, [b"22"])
    vault.store.put("elsewhere/x", [b"333"])
    table = ContentTable(vault.prefix)
    list(load_contents(vault.store, table, None, never))

    assert sorted(table.foreign.values()) == sorted(foreign)
    contents = [at for at in range(len(table)) if at not in table.foreign]
    assert [(table.name(at), table.size(at)) for at in contents] == [(digest_of(b"1"), 1)]
    assert table.total_bytes == 1 + 2 * len(foreign)
    assert {table.key(at) for at in table.foreign} == {vault.prefix + name for name in foreign}


def test_evidence_is_taken_over_unless_it_is_about_other_bytes(tmp_path: Path) -> None:
    vault = Vault(MemoryStore())
    evidence = EvidenceTable(open_state_database(tmp_path / "state.sqlite3"))
    known = [(b"read", 4, None), (b"stale", 3, None), (b"wrong", 5, digest_of(b"other"))]
    for content, size, found in known:
        digest = digest_of(content)
        vault.store.put(vault.key(digest), [content])
        proven = Evidence(vault.store.identity, vault.key(digest), EvidenceLevel.READ, found or digest, size, 1.7e9, "")
        evidence.record(proven)
    vault.store.put(vault.key(digest_of(b"unknown")), [b"unknown"])
    table = ContentTable(vault.prefix)
    list(load_contents(vault.store, table, evidence, never))
    at = {table.name(position): position for position in range(len(table))}

    assert table.level(at[digest_of(b"read")]) is EvidenceLevel.READ
    assert table.checked_at(at[digest_of(b"read")]) == 1.7e9
    assert table.is_stale(at[digest_of(b"stale")]) and table.level(at[digest_of(b"stale")]) is None
    assert table.level(at[digest_of(b"wrong")]) is EvidenceLevel.DAMAGED
    assert table.level(at[digest_of(b"unknown")]) is None
    assert table.checked_at(at[digest_of(b"unknown")]) is None


def test_the_short_form_of_a_digest_is_no_others() -> None:
    apart = [f"{number:02x}" * 32 for number in range(20)]
    alike = ["ab" * 6 + f"{number:x}" + "0" * 47 + "cafe" for number in range(16)]
    same_tail_apart = [f"cd{number:04x}" + "1" * 54 + "beef" for number in range(16)]
    digests = sorted(apart + alike + same_tail_apart)
    table = table_with(*digests)
    order = sorted(range(len(table)), key=table.digest_bytes)
    head = measure_heads(table, order)
    short = {table.name(at)[:head] + table.name(at)[-4:] for at in order}

    assert len(short) == len(digests)
    assert head == 13
