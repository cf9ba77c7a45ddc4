"""Reads one YAML document from people who may be careless or hostile: nested dicts, lists and texts, nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from archive_tui.errors import ManifestError

LARGEST = 16 << 20
"""Bytes of a document that are read."""

DEEPEST = 20
MOST_NODES = 1_000_000
"""Keys, texts, lists and mappings of a document, together."""

_HINT = "Correct it, or have a MANIFEST.yaml made anew: one is made when there is none."
_PLAIN_TAGS = frozenset(f"tag:yaml.org,2002:{name}" for name in ("str", "int", "float", "bool", "null", "seq", "map"))


def read_yaml(content: bytes, where: str, *, largest: int = LARGEST, most_nodes: int = MOST_NODES) -> Any:
    """Returns nested dicts, lists and texts; every scalar is the text that stands there, None for what is empty.
    `largest` in bytes; `most_nodes` are keys, texts, lists and mappings together.

    Guarantees: time and memory grow with the content only, and that is bounded.

    Raises: ManifestError, also for aliases, tags, keys that stand there twice and more than one document.
    """
    import yaml

    if len(content) > largest:
        raise refuse_document(where, f"it is larger than {largest >> 20} MiB")
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        events = yaml.parse(content.decode("utf-8-sig"), Loader=loader)
        return _Builder(events, where, most_nodes).build()
    except UnicodeDecodeError as error:
        raise refuse_document(where, "it is not UTF-8 text") from error
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = f" (line {mark.line + 1})" if mark is not None else ""
        raise refuse_document(where, f"it is no valid YAML{place}") from error


def refuse_document(where: str, why: str) -> ManifestError:
    return ManifestError(f"{where} cannot be used: {why}.", hint=_HINT)


class _Builder:
    """Builds the one document of a stream of events."""

    def __init__(self, events: Iterator[Any], where: str, most_nodes: int) -> None:
        import yaml

        self._yaml = yaml
        self._events = events
        self._where = where
        self._most_nodes = most_nodes
        self._nodes = 0

    def build(self) -> Any:
        root, count = None, 0
        for event in self._events:
            if isinstance(event, self._yaml.DocumentStartEvent):
                count += 1
                if count > 1:
                    raise refuse_document(self._where, "it holds more than one document")
                root = self._node(next(self._events), 0)
        return root

    def _node(self, event: Any, depth: int) -> Any:
        self._nodes += 1
        if depth > DEEPEST:
            raise refuse_document(self._where, "it is nested too deep")
        if self._nodes > self._most_nodes:
            raise refuse_document(self._where, f"it has more than {self._most_nodes:,} entries")
        if isinstance(event, self._yaml.AliasEvent) or event.anchor is not None:
            raise refuse_document(self._where, "it uses aliases")
        if event.tag is not None and event.tag != "!" and event.tag not in _PLAIN_TAGS:
            raise refuse_document(self._where, "it uses tags")
        if isinstance(event, self._yaml.ScalarEvent):
            is_null = event.style in (None, "") and event.value in ("", "~", "null")
            return None if is_null else str(event.value)
        if isinstance(event, self._yaml.SequenceStartEvent):
            return list(self._items(self._yaml.SequenceEndEvent, depth))
        return self._mapping(depth)

    def _items(self, end: type[Any], depth: int) -> Iterator[Any]:
        for event in self._events:
            if isinstance(event, end):
                return
            yield self._node(event, depth + 1)

    def _mapping(self, depth: int) -> dict[str, Any]:
        found: dict[str, Any] = {}
        items = self._items(self._yaml.MappingEndEvent, depth)
        for key in items:
            if not isinstance(key, str) or key in found:
                raise refuse_document(self._where, "a key stands there twice, or is no text")
            found[key] = next(items)
        return found
