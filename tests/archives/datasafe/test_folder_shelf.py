from __future__ import annotations

from pathlib import Path

import pytest

from archive_tui.archives.datasafe.folder_shelf import FolderShelf
from tests.archives.datasafe.shelf_suite import Reopen, ShelfSuite


class TestFolderShelf(ShelfSuite):
    @pytest.fixture
    def shelf(self, tmp_path: Path) -> FolderShelf:
        return FolderShelf(tmp_path / "safe")

    @pytest.fixture
    def reopen(self, tmp_path: Path) -> Reopen:
        return lambda: FolderShelf(tmp_path / "safe")
