"""Rules of the house that no linter knows. Each test names every place that breaks its rule."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from tests.architecture.sources import ROOT, imported_names, load_modules

LONGEST_MODULE = 300
LONGEST_FUNCTION = 40

LONG_MODULES: dict[str, str] = {}
"""Modules that may be longer, each with its reason."""

LONG_FUNCTIONS: dict[str, str] = {}
"""Functions that may be longer, as module:function, each with its reason."""

DRAWERS = {"utils", "util", "helpers", "helper", "common", "manager", "base", "data", "info", "misc"}

FACES = [m for m in load_modules() if m.name.startswith(("archive_tui.tui.screens", "archive_tui.tui.widgets"))]


def _functions(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def _body_length(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines of code: neither the signature nor the docstring."""
    body = function.body[1:] if ast.get_docstring(function) is not None and len(function.body) > 1 else function.body
    assert function.end_lineno is not None
    return function.end_lineno - body[0].lineno + 1


def _module_lengths() -> dict[str, int]:
    return {module.name: len(module.text.splitlines()) for module in load_modules()}


def _function_lengths() -> dict[str, int]:
    return {f"{m.name}:{f.name}": _body_length(f) for m in load_modules() for f in _functions(m.tree)}


def test_modules_are_short() -> None:
    long = {name: length for name, length in _module_lengths().items() if length > LONGEST_MODULE}
    assert set(long) == set(LONG_MODULES), long
    assert all(LONG_MODULES.values())


def test_functions_are_short() -> None:
    long = {name: length for name, length in _function_lengths().items() if length > LONGEST_FUNCTION}
    assert set(long) == set(LONG_FUNCTIONS), long
    assert all(LONG_FUNCTIONS.values())


def test_no_module_is_a_drawer() -> None:
    assert [module.name for module in load_modules() if set(module.name.split(".")) & DRAWERS] == []


def test_every_module_says_what_it_is_for() -> None:
    silent = [m.relative for m in load_modules() if m.text.strip() and not ast.get_docstring(m.tree)]
    assert silent == []


def _stream_written_to(function: ast.expr) -> str | None:
    if isinstance(function, ast.Name):
        return "print" if function.id == "print" else None
    if not isinstance(function, ast.Attribute):
        return None
    if function.attr in ("echo", "secho"):
        return "print"
    stream = function.value
    is_stream = isinstance(stream, ast.Attribute) and stream.attr in ("stdout", "stderr")
    return stream.attr if isinstance(stream, ast.Attribute) and is_stream and function.attr == "write" else None


def test_only_output_and_diagnostics_write_to_the_standard_streams() -> None:
    allowed = {
        "stdout": "archive_tui.cli.output",
        "print": "archive_tui.cli.output",
        "stderr": "archive_tui.cli.diagnostics",
    }
    for module in load_modules():
        for node in ast.walk(module.tree):
            if isinstance(node, ast.Call) and (word := _stream_written_to(node.func)) is not None:
                assert module.name == allowed[word], f"{module.relative}:{node.lineno} writes to {word}"


def test_screens_and_widgets_do_no_work() -> None:
    sdks = ("boto3", "botocore", "azure", "obstore", "zipfile", "hashlib", "sqlite3")
    for module in FACES:
        for name, line in imported_names(module.tree):
            assert name.split(".")[0] not in sdks, f"{module.relative}:{line} imports {name}"
        for node in ast.walk(module.tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                assert node.func.id != "open", f"{module.relative}:{node.lineno} opens a file"


def test_screens_and_widgets_do_not_catch_everything() -> None:
    for module in FACES:
        for node in ast.walk(module.tree):
            if isinstance(node, ast.ExceptHandler):
                assert node.type is not None, f"{module.relative}:{node.lineno} catches everything"
                names = {name.id for name in ast.walk(node.type) if isinstance(name, ast.Name)}
                assert not names & {"Exception", "BaseException"}, f"{module.relative}:{node.lineno} catches everything"


def test_sources_hold_no_notes_to_oneself() -> None:
    words = ("TO" + "DO", "FIX" + "ME", "XX" + "X")
    assert [(m.relative, word) for m in load_modules() for word in words if word in m.text] == []


def test_nothing_refers_to_a_package_registry() -> None:
    hosts = ("pypi" + ".org", "npmjs" + ".org", "npmjs" + ".com", "pythonhosted" + ".org")
    texts = [path for suffix in ("*.md", "*.ini", "*.toml") for path in ROOT.glob(suffix)]
    texts += [*(ROOT / "docs").rglob("*.md"), *(ROOT / ".ci").iterdir(), *(ROOT / "tests").rglob("*.py")]
    texts += [module.path for module in load_modules()]
    for path in texts:
        content = path.read_text(encoding="utf-8", errors="replace")
        assert not [host for host in hosts if host in content], path
