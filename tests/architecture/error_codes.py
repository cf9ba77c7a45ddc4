"""Every code that an error or a refusal of the package can carry, found in the sources."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from archive_tui import errors
from tests.architecture.sources import Module, load_modules

_CODE = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_RULE = re.compile(r"(path|key|name|version|clash)(-[a-z0-9]+)+")
_REFUSING = {"refuse", "refuse_member", "_refuse"}


def find_codes() -> dict[str, set[str]]:
    """Codes, each with the modules that use it."""
    found: dict[str, set[str]] = {}
    for module in load_modules():
        for code in _codes_in(module):
            found.setdefault(code, set()).add(module.name)
    return found


def _codes_in(module: Module) -> Iterator[str]:
    constants = _text_constants(module.tree)
    if module.name == "archive_tui.errors":
        yield from (text for name, text in constants if name == "code")
    if module.name.startswith("archive_tui.names."):
        texts = (node.value for node in ast.walk(module.tree) if isinstance(node, ast.Constant))
        yield from (text for text in texts if isinstance(text, str) and _RULE.fullmatch(text))
    named = dict(constants)
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Call):
            yield from _codes_of_call(node, named)
        elif isinstance(node, ast.Return) and isinstance(node.value, ast.Tuple):
            yield from _code_of_explanation(node.value.elts, named)


def _codes_of_call(call: ast.Call, named: dict[str, str]) -> Iterator[str]:
    for keyword in call.keywords:
        if keyword.arg == "code":
            yield from _texts(keyword.value, named)
    function = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    if function in _REFUSING:
        for argument in call.args:
            yield from (text for text in _texts(argument, named) if _CODE.fullmatch(text))
    if function == "_remark" and len(call.args) > 2:
        yield from _texts(call.args[2], named)


def _code_of_explanation(parts: list[ast.expr], named: dict[str, str]) -> Iterator[str]:
    """A function may return what an error is made of: its class first, its code last."""
    if parts and isinstance(parts[0], ast.Name) and parts[0].id in errors.__all__:
        yield from _texts(parts[-1], named)


def _texts(node: ast.expr, named: dict[str, str]) -> Iterator[str]:
    """The texts that an expression can be: a constant, the name of one, or a choice between two."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.Name) and node.id in named:
        yield named[node.id]
    elif isinstance(node, ast.IfExp):
        yield from _texts(node.body, named)
        yield from _texts(node.orelse, named)


def _text_constants(tree: ast.Module) -> list[tuple[str, str]]:
    return [
        (target.id, node.value.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
        for target in node.targets
        if isinstance(target, ast.Name)
    ]
