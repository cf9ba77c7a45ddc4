"""The documentation says what the program does: compared with the program, run, or both."""

from __future__ import annotations

import ast
import configparser
import re
import subprocess
from pathlib import Path

import click
import pytest

from archive_tui.cli.root import COMMANDS, root
from tests.architecture.error_codes import find_codes
from tests.architecture.sources import ROOT, load_modules

DOCS = ROOT / "docs"
PAGES = sorted([*DOCS.glob("*.md"), ROOT / "README.md", ROOT / "CHANGELOG.md"])

CODES_OF_THE_COMMAND_LINE = {"usage", "system"}


def read(page: str) -> str:
    return (ROOT / page).read_text(encoding="utf-8")


def block_after(text: str, marker: str) -> str:
    """The content of the code block that follows a marker."""
    found = re.search(re.escape(marker) + r"\n```sh\n(.*?)\n```", text, re.DOTALL)
    assert found is not None, f"no block after {marker}"
    return found[1]


def commands() -> dict[str, click.Command]:
    """Every command by its words."""
    found: dict[str, click.Command] = {}
    for name, entry in COMMANDS.items():
        command = entry.load()
        found[name] = command
        if isinstance(command, click.Group):
            context = click.Context(command)
            for below in command.list_commands(context):
                loaded = command.get_command(context, below)
                assert loaded is not None
                found[f"{name} {below}"] = loaded
    return found


def test_every_code_is_explained_and_none_else() -> None:
    explained = re.findall(r"^\| `([a-z0-9-]+)` \|", read("docs/errors.md"), re.MULTILINE)
    assert len(explained) == len(set(explained)), "a code is explained twice"
    codes = set(find_codes()) - {""} | CODES_OF_THE_COMMAND_LINE
    assert codes - set(explained) == set()
    assert set(explained) - codes == set()


def test_the_collector_of_codes_sees_the_ways_in_which_codes_are_given() -> None:
    codes = find_codes()
    for code in ("object-exists", "unknown-key", "path-parent", "archive-overlap", "symlink-loop", "folder-vanished"):
        assert code in codes


def test_the_run_and_test_commands_are_those_that_are_proven() -> None:
    readme = read("README.md")
    run = "python3 -m venv .venv && .venv/bin/pip install . && .venv/bin/archive-tui"
    test = "python3 -m venv .venv && .venv/bin/pip install -e '.[test]' && .venv/bin/python -m pytest"
    assert block_after(readme, "<!-- run command -->") == run
    assert block_after(readme, "<!-- test command -->") == test
    assert read(".ci/run").splitlines().count(test) == 1


def test_the_run_of_the_proof_requires_every_server() -> None:
    script = ROOT / ".ci" / "run"
    assert script.stat().st_mode & 0o111, "it cannot be executed"
    assert subprocess.run(["bash", "-n", str(script)], check=False).returncode == 0
    required = re.search(r"ARCHIVE_TUI_REQUIRED_SERVERS=(\S+)", script.read_text())
    assert required is not None
    named = set(required[1].split(","))
    known = {
        word
        for path in (ROOT / "tests").rglob("*.py")
        for word in re.findall(r"(?:skip_missing_server|find_program)\(\s*\"(\w+)\"", path.read_text(encoding="utf-8"))
    } - {"weed", "x"}  # the program of seaweedfs, and a name in the test of this mechanism
    assert {"moto", "seaweedfs", "rclone", "azurite"} <= named
    assert known - named == set(), "tests would be skipped where nothing may be"


def test_the_readme_lists_every_command() -> None:
    table = read("README.md")
    for words, command in commands().items():
        if not isinstance(command, click.Group):
            assert f"`archive-tui {words}" in table, words


def test_the_command_line_reference_is_the_programs_own_help() -> None:
    from tests.architecture.command_line_page import format_page

    assert read("docs/command-line.md") == format_page(), "run: python -m tests.architecture.command_line_page"


def test_every_command_and_option_in_the_documentation_exists() -> None:
    known = commands()
    for page in PAGES:
        for line in re.findall(r"archive-tui ([a-z][^`|\n#]*)", page.read_text(encoding="utf-8")):
            _check_command_line(page, line.split(), known)


def _check_command_line(page: Path, words: list[str], known: dict[str, click.Command]) -> None:
    if not words or words[0] not in COMMANDS:
        return
    name = " ".join(words[:2]) if " ".join(words[:2]) in known else words[0]
    options = {option for parameter in known[name].params for option in parameter.opts} | {"--help", "--version"}
    for word in words:
        if re.fullmatch(r"--?[a-z][a-z-]*", word):
            assert word in options, f"{page.name}: archive-tui {' '.join(words)}: no option {word}"


def test_links_lead_somewhere() -> None:
    for page in PAGES:
        for target in re.findall(r"\]\(([^)#]+?)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
            if "://" not in target and not target.startswith("screenshots/"):
                assert (page.parent / target).exists(), f"{page.name} links to {target}"


def test_each_guarantee_names_a_test_that_exists() -> None:
    page = read("docs/guarantees.md")
    named = re.findall(r"`(tests/[\w/]+\.py)(?:::(\w+))?(?:::(\w+))?`", page)
    assert len(named) > 20
    for path, *names in named:
        assert (ROOT / path).is_file(), path
        defined = {
            node.name
            for node in ast.walk(ast.parse(read(path)))
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
        }
        assert {name for name in names if name} <= defined, f"{path} has no {names}"


def test_each_sentence_of_the_guarantees_has_its_test() -> None:
    for line in read("docs/guarantees.md").splitlines():
        if line.startswith("- "):
            assert "`tests/" in line, f"no test is named: {line}"


def test_the_list_of_modules_is_that_of_the_package() -> None:
    page = read("docs/architecture.md")
    listed = re.search(r"<!-- modules -->\n(.*?)<!-- end of modules -->", page, re.DOTALL)
    assert listed is not None
    names = re.findall(r"^\| `([\w./]+)` \|", listed[1], re.MULTILINE)
    exist = {str(m.path.relative_to(ROOT / "archive_tui")) for m in load_modules() if m.text.strip()}
    assert set(names) == exist, "run: python -m tests.architecture.module_list"
    assert len(names) == len(set(names))


def test_the_floors_of_the_page_are_those_of_the_contracts() -> None:
    from tests.architecture.test_floors import floor_rooms

    page = read("docs/architecture.md")
    rows = [line for line in page.splitlines() if line.startswith("| ") and "`" in line.split("|")[2]][
        : len(floor_rooms())
    ]
    rooms = [set(re.findall(r"`(\w+)`", row.split("|")[2])) for row in rows]
    contracts = [{room.removeprefix("archive_tui.") for room in floor} for floor in floor_rooms()]
    assert set().union(*rooms) == set().union(*contracts)


def test_the_example_settings_explain_every_key_and_no_other() -> None:
    from archive_tui.core import AwsStorageClient, AzureStorageClient, HttpStorageClient, LocalStorageClient
    from archive_tui.settings import DATASAFE_KEY, LIMIT_KEYS, PROGRAM_KEYS, RESULTS_KEY

    text = read("settings.example.ini")
    parser = configparser.ConfigParser(interpolation=None)
    parser.read_string(re.sub(r"^;(\w+ =)", r"\1", text, flags=re.MULTILINE))
    for section, known in (
        # explained once for all storages
        ("lab-folder", (*LocalStorageClient.known_keys, DATASAFE_KEY, RESULTS_KEY, *LIMIT_KEYS)),
        ("lab-s3", AwsStorageClient.known_keys),
        ("lab-azure", AzureStorageClient.known_keys),
        ("lab-safe", HttpStorageClient.known_keys),
        ("archive-tui", PROGRAM_KEYS),
    ):
        shown = set(parser[section]) - (set(parser.defaults()) if section == "archive-tui" else set())
        assert shown == set(known), section


def test_the_example_settings_can_be_loaded_as_they_are(tmp_path: Path) -> None:
    from archive_tui.archives.storages import open_storage
    from archive_tui.settings import load_settings

    settings = load_settings(ROOT / "settings.example.ini")
    assert settings.remarks == ()
    for name in settings.storages:
        assert open_storage(settings, name).name == name


def python_examples() -> list[tuple[str, str]]:
    text = read("docs/python.md")
    parts = re.split(r"^## ", text, flags=re.MULTILINE)[1:]
    blocks = [(part.splitlines()[0], "\n".join(re.findall(r"```python\n(.*?)```", part, re.DOTALL))) for part in parts]
    return [(title, code) for title, code in blocks if code]


@pytest.mark.parametrize(("title", "code"), python_examples(), ids=lambda value: value if len(value) < 60 else "")
def test_python_examples_run(title: str, code: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    settings = re.search(r"```ini\n(.*?)```", read("docs/python.md"), re.DOTALL)
    assert settings is not None
    Path("settings.ini").write_text(settings[1])
    source = Path("work/station-07")
    source.mkdir(parents=True)
    (source / "README.md").write_text("# Station 07\n")
    (source / "table.csv").write_text("hour,speed\n1,3.5\n")
    Path("work/notes.txt").write_text("notes")
    if title == "Publish and fetch":  # the second version needs a change
        code = code.replace(
            'client.upload_dataset("station-07", v',
            f'open("{source}/new", "w").close()\nclient.upload_dataset("station-07", v',
        )
    exec(compile(code, title, "exec"), {"__name__": "example"})


def test_the_python_example_of_the_readme_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = re.search(r"```python\n(.*?)```", read("README.md"), re.DOTALL)
    assert found is not None
    monkeypatch.chdir(tmp_path)
    keys = "storage_client = archive_tui.core.LocalStorageClient\nstorage_area = archive\nlocal_path = work\n"
    Path("settings.ini").write_text(f"[lab-archive]\n{keys}")
    Path("work/station-07").mkdir(parents=True)
    Path("work/station-07/table.csv").write_text("1,2\n")
    exec(compile(found[1], "README.md", "exec"), {"__name__": "example"})
    assert Path("work/station-07.0.0.1/table.csv").is_file()


def test_the_page_of_benchmarks_lists_what_can_be_measured() -> None:
    from tests.benchmarks.__main__ import find_benchmarks

    page = read("docs/benchmarks.md")
    listed = re.findall(r"^\| `(\w+)` \|", page, re.MULTILINE)
    assert sorted(listed) == sorted(find_benchmarks())


def test_the_version_is_the_same_everywhere() -> None:
    import tomllib

    from archive_tui import __version__

    assert tomllib.loads(read("pyproject.toml"))["project"]["version"] == __version__
    assert f"\n## {__version__}" in read("CHANGELOG.md")


def test_the_root_command_is_documented_as_a_group() -> None:
    assert isinstance(root, click.Group)
    assert set(COMMANDS) == set(root.list_commands(click.Context(root)))
