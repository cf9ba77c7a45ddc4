"""What is imported when: seen in sys.modules of fresh interpreters."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = ("textual", "rich", "boto3", "botocore", "azure", "obstore", "isal", "sqlite3", "asyncio", "importlib.metadata")

_REPORT = """
import json, sys
def loaded():
    return json.dumps(sorted(name for name in sys.modules))
"""


def _modules_after(code: str, folder: Path) -> set[str]:
    run = subprocess.run(
        [sys.executable, "-c", f"{_REPORT}\n{code}\nprint('MODULES' + loaded())"],
        capture_output=True,
        text=True,
        cwd=folder,
        timeout=60,
        check=True,
        env=_environment(),
    )
    return set(json.loads(run.stdout.rpartition("MODULES")[2]))


def _environment() -> dict[str, str]:
    import os

    root = str(Path(__file__).parents[2])
    return {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, (root, os.environ.get("PYTHONPATH", ""))))}


def _roots(modules: set[str], names: tuple[str, ...]) -> set[str]:
    return {name for name in names if name in modules}


@pytest.mark.parametrize(
    "arguments",
    [
        ["--help"],
        ["--version"],
        ["dataset", "--help"],
        ["dataset", "publish", "--help"],
        ["storage", "--help"],
        ["jobs", "--help"],
        ["jobs", "list", "--help"],
        ["jobs", "run", "--help"],
    ],
    ids=" ".join,
)
def test_help_imports_nothing_heavy(arguments: list[str], tmp_path: Path) -> None:
    code = f"from archive_tui.cli.entry import run_command_line\nassert run_command_line({arguments!r}) == 0"
    assert _roots(_modules_after(code, tmp_path), HEAVY) == set()


def test_help_of_the_program_imports_no_command(tmp_path: Path) -> None:
    code = "from archive_tui.cli.entry import run_command_line\nassert run_command_line(['--help']) == 0"
    ours = {name for name in _modules_after(code, tmp_path) if name.startswith("archive_tui")}
    assert not ours & {"archive_tui.cli.dataset", "archive_tui.cli.ls", "archive_tui.settings", "archive_tui.archives"}


def test_looking_at_jobs_imports_no_sdk_and_no_screen(tmp_path: Path) -> None:
    code = (
        "from archive_tui.cli.entry import run_command_line\nassert run_command_line(['jobs', 'list', '--quiet']) == 0"
    )
    heavy = ("textual", "rich", "boto3", "botocore", "azure", "obstore", "isal", "importlib.metadata")
    assert _roots(_modules_after(code, tmp_path), heavy) == set()


def test_importing_the_package_costs_nothing(tmp_path: Path) -> None:
    before = _modules_after("", tmp_path)
    assert _modules_after("import archive_tui", tmp_path) - before == {"archive_tui"}


def test_the_dataset_functions_import_no_sdk_and_no_face(tmp_path: Path) -> None:
    modules = _modules_after("import archive_tui.core", tmp_path)
    assert _roots(modules, ("textual", "rich", "click", "boto3", "botocore", "azure", "obstore")) == set()


def test_listing_a_folder_imports_no_sdk_and_no_screen(tmp_path: Path) -> None:
    (tmp_path / "x.txt").write_text("x")
    code = "from archive_tui.cli.entry import run_command_line\nassert run_command_line(['ls', '.']) == 0"
    assert _roots(_modules_after(code, tmp_path), ("textual", "rich", "boto3", "botocore", "azure", "obstore")) == set()


def test_publishing_to_a_folder_imports_no_sdk_and_no_screen(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "x.txt").write_text("x")
    words = ["dataset", "publish", "local", "data"]
    code = f"from archive_tui.cli.entry import run_command_line\nassert run_command_line({words!r}) == 0"
    assert _roots(_modules_after(code, tmp_path), ("textual", "rich", "boto3", "botocore", "azure", "obstore")) == set()


def test_every_public_name_can_be_imported() -> None:
    import archive_tui.core as core

    for name in core.__all__:
        assert getattr(core, name) is not None
