"""What a run has made, as its receipt tells it: evidence and times in words, findings left to the exceptions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from archive_tui.integrity.evidence import EvidenceLevel
from archive_tui.jobs.receipts.results import encode_result
from archive_tui.names.quantities import format_duration


def describe_result(value: Any) -> dict[str, Any] | None:
    """Returns what JSON can hold; None when nothing is known about it."""
    written = encode_result(value)
    return None if written is None else {"kind": written["kind"], "fields": _in_words(written["fields"])}


def list_result_facts(value: Any) -> Iterator[tuple[str, str]]:
    """Yields label and text of each fact, without those that say nothing."""
    described = describe_result(value)
    if described is not None:
        yield from _facts(described["fields"])


def format_time(seconds: float | None) -> str | None:
    """UTC, to the second; None: it has not come yet."""
    return _format_second(int(seconds)) if seconds else None


@lru_cache(maxsize=1024)
def _format_second(second: int) -> str:
    """Kept, because thousands of items were done in the same second."""
    return datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _in_words(value: Any) -> Any:
    if isinstance(value, Mapping):
        if _is_evidence(value):
            level = EvidenceLevel(value["level"]).name.lower()
            value = {**value, "level": level, "checked_at": format_time(value["checked_at"])}
        return {name: _in_words(each) for name, each in value.items() if name != "findings"}
    return [_in_words(each) for each in value] if isinstance(value, list) else value


def _is_evidence(value: Mapping[str, Any]) -> bool:
    return "level" in value and "checked_at" in value


def _facts(fields: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name, value in fields.items():
        label = name.replace("_", " ")
        if isinstance(value, Mapping) and _is_evidence(value):
            yield label, f"{value['level']}: {value['method']}"
            yield (
                "proven at",
                f"{value['checked_at']}, {value['size']:,} bytes, SHA-256 {value['digest'] or 'not known'}",
            )
        elif isinstance(value, Mapping):
            yield from _facts(value)
        elif isinstance(value, list):
            yield from ((label, each) for each in value if isinstance(each, str))
        elif value not in (None, ""):
            yield label, _show(name, value)


def _show(name: str, value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if name == "seconds":
        return format_duration(value)
    return f"{value:,}" if isinstance(value, int) else f"SHA-256 {value}" if name.endswith("digest") else str(value)
