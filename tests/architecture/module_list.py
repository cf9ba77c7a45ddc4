"""Writes the list of modules into docs/architecture.md: python -m tests.architecture.module_list."""

from __future__ import annotations

import ast
import re

from tests.architecture.sources import PACKAGE, ROOT, load_modules


def format_list() -> str:
    """One row for each module: its path and the first sentence of its docstring."""
    rows = ["| module | what it is for |", "|---|---|"]
    for module in sorted(load_modules(), key=lambda module: (module.path.parent, module.path.name)):
        summary = ast.get_docstring(module.tree)
        if summary:
            line = " ".join(summary.split("\n\n")[0].split()).replace("|", "\\|")
            rows.append(f"| `{module.path.relative_to(PACKAGE)}` | {line} |")
    return "\n".join(rows) + "\n"


if __name__ == "__main__":
    page = ROOT / "docs" / "architecture.md"
    text = page.read_text(encoding="utf-8")
    listed = re.compile(r"(<!-- modules -->\n).*?(<!-- end of modules -->)", re.DOTALL)
    page.write_text(listed.sub(lambda match: match[1] + format_list() + match[2], text), encoding="utf-8")
