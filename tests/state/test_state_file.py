"""Where a file lies decides how it is shared."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from archive_tui.state import state_file
from archive_tui.state.database import open_state_database
from archive_tui.state.state_file import is_on_network

MOUNTS = """\
22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
30 22 0:50 / /home rw,relatime shared:2 - nfs4 server:/home rw,vers=4.2
31 30 8:2 / /home/local rw - xfs /dev/sdb rw
32 22 0:51 / /mnt/with\\040space rw - cifs //server/share rw
33 22 0:52 / /mnt/usb rw - fuseblk /dev/sdc1 rw
"""


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/var/state.sqlite3", False),
        ("/home/ada/state.sqlite3", True),
        ("/home/local/ada/state.sqlite3", False),
        ("/mnt/with space/state.sqlite3", True),
        ("/mnt/usb/state.sqlite3", False),
        ("/homes/state.sqlite3", False),
    ],
)
def test_shared_folders_of_several_computers_are_known(tmp_path: Path, path: str, expected: bool) -> None:
    mounts = tmp_path / "mountinfo"
    mounts.write_text(MOUNTS)
    assert is_on_network(Path(path), mounts) is expected


def test_nobody_else_may_read_what_somebody_does(tmp_path: Path) -> None:
    mask = os.umask(0o022)
    try:
        path = tmp_path / "state.sqlite3"
        with closing(open_state_database(path)) as database:
            assert database.write(lambda connection: connection.execute("PRAGMA user_version").fetchone())
            modes = {file.name: oct(file.stat().st_mode & 0o777) for file in tmp_path.iterdir()}
    finally:
        os.umask(mask)
    assert path.name in modes
    assert set(modes.values()) == {"0o600"}, modes


def test_a_system_that_does_not_tell(tmp_path: Path) -> None:
    assert not is_on_network(Path("/home"), tmp_path / "absent")
    (tmp_path / "odd").write_text("nonsense\n\n - \n")
    assert not is_on_network(Path("/home"), tmp_path / "odd")


@pytest.mark.parametrize(("shared", "mode"), [(False, "wal"), (True, "delete")])
def test_the_journal_suits_the_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, shared: bool, mode: str) -> None:
    monkeypatch.setattr(state_file, "is_on_network", lambda path: shared)
    path = tmp_path / "state.sqlite3"
    for _ in range(2):
        database = open_state_database(path)
        assert database.write(lambda connection: None)
        database.close()
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == (mode,)
