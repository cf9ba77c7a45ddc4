from __future__ import annotations

from pathlib import Path

import pytest

from archive_tui.errors import AccessDenied, StorageError, StorageUnavailable
from archive_tui.objects.folder.store import FolderStore
from archive_tui.objects.memory import MemoryStore
from archive_tui.objects.wrappers.faulty_store import Fault, FaultyStore
from archive_tui.operations.marked_places import find_marked_place, refuse_in_marked_places
from tests.conformance.store_samples import put_bytes


@pytest.mark.parametrize(
    ("mark", "what"), [(".datasafe.json", "a datasafe"), (".manifest/manifest.yaml", "a results store")]
)
def test_all_below_a_mark_belongs_to_it(mark: str, what: str, tmp_path: Path) -> None:
    memory, folder = MemoryStore(), FolderStore(tmp_path / "root")
    for store in (memory, folder):
        put_bytes(store, f"deep/place/{mark}", b"{}")
        assert find_marked_place(store, "deep/place/a/b/c") == what
        assert find_marked_place(store, "deep/place/x") == what
        assert find_marked_place(store, "deep/other") is None
        with pytest.raises(StorageError, match=f"what {what} keeps is never renamed this way"):
            refuse_in_marked_places(store, "deep/place/", ["x", "y/"], "renamed")
        refuse_in_marked_places(store, "deep/", ["x", ""], "renamed")
    assert find_marked_place(FolderStore(tmp_path / "root/deep/place/a"), "x") == what


def test_a_link_into_such_a_place_is_no_way_around(tmp_path: Path) -> None:
    put_bytes(FolderStore(tmp_path / "safe"), ".datasafe.json", b"{}")
    (tmp_path / "safe/1").mkdir()
    (tmp_path / "link").symlink_to("safe/1")
    assert find_marked_place(FolderStore(tmp_path / "link", read_only_objects=False), "x") == "a datasafe"


def test_what_lies_above_may_be_denied_and_may_not_be_out_of_reach() -> None:
    store = MemoryStore()
    put_bytes(store, "a/.datasafe.json", b"{}")
    assert find_marked_place(FaultyStore(store, Fault("info", call=0, error=AccessDenied("no"))), "x/y") is None
    with pytest.raises(StorageUnavailable):
        find_marked_place(FaultyStore(store, Fault("info")), "x/y")
