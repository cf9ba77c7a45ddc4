"""The page that a browser shows: the datasets with their states, as plain HTML."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from html import escape

from archive_tui.archives.datasafe.safe import SafeEntry, SafeState
from archive_tui.names.display import escape_for_display
from archive_tui.names.quantities import format_count, format_size

MOST_ROWS = 2000

_MARKS = {SafeState.RESERVED: "○", SafeState.DEPOSITED: "●", SafeState.DAMAGED: "✗"}
_STYLE = (
    "body{font:15px/1.5 system-ui,sans-serif;margin:2em auto;max-width:60em;padding:0 1em}"
    "table{border-collapse:collapse;width:100%}td,th{padding:.2em .6em;text-align:left;border-bottom:1px solid #ccc}"
    "td.n,th.n{text-align:right}code{font-size:14px}"
)


def format_index_page(entries: Iterable[SafeEntry], title: str) -> str:
    """Returns the page; nothing of it needs JavaScript, and every name is escaped."""
    return "".join(_parts(list(entries), escape(escape_for_display(title))))


def _parts(entries: list[SafeEntry], title: str) -> Iterator[str]:
    yield f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title><style>{_STYLE}</style>'
    yield f"<h1>{title}</h1><p>{_summary(entries)}</p>"
    if entries:
        yield '<table><tr><th>LOI<th>State<th class="n">Files<th class="n">Size'
        for entry in entries[:MOST_ROWS]:
            yield _row(entry)
        yield "</table>"
    if len(entries) > MOST_ROWS:
        yield f"<p>Only the first {MOST_ROWS:,} are shown here; <code>GET /api/</code> lists all of them as JSON.</p>"
    yield '<p>Programs: <a href="/openapi.json">OpenAPI description</a>.</p></html>'


def _summary(entries: list[SafeEntry]) -> str:
    counts = ", ".join(
        f"{sum(entry.state is state for entry in entries):,} {state}"
        for state in SafeState
        if any(entry.state is state for entry in entries)
    )
    return f"{format_count(len(entries), 'dataset')}{': ' if counts else ' yet.'}{counts}"


def _row(entry: SafeEntry) -> str:
    loi = escape(escape_for_display(entry.loi))
    name = f'<a href="/api/{loi}">{loi}</a>' if entry.state is not SafeState.RESERVED else loi
    detail = f": {escape(escape_for_display(entry.detail))}" if entry.detail else ""
    files = "" if entry.files is None else f"{entry.files:,}"
    size = "" if entry.size is None else format_size(entry.size)
    return (
        f"<tr><td><code>{name}</code><td>{_MARKS[entry.state]} {entry.state}{detail}"
        f'<td class="n">{files}<td class="n">{size}'
    )
