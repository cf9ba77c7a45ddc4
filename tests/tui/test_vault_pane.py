"""The view *vault* of a storage: contents, the names they are known by, and what is proven of them."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from archive_tui.archives.vault.vault import Vault
from archive_tui.archives.vault.views.known_manifests import KnownManifests
from archive_tui.errors import StorageUnavailable
from archive_tui.integrity.evidence import Evidence, EvidenceLevel
from archive_tui.objects.memory import MemoryStore
from archive_tui.objects.object_store import Listed, ObjectInfo
from archive_tui.state.database import open_state_database
from archive_tui.state.evidence_table import EvidenceTable
from archive_tui.tui.archive_app import ArchiveApp
from archive_tui.tui.rows.vault_rows import VaultRows
from tests.tui.conftest import MakeApp, folder_location, storage_location
from tests.tui.screen_text import rows_of, text_of, wait_until
from tests.tui.test_browse import browse, running

VIEWS = ("objects", "vault")
CONTENTS = [f"content {number}".encode() for number in range(6)]


def digest_of(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


@pytest.fixture
def vault() -> Vault:
    vault = Vault(MemoryStore())
    for content in CONTENTS:
        vault.store.put(vault.key(digest_of(content)), [content])
    vault.store.put("object/READ\u202eME", [b"not a content"])
    vault.store.put("elsewhere", [b"x"])
    return vault


@pytest.fixture
def evidence(tmp_path: Path) -> EvidenceTable:
    return EvidenceTable(open_state_database(tmp_path / "state.sqlite3"))


@pytest.fixture
def app(make_app: MakeApp, vault: Vault, evidence: EvidenceTable, tmp_path: Path) -> ArchiveApp:
    folder = tmp_path / "lists"
    folder.mkdir()
    names = [("raw/first.dat", 0), ("raw/second.dat", 0), ("third.dat", 1)]
    manifest = folder / "SHA256SUMS"
    manifest.write_text("".join(f"{digest_of(CONTENTS[number])}  {name}\n" for name, number in names))
    KnownManifests(evidence.database).remember(manifest, vault, 3)
    for number, level in ((0, EvidenceLevel.ATTESTED), (2, EvidenceLevel.READ), (3, EvidenceLevel.DAMAGED)):
        key, size = vault.key(digest_of(CONTENTS[number])), len(CONTENTS[number])
        checked_at = time.time() - 5 * 86400 - 60
        evidence.record(Evidence(vault.store.identity, key, level, None, size, checked_at, "The store's own word."))
    return make_app(storage_location(vault.store, views=VIEWS[::-1]), folder_location(folder), evidence_table=evidence)


def row_of(app: ArchiveApp, content: bytes) -> str:
    digest = digest_of(content)
    return next(row.split("││")[0] for row in rows_of(app) if digest[:6] in row)


async def test_contents_with_their_names_and_what_is_proven(app: ArchiveApp) -> None:
    async with running(app, size=(120, 36)):
        assert "lab ▸ object/ · vault" in rows_of(app)[1]
        first = row_of(app, CONTENTS[0])
        assert digest_of(CONTENTS[0])[-4:] in first and "◆ attested 5 d" in first and " +1 " in first
        assert "third.dat" in row_of(app, CONTENTS[1]) and "◇ listed" in row_of(app, CONTENTS[1])
        assert "✗ damaged" in row_of(app, CONTENTS[3])
        assert "elsewhere" not in text_of(app)
        foreign = next(row for row in rows_of(app) if "READ\\u202eME" in row)
        assert "! foreign" in foreign and "\u202e" not in text_of(app)
        assert "6 contents · 67 B · 1 foreign · 2 known by name" in rows_of(app)[33]


async def test_a_narrow_pane_counts_the_names(app: ArchiveApp) -> None:
    async with running(app):
        assert row_of(app, CONTENTS[0]).split()[-3:] == ["◆", "5", "d"]
        assert "    2  ◆" in row_of(app, CONTENTS[0])
        assert "    –  ✓ 5 d" in row_of(app, CONTENTS[2])


async def test_the_short_form_keeps_beginning_and_end(app: ArchiveApp) -> None:
    async with running(app):
        digest = digest_of(CONTENTS[0])
        assert f"{digest[:6]}…{digest[-4:]}" in row_of(app, CONTENTS[0])


async def test_find_and_filter_work_on_digests_and_on_names(app: ArchiveApp) -> None:
    async with running(app) as pilot:
        pane = browse(app).left
        await pilot.press("slash", *"second", "enter")
        assert pane.cursor_name == digest_of(CONTENTS[0])
        await pilot.press("slash", *digest_of(CONTENTS[4])[:8], "enter")
        assert pane.cursor_name == digest_of(CONTENTS[4])

        await pilot.press("f", *"third", "enter")
        await wait_until(pilot, lambda: '"third" 1 of 7' in text_of(app))
        assert pane.rows.name(0) == digest_of(CONTENTS[1])
        await pilot.press("f", "ctrl+u", *digest_of(CONTENTS[5])[10:30], "enter")
        await wait_until(pilot, lambda: pane.rows.count == 1 and pane.rows.name(0) == digest_of(CONTENTS[5]))


async def test_sorting_by_names_and_by_state(app: ArchiveApp) -> None:
    async with running(app) as pilot:
        pane = browse(app).left
        by_digest = sorted(map(digest_of, CONTENTS))
        assert [pane.rows.name(row) for row in range(6)] == by_digest
        await pilot.press("s", "s")
        await wait_until(pilot, lambda: "by names" in text_of(app) and pane.rows.name(0) == digest_of(CONTENTS[0]))
        await pilot.press("s")
        await wait_until(pilot, lambda: "by state" in text_of(app) and pane.rows.name(0) == digest_of(CONTENTS[3]))
        assert pane.rows.name(5) == digest_of(CONTENTS[2])
        await pilot.press("S")
        await wait_until(pilot, lambda: pane.rows.name(0) == digest_of(CONTENTS[2]))
        assert pane.rows.name(6) == "READ\u202eME"


async def test_inspect_shows_digest_key_evidence_and_all_names(app: ArchiveApp) -> None:
    async with running(app, size=(120, 50)) as pilot:
        pane = browse(app).left
        pane.move_cursor(sorted(map(digest_of, CONTENTS)).index(digest_of(CONTENTS[0])))
        await pilot.press("f4")
        await wait_until(pilot, lambda: "known names" in text_of(app))
        shown = text_of(app)

        assert digest_of(CONTENTS[0])[:27] in shown
        assert "object/" in shown and "The store's own word." in shown and "◆ attested" in shown
        assert "raw/first.dat" in shown and "raw/second.dat" in shown and "SHA256SUMS" in shown


async def test_picked_contents_carry_digest_and_key(app: ArchiveApp, vault: Vault) -> None:
    async with running(app) as pilot:
        pane = browse(app).left
        await pilot.press("asterisk")
        picked = pane.picked

        assert {selected.digest for selected in picked} == {*map(digest_of, CONTENTS), None}
        for selected in picked:
            vault.store.info(selected.key)


async def test_v_leads_from_view_to_view_and_backspace_says_that_this_is_all(app: ArchiveApp) -> None:
    async with running(app) as pilot:
        pane = browse(app).left
        await pilot.press("backspace")
        assert "The vault is shown whole" in text_of(app)
        await pilot.press("v")
        await wait_until(pilot, lambda: pane.view == "objects" and pane.rows.is_complete)
        assert "elsewhere" in text_of(app)
        assert pane.arrangement.sort_by == "name"


async def test_a_manifest_that_is_gone_is_said(app: ArchiveApp, tmp_path: Path) -> None:
    (tmp_path / "lists" / "SHA256SUMS").unlink()
    async with running(app) as pilot:
        await wait_until(pilot, lambda: "1 known manifest gone" in text_of(app))
        assert "known by name" not in rows_of(app)[21]


async def test_an_empty_vault_says_what_fills_it(make_app: MakeApp, tmp_path: Path) -> None:
    app = make_app(storage_location(MemoryStore(), views=("vault",)), folder_location(tmp_path))
    async with running(app):
        assert "Nothing is in this vault yet." in text_of(app)


class BreakingStore(MemoryStore):
    """Gives 300 contents, then the network goes."""

    def list(self, prefix: str = "", *, recursive: bool = True) -> Iterator[Listed]:
        vault = Vault(self)
        for number in range(300):
            yield ObjectInfo(vault.key(digest_of(str(number).encode())), 1)
        raise StorageUnavailable("No answer from lab.example.org.", hint="Is the network there?")


async def test_a_listing_that_breaks_off_is_never_called_complete(make_app: MakeApp, tmp_path: Path) -> None:
    app = make_app(storage_location(BreakingStore(), views=("vault",)), folder_location(tmp_path))
    async with running(app):
        assert "of ? · incomplete" in text_of(app)
        assert "No answer from lab.example.org." in text_of(app)
        rows = browse(app).left.rows
        assert isinstance(rows, VaultRows) and rows.count >= 100
