"""The lines of a manifest in columns, and what the disk and the records say of them."""

from __future__ import annotations

import gc
import hashlib
import os
import threading
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest

from archive_tui.archives.vault.vault import Vault
from archive_tui.archives.vault.views.line_table import LineTable, load_lines, look_at_files, look_at_records
from archive_tui.archives.vault.views.manifest_states import DiskState, ManifestStates, VaultState
from archive_tui.errors import OperationStopped
from archive_tui.integrity.evidence import Evidence, EvidenceLevel
from archive_tui.manifests.checksum_lines import open_manifest
from archive_tui.manifests.checksum_lines.line import BadLine, ManifestLine
from archive_tui.objects.memory import MemoryStore
from archive_tui.operations.manifest_checking import LineState
from archive_tui.progress import never
from archive_tui.state.database import open_state_database
from archive_tui.state.evidence_table import EvidenceTable

NEWS = (
    ManifestLine(1, "plain", "ab" * 32),
    BadLine(2, "no digest"),
    ManifestLine(4, os.fsdecode(b"latin-\xe9 \n\x1b[31m"), "cd" * 32, 17),
    ManifestLine(5, "\ud800 lone", "ef" * 32, 0),
    ManifestLine(6, "שלום", "01" * 32),
)


def table_of(*news: ManifestLine | BadLine) -> LineTable:
    table = LineTable()
    for one in news:
        table.append(one)
    return table


def look(table: LineTable, root: Path, states: ManifestStates) -> list[DiskState]:
    list(look_at_files(table, root, states, never))
    return [DiskState(states.disk.get(at)) for at in range(len(table))]


def test_every_line_comes_back_as_it_was() -> None:
    table = table_of(*NEWS)

    assert [table.line(at) for at in (0, 2, 3, 4)] == [NEWS[0], NEWS[2], NEWS[3], NEWS[4]]
    assert [at for at in range(len(table)) if table.is_bad(at)] == [1]
    assert (table.text(1), table.numbers[1]) == ("no digest", 2)
    assert (table.bad_lines, table.sizes_known, table.total_bytes) == (1, 2, 17)


def test_the_size_on_disk_fills_in_but_is_not_the_lines_own() -> None:
    table = table_of(*NEWS)
    table.put_size_on_disk(0, 0)
    table.put_size_on_disk(0, 9)
    table.put_size_on_disk(1, 9)
    table.put_size_on_disk(2, 9)

    assert [table.size(at) for at in range(4)] == [9, None, 17, 0]
    assert table.line(0).size is None
    assert table.is_bad(1)
    assert (table.sizes_known, table.total_bytes) == (3, 26)


def test_loading_hands_over_the_first_lines_early_and_all_at_the_end(tmp_path: Path) -> None:
    path = tmp_path / "SHA256SUMS"
    path.write_text("".join(f"{number:064x}  file-{number}\n" for number in range(1000)))
    table = LineTable()
    with open_manifest(path) as manifest:
        counts = list(load_lines(manifest, table, never))

    assert counts[0] == 100
    assert counts[-1] == len(table) == 1000
    assert table.is_complete and not table.is_cut


def test_a_manifest_that_is_too_long_is_cut_and_says_so(tmp_path: Path) -> None:
    path = tmp_path / "SHA256SUMS"
    path.write_text("".join(f"{number:064x}  file-{number}\n" for number in range(10)))
    for most, is_cut in ((9, True), (10, False)):
        table = LineTable()
        with open_manifest(path) as manifest:
            list(load_lines(manifest, table, never, most=most))
        assert (len(table), table.is_cut, table.is_complete) == (most, is_cut, not is_cut)


def test_stopping_ends_loading(tmp_path: Path) -> None:
    path = tmp_path / "SHA256SUMS"
    path.write_text("".join(f"{number:064x}  file-{number}\n" for number in range(1000)))
    stop = threading.Event()
    stop.set()
    with open_manifest(path) as manifest, pytest.raises(OperationStopped):
        list(load_lines(manifest, LineTable(), stop))


@pytest.fixture
def files(tmp_path: Path) -> Iterator[Path]:
    (tmp_path / "plain").write_bytes(b"12345")
    (tmp_path / "folder").mkdir()
    yield tmp_path


def line(name: str, size: int | None = None) -> ManifestLine:
    return ManifestLine(1, name, "ab" * 32, size)


def test_nothing_is_read_and_nothing_is_claimed_of_what_is_there(files: Path) -> None:
    table = table_of(
        line("plain"), line("plain", 5), line("plain", 6), line("absent"), line("folder"), line("plain/below"),
        BadLine(1, "plain"), line("-"), line("nul\x00"), line(str(files / "plain")), line("x" * 300),
    )  # fmt: skip
    there, missing = DiskState.THERE, DiskState.MISSING

    assert look(table, files, ManifestStates()) == [
        there, there, DiskState.CHANGED, missing, DiskState.UNREADABLE, missing,
        DiskState.UNKNOWN, DiskState.UNKNOWN, missing, there, DiskState.UNREADABLE,
    ]  # fmt: skip
    assert (table.size(0), table.size(3)) == (5, None)


def test_what_was_read_stays_until_the_file_changes_or_goes(files: Path) -> None:
    table, states = table_of(line("plain")), ManifestStates()
    states.record_disk(0, LineState.SAME)
    assert look(table, files, states) == [DiskState.SAME]

    states.put_disk(0, DiskState.SAME, moment=1000.0)  # a check of long ago: the file is younger
    assert look(table, files, states) == [DiskState.THERE]

    states.record_disk(0, LineState.SAME)
    (files / "plain").unlink()
    assert look(table, files, states) == [DiskState.MISSING]
    (files / "plain").write_bytes(b"12345")
    assert look(table, files, states) == [DiskState.THERE]


def test_the_records_say_what_is_known_of_the_vault(tmp_path: Path) -> None:
    vault, digests = Vault(MemoryStore()), [hashlib.sha256(bytes([n])).hexdigest() for n in range(3)]
    evidence = EvidenceTable(open_state_database(tmp_path / "state.sqlite3"))
    identity = vault.store.identity
    evidence.record(Evidence(identity, vault.key(digests[0]), EvidenceLevel.ATTESTED, digests[0], 1, 1.7e9, "HEAD"))
    evidence.record(Evidence(identity, vault.key(digests[1]), EvidenceLevel.DAMAGED, digests[2], 1, 1.7e9, "Read"))
    table, states = table_of(*(ManifestLine(n, "x", digests[n]) for n in range(3)), BadLine(4, "bad")), ManifestStates()
    states.begin_vault(vault.store.identity, vault.prefix, "lab")
    list(look_at_records(table, evidence, states, never))

    assert [states.vault.get(at) for at in range(4)] == [40, VaultState.DAMAGED, 0, 0]
    assert states.vault.moment(0) == 1.7e9


def test_records_do_not_take_the_place_of_a_later_look(tmp_path: Path) -> None:
    vault, digest = Vault(MemoryStore()), "ab" * 32
    evidence = EvidenceTable(open_state_database(tmp_path / "state.sqlite3"))
    evidence.record(Evidence(vault.store.identity, vault.key(digest), EvidenceLevel.READ, digest, 1, 1.6e9, "Read"))
    table, states = table_of(ManifestLine(1, "x", digest)), ManifestStates()
    states.begin_vault(vault.store.identity, vault.prefix, "lab")
    states.vault.put(0, VaultState.ABSENT, 1.7e9)
    list(look_at_records(table, evidence, states, never))

    assert states.vault.get(0) == VaultState.ABSENT


def test_a_line_costs_little_beside_its_name() -> None:
    table, states = LineTable(), ManifestStates()
    count = 20_000
    gc.collect()
    tracemalloc.start()
    for number in range(count):
        table.append(ManifestLine(number + 1, f"raw/2026/measurement-{number:07d}.dat", f"{number:064x}"))
        states.put_disk(number, DiskState.SAME)
        states.vault.put(number, VaultState.HELD)
    used, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert used / count <= 140
