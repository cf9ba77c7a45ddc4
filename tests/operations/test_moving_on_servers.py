"""Moves to, within and from servers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from archive_tui.objects.azure.store import AzureStore
from archive_tui.objects.folder.store import FolderStore
from archive_tui.objects.object_store import ObjectStore
from archive_tui.objects.s3 import S3Store
from archive_tui.operations.copying import plan_copy
from archive_tui.operations.deleting import delete_objects
from archive_tui.operations.moving import move_objects
from archive_tui.operations.renaming import rename_objects
from tests.conformance.store_samples import MIB, listed_keys, make_content, put_bytes, read_all
from tests.jobs.kinds.job_work import MemoryJournal
from tests.servers.azurite import AzuriteServer

NAMES = {
    "plain.txt": b"plain",
    "empty": b"",
    "with a space/日本語.csv": b"1,2,3\n",
    "what? #1 100% a+b.txt": b"odd",
    "large.dat": make_content(5 * MIB),
    **{f"many/{number:03}": b"%d" % number for number in range(20)},
}


@pytest.mark.parametrize("kind", ["seaweedfs_server", "azurite_server"])
def test_there_within_and_back(kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    server: Any = request.getfixturevalue(kind)
    store: ObjectStore
    if isinstance(server, AzuriteServer):
        store = AzureStore(server.new_container(), conn_str=server.conn_str)
    else:
        store = S3Store(server.new_bucket(), **server.settings())
    here = FolderStore(tmp_path / "here", read_only_objects=False, enters_symlinks=False)
    for name, content in NAMES.items():
        put_bytes(here, name, content)
    with store:
        there = move_objects(plan_copy(here, [""], store, "in/"))
        assert (there.moved, there.finding_count, listed_keys(here)) == (len(NAMES), 0, [])
        journal = MemoryJournal()
        renamed = rename_objects(store, [("in/", "new/")], journal=journal)
        assert (renamed.renamed, renamed.objects, renamed.finding_count) == (1, len(NAMES), 0)
        assert {key.partition("/")[0] for key in listed_keys(store)} == {"new"}
        back = move_objects(plan_copy(store, [""], here, base="new/"))
        assert (back.moved, back.finding_count, listed_keys(store)) == (len(NAMES), 0, [])
    assert {key: read_all(here, key) for key in listed_keys(here)} == NAMES


@pytest.mark.slow
def test_a_deletion_of_a_hundred_thousand_objects_that_is_interrupted(tmp_path: Path) -> None:
    from archive_tui.errors import StorageUnavailable
    from archive_tui.objects.memory import MemoryStore
    from archive_tui.objects.wrappers.faulty_store import Fault, FaultyStore

    store, journal = MemoryStore(), MemoryJournal()
    for number in range(100_000):
        put_bytes(store, f"old/{number % 100}/{number}", b"x")
    put_bytes(store, "kept", b"x")
    runs = 0
    while len(listed_keys(store)) > 1:
        runs += 1
        try:
            delete_objects(
                FaultyStore(store, Fault("delete", call=9_000 * runs)), ["old/"], confirmed=100_000, journal=journal
            )
        except StorageUnavailable:
            assert len(listed_keys(store)) > 1
    assert runs > 3
    assert listed_keys(store) == ["kept"]
