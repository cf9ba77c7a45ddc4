"""Rules of the interface that its source can be held to."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import archive_tui.tui

TUI = Path(archive_tui.tui.__file__).parent
SCREENS_AND_WIDGETS = sorted((TUI / "screens").rglob("*.py")) + sorted((TUI / "widgets").rglob("*.py"))


@pytest.mark.parametrize("path", SCREENS_AND_WIDGETS, ids=lambda path: str(path.relative_to(TUI)))
def test_screens_and_widgets_open_no_file_name_no_sdk_and_swallow_nothing(path: Path) -> None:
    source = path.read_text()

    assert re.findall(r"(?<![\w.])open\(|except Exception|except BaseException|except:", source) == []
    assert re.findall(r"\b(boto3|botocore|azure|obstore)\b", source) == []


def test_the_app_stays_small() -> None:
    assert all(len((TUI / name).read_text().splitlines()) <= 200 for name in ("app.py", "archive_app.py"))
