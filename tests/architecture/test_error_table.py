"""The faces turn errors into statuses from one table; nothing in the tree may be missing from it."""

from __future__ import annotations

import pytest

from archive_tui import errors
from archive_tui.cli.diagnostics import COULD_NOT_LOOK, STATUS_OF_ERROR, STATUS_OF_VERDICT, ExitStatus, status_of
from archive_tui.errors import ArchiveError
from archive_tui.integrity.report import Verdict
from tests.architecture.sources import ROOT


def _tree(root: type[ArchiveError]) -> set[type[ArchiveError]]:
    return {root}.union(*(_tree(child) for child in root.__subclasses__()))


TREE = sorted(
    (kind for kind in _tree(ArchiveError) if kind.__module__ == "archive_tui.errors"), key=lambda kind: kind.__name__
)


def test_the_table_has_exactly_the_tree() -> None:
    assert set(STATUS_OF_ERROR) == set(TREE)


def test_every_verdict_has_a_status() -> None:
    assert set(STATUS_OF_VERDICT) == set(Verdict)


@pytest.mark.parametrize("kind", TREE, ids=lambda kind: kind.__name__)
def test_every_error_has_a_code_of_its_own_and_a_status_that_is_no_success(kind: type[ArchiveError]) -> None:
    assert "code" in vars(kind)
    assert status_of(kind("message")) is not ExitStatus.CLEAN
    assert kind.__name__ in errors.__all__


@pytest.mark.parametrize("kind", COULD_NOT_LOOK, ids=lambda kind: kind.__name__)
def test_an_error_that_says_nothing_about_the_data_makes_a_verification_inconclusive(kind: type[ArchiveError]) -> None:
    assert status_of(kind("message"), verifying=True) is ExitStatus.INCONCLUSIVE
    assert status_of(kind("message")) is ExitStatus.FINDINGS


def test_the_docstring_draws_the_whole_tree() -> None:
    assert errors.__doc__ is not None
    for kind in TREE:
        assert kind.__name__ in errors.__doc__


def test_the_page_of_exit_statuses_lists_every_status() -> None:
    page = (ROOT / "docs" / "exit-codes.md").read_text(encoding="utf-8")
    cells = [line.split("|")[1].strip() for line in page.splitlines() if line.startswith("|")]
    assert {int(cell) for cell in cells if cell.isdigit()} == {int(status) for status in ExitStatus}
